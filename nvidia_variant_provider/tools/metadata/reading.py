"""Metadata files, read strictly: an error names the file, the key, what was seen and expected."""

from __future__ import annotations

import json
from typing import Final

from pydantic import ValidationError

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.tools.metadata.model import VariantMetadata

# Metadata of hundreds of labels with hundreds of values each stays far below this.
MAX_BYTES: Final = 16 * 1024 * 1024


def parse_metadata(data: bytes, source: str) -> VariantMetadata:
    """Read the metadata of a release; ``source`` is the file's name for messages.

    Raises ``MetadataError`` naming the file, the key, what was seen and what was expected.
    """
    if len(data) > MAX_BYTES:
        raise MetadataError(source, "", f"{len(data)} bytes", f"at most {MAX_BYTES} bytes")
    try:
        json.loads(data, object_pairs_hook=_refuse_repeated_keys)
        return VariantMetadata.model_validate_json(data)
    except _RepeatedKeyError as error:
        raise MetadataError(source, error.key, error.key, "every key only once") from error
    except ValidationError as error:
        raise _explained(error, source) from error
    except (ValueError, RecursionError) as error:
        raise MetadataError(source, "", str(error), "a JSON document in UTF-8") from error


def parse_wheel_metadata(data: bytes, source: str, label: str) -> VariantMetadata:
    """Read the ``variant.json`` of a wheel, which must describe exactly the wheel's own label."""
    metadata = parse_metadata(data, source)
    if set(metadata.variants) != {label}:
        seen = ", ".join(metadata.variants) or "no label"
        raise MetadataError(source, "variants", seen, f"only {label}, the label of the file name")
    return metadata


def _explained(error: ValidationError, source: str) -> MetadataError:
    first = error.errors(include_url=False)[0]
    # pydantic marks a key itself, as opposed to its value, with this extra step.
    steps = [str(step) for step in first["loc"] if step != "[key]"]
    if first["type"] == "json_invalid":
        return MetadataError(source, "", first["msg"], "a JSON document in UTF-8")
    expected = {
        "extra_forbidden": "no such key",
        "missing": "this key",
        "string_pattern_mismatch": "a match of " + str(first.get("ctx", {}).get("pattern")),
    }.get(first["type"], first["msg"].removeprefix("Input should be "))
    seen = "nothing" if first["type"] == "missing" else json.dumps(first["input"], default=str)
    return MetadataError(source, "/".join(steps), seen, expected)


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
