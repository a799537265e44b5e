"""Metadata files, read strictly: an error names the file, the key, what was seen and expected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.tools.metadata.document import SCHEMA_850
from nvidia_variant_provider.tools.metadata.readers import PEP, Reader
from nvidia_variant_provider.tools.metadata.schemas import Standing, standing_of
from nvidia_variant_provider.tools.metadata.strict import (
    PRIORITY_KEYS,
    PROVIDER_KEYS,
    TOP_KEYS,
    At,
    read_document,
)

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.metadata.model import VariantMetadata

# Metadata of hundreds of labels with hundreds of values each stays far below this.
MAX_BYTES: Final = 16 * 1024 * 1024


def parse_metadata(data: bytes, source: str, reader: Reader = PEP) -> VariantMetadata:
    """Read the metadata of a release; ``source`` is the file's name for messages.

    ``reader`` says whose rules are applied: those of the format, or those of an installer.
    Raises ``MetadataError`` naming the file, the key, what was seen and what was expected.
    """
    if len(data) > MAX_BYTES:
        raise MetadataError(source, "", f"{len(data)} bytes", f"at most {MAX_BYTES} bytes")
    try:
        raw = json.loads(data.decode(), object_pairs_hook=_refuse_repeated_keys)
        # An escape may stand for half a character, which no text holds.
        json.dumps(raw, ensure_ascii=False).encode()
        return read_document(_adapted(raw, source, reader), At(source, reader))
    except _RepeatedKeyError as error:
        raise MetadataError(source, error.key, error.key, "every key only once") from error
    except MetadataError:
        raise
    except (ValueError, RecursionError) as error:
        raise MetadataError(source, "", str(error), "a JSON document in UTF-8") from error


def check_schema(url: str, source: str) -> Standing:
    """Return what ``$schema`` stands for; raises ``MetadataError`` if nobody may read it."""
    standing = standing_of(url)
    if standing not in {Standing.KNOWN, Standing.NEWER_MINOR}:
        hint = "; 'convert' brings it to the present one" if standing is Standing.DRAFT else ""
        expected = f"a version known here, such as {SCHEMA_850}"
        raise MetadataError(source, "$schema", f"{standing.value}: {url}", expected + hint)
    return standing


def _adapted(raw: object, source: str, reader: Reader) -> object:
    """Leave out what a reader ignores."""
    if not isinstance(raw, dict):
        return raw
    document = dict(raw)
    url = document.get("$schema")
    if not reader.needs_schema:
        document["$schema"] = url if isinstance(url, str) else ""
    elif reader.judges_schema and isinstance(url, str):
        is_newer = check_schema(url, source) is Standing.NEWER_MINOR
        document = _of_known_keys(document) if is_newer else document
    if reader.ignores_unknown_top_keys:
        document = {key: value for key, value in document.items() if key in TOP_KEYS}
    if not reader.needs_variants:
        document.setdefault("variants", {})
    if "providers" in document:
        _adapt_providers(document, source, reader)
    return document


def _adapt_providers(document: dict[str, object], source: str, reader: Reader) -> None:
    """Leave out what is ``null`` and counts as absent; refuse every other ``null``."""
    providers = document["providers"]
    if providers is None and "providers" in reader.null_as_absent:
        del document["providers"]
    elif providers is None:
        raise MetadataError(source, "providers", "null", "an object, or no such key")
    elif isinstance(providers, dict):
        document["providers"] = {
            name: _adapted_entry(entry, f"providers/{name}", source, reader)
            for name, entry in providers.items()
        }


def _adapted_entry(entry: object, key: str, source: str, reader: Reader) -> object:
    if not isinstance(entry, dict):
        return entry
    more = reader.null_beside_static if "static-properties" in entry else frozenset()
    absent = reader.null_as_absent | more
    kept = {name: value for name, value in entry.items() if value is not None or name not in absent}
    for name, value in kept.items():
        if value is None:
            raise MetadataError(source, f"{key}/{name}", "null", "a value, or no such key")
    return kept


def _of_known_keys(document: dict[str, object]) -> dict[str, object]:
    """Leave out what a newer minor version has added."""
    known = {key: value for key, value in document.items() if key in TOP_KEYS}
    priorities, providers = known.get("default-priorities"), known.get("providers")
    if isinstance(priorities, dict):
        known["default-priorities"] = {
            key: value for key, value in priorities.items() if key in PRIORITY_KEYS
        }
    if isinstance(providers, dict):
        known["providers"] = {
            name: {key: value for key, value in entry.items() if key in PROVIDER_KEYS}
            if isinstance(entry, dict)
            else entry
            for name, entry in providers.items()
        }
    return known


def parse_wheel_metadata(
    data: bytes, source: str, label: str, reader: Reader = PEP
) -> VariantMetadata:
    """Read the ``variant.json`` of a wheel, which must describe exactly the wheel's own label."""
    metadata = parse_metadata(data, source, reader)
    if set(metadata.variants) != {label}:
        seen = ", ".join(metadata.variants) or "no label"
        raise MetadataError(source, "variants", seen, f"only {label}, the label of the file name")
    return metadata


class _RepeatedKeyError(Exception):
    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


def _refuse_repeated_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Readers differ in which of two equal keys they take, so neither is believed.
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedKeyError(next(name for name in names if names.count(name) > 1))
    return document
