"""The strict reader of a metadata document: JSON types count, unknown keys are errors.

Own code and no model of a library: ``explain`` and ``lint`` would pay more for loading that than
for all the rest of their start. The first fault is raised, in the order of the specification.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.tools.metadata.document import SCHEMA_850
from nvidia_variant_provider.tools.metadata.model import Provider, VariantMetadata
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from nvidia_variant_provider.tools.metadata.schemas import Specification
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nvidia_variant_provider.tools.metadata.model import Variant
    from nvidia_variant_provider.tools.metadata.readers import Reader

Json: TypeAlias = "Mapping[str, object]"

TOP_KEYS: Final = frozenset({"$schema", "default-priorities", "providers", "variants"})
PRIORITY_KEYS: Final = frozenset({"namespace"})
PROVIDER_KEYS: Final = frozenset(
    {"requires", "plugin-api", "static-properties", "feature-order", "builtin", "optional"}
)
# Exactly one of them says who answers.
PROVIDER_KINDS: Final = ("requires", "static-properties", "builtin")

_NAME: Final = re.compile(r"^[a-z0-9_]+$")
_VALUE: Final = re.compile(r"^[a-z0-9_.]+$")
_LABEL: Final = re.compile(r"^[0-9a-z_.]+$")
_ENDPOINT: Final = re.compile(r"[A-Za-z0-9_.]+( *: *[A-Za-z0-9_.]+)?")
_BUILTINS: Final = frozenset({"abi_dependency"})


@dataclass(frozen=True, slots=True)
class At:
    """A place in a document: the file, who reads it, and the path of keys, parted by slashes."""

    source: str
    reader: Reader
    key: str = ""

    def __truediv__(self, step: object) -> At:
        """Return the place of a key or of an entry of a list."""
        return At(self.source, self.reader, f"{self.key}/{step}" if self.key else str(step))

    def refused(self, seen: object, expected: str) -> MetadataError:
        """Return the error for what stands here."""
        return MetadataError(self.source, self.key, json.dumps(seen), expected)


def read_document(raw: object, at: At) -> VariantMetadata:
    """Return the metadata of a parsed document; raises ``MetadataError``."""
    document = _object(raw, at)
    url = _text(_needed(document, "$schema", at), at / "$schema")
    namespaces = _priorities(_needed(document, "default-priorities", at), at / "default-priorities")
    providers = None
    if document.get("providers") is not None:
        listed = _names(document["providers"], at / "providers")
        providers = {
            name: read_provider(entry, at / "providers" / name) for name, entry in listed.items()
        }
    variants = _variants(_needed(document, "variants", at), at / "variants")
    _refuse_others(document, TOP_KEYS, at)
    metadata = VariantMetadata(url, namespaces, variants, providers)
    for wrong, expected in (*_wrong_providers(metadata, at.reader), *_wrong(metadata, at.reader)):
        if wrong:
            raise at.refused(raw, expected)
    return metadata


def read_provider(raw: object, at: At) -> Provider:
    """Return one entry of ``providers``; raises ``MetadataError``."""
    entry = _object(raw, at)
    provider = Provider(
        requires=_each(entry.get("requires", []), at / "requires", _requirement),
        plugin_api=_optional_text(entry, "plugin-api", at),
        static_properties=_static(entry, at),
        feature_order=_ordered(entry.get("feature-order", []), at / "feature-order"),
        builtin=_optional_text(entry, "builtin", at),
        optional=_truth(entry.get("optional", False), at / "optional"),
    )
    _refuse_others(entry, PROVIDER_KEYS, at)
    checks = (_wrong_kind, _wrong_endpoint, _wrong_static)
    for check in checks:
        if expected := check(provider, entry, at.reader):
            raise at.refused(raw, expected)
    return provider


def _wrong_kind(provider: Provider, entry: Json, reader: Reader) -> str | None:
    if sum(entry.get(kind) is not None for kind in PROVIDER_KINDS) != 1:
        return "exactly one of 'requires', 'static-properties' and 'builtin'"
    if "requires" in entry and not provider.requires and not reader.takes_empty_requires:
        return "'requires' with at least one requirement"
    if reader.judges_requirements and len(set(provider.requires)) != len(provider.requires):
        return "every entry only once"
    if reader.judges_builtin and provider.builtin not in _BUILTINS | {None}:
        return "'builtin' with the value 'abi_dependency'"
    return None


def _wrong_endpoint(provider: Provider, entry: Json, reader: Reader) -> str | None:
    if provider.plugin_api is None:
        return None
    if entry.get("requires") is None:
        return "'plugin-api' only together with 'requires'"
    if reader.judges_plugin_api and not _ENDPOINT.fullmatch(provider.plugin_api):
        return "'plugin-api' of the form 'module:attribute'"
    return None


def _wrong_static(provider: Provider, entry: Json, reader: Reader) -> str | None:
    features = set(provider.static_properties or ())
    if provider.is_static and not features and not reader.takes_empty_static:
        return "'static-properties' with at least one feature"
    is_given = entry.get("feature-order") is not None
    if is_given and (not provider.feature_order or set(provider.feature_order) != features):
        return "'feature-order' with exactly the features of 'static-properties'"
    if len(features) > 1 and not is_given:
        return "'feature-order', as there are several static features"
    return None


def _wrong_providers(metadata: VariantMetadata, reader: Reader) -> tuple[tuple[bool, str], ...]:
    """Return what is asked of the providers as a whole: whether it is missed, and what it is."""
    is_825 = metadata.specification is Specification.PEP_825
    # uv compares the URL of PEP 850 as a text, and wants providers under no other.
    is_needed = not is_825 if reader.judges_schema else metadata.schema_url == SCHEMA_850
    lacks = metadata.providers is None
    differ = set(metadata.providers or ()) != set(metadata.namespaces)
    return (
        (reader.judges_schema and is_825 and not lacks,
         "no 'providers' under the schema of PEP 825"),
        (lacks and (is_needed or reader.needs_providers_always),
         "'providers' under the schema of PEP 850"),
        (not lacks and differ, "the same namespaces in 'providers' and 'default-priorities'"),
    )  # fmt: skip


def _wrong(metadata: VariantMetadata, reader: Reader) -> list[tuple[bool, str]]:
    """Return the same of the variants."""
    asked = []
    for label, variant in metadata.variants.items():
        is_null, states = label == NULL_LABEL, any(variant.values())
        lacks = not is_null and not states and not reader.takes_empty_variants
        used = {namespace for namespace, features in variant.items() if features}
        unlisted = sorted(used - set(metadata.namespaces))
        asked += [
            ((is_null and states) or lacks,
             f"properties for every label but {NULL_LABEL!r}, which has none"),
            (bool(unlisted),
             "'default-priorities' with every namespace in use; it lacks "
             + ", ".join(unlisted[:1])),
        ]  # fmt: skip
    return asked


def _priorities(raw: object, at: At) -> tuple[str, ...]:
    priorities = _object(raw, at)
    namespaces = _needed(priorities, "namespace", at)
    ordered = _some(_ordered(namespaces, at / "namespace"), namespaces, at / "namespace")
    _refuse_others(priorities, PRIORITY_KEYS, at)
    return ordered


def _variants(raw: object, at: At) -> dict[str, Variant]:
    variants: dict[str, Variant] = {}
    for label, variant in _object(raw, at).items():
        _match(label, at / label, _LABEL)
        variants[label] = {
            namespace: {
                feature: _values(values, at / label / namespace / feature)
                for feature, values in _names(features, at / label / namespace).items()
            }
            for namespace, features in _names(variant, at / label).items()
        }
    return variants


def _values(raw: object, at: At) -> tuple[str, ...]:
    return _unique(_some(_each(raw, at, _value), raw, at), raw, at)


def _static(entry: Json, at: At) -> dict[str, tuple[str, ...]] | None:
    if entry.get("static-properties") is None:
        return None
    place = at / "static-properties"
    static = {}
    for name, raw in _names(entry["static-properties"], place).items():
        values = _each(raw, place / name, _value)
        # variantlib reads repeated ones, and fails when it has to order by them, as is done here.
        kept = values if at.reader.takes_repetitions else _unique(values, raw, place / name)
        static[name] = kept if at.reader.takes_empty_static else _some(kept, raw, place / name)
    return static


def _ordered(raw: object, at: At) -> tuple[str, ...]:
    names = _each(raw, at, _name)
    return tuple(dict.fromkeys(names)) if at.reader.takes_repetitions else _unique(names, raw, at)


def _some(values: tuple[str, ...], raw: object, at: At) -> tuple[str, ...]:
    if not values:
        raise at.refused(raw, "at least one entry")
    return values


def _unique(values: tuple[str, ...], raw: object, at: At) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise at.refused(raw, "every entry only once")
    return values


def _each(raw: object, at: At, read: Callable[[object, At], str]) -> tuple[str, ...]:
    if not isinstance(raw, list):
        raise at.refused(raw, "an array")
    return tuple(read(entry, at / index) for index, entry in enumerate(raw))


def _names(raw: object, at: At) -> Json:
    """Return an object whose keys are names of namespaces or features."""
    for name in (names := _object(raw, at)):
        _match(name, at / name, _NAME)
    return names


def _name(raw: object, at: At) -> str:
    return _match(raw, at, _NAME)


def _value(raw: object, at: At) -> str:
    return _match(raw, at, _VALUE)


def _requirement(raw: object, at: At) -> str:
    text = _text(raw, at)
    if at.reader.judges_requirements:
        from packaging.requirements import InvalidRequirement, Requirement

        try:
            Requirement(text)
        except InvalidRequirement as error:
            raise at.refused(raw, "a requirement such as 'name>=1.0'") from error
    return text


def _match(raw: object, at: At, form: re.Pattern[str]) -> str:
    text = _text(raw, at)
    # "$" alone would let a line end pass.
    if not form.fullmatch(text):
        raise at.refused(raw, f"a match of {form.pattern}")
    return text


def _text(raw: object, at: At) -> str:
    if not isinstance(raw, str):
        raise at.refused(raw, "a string")
    return raw


def _optional_text(entry: Json, key: str, at: At) -> str | None:
    return None if entry.get(key) is None else _text(entry[key], at / key)


def _truth(raw: object, at: At) -> bool:
    if not isinstance(raw, bool):
        raise at.refused(raw, "true or false")
    return raw


def _object(raw: object, at: At) -> Json:
    if not isinstance(raw, dict):
        raise at.refused(raw, "an object")
    return cast("Json", raw)


def _needed(document: Json, key: str, at: At) -> object:
    if key not in document:
        place = at / key
        raise MetadataError(place.source, place.key, "nothing", "this key")
    return document[key]


def _refuse_others(document: Json, known: frozenset[str], at: At) -> None:
    for key, value in document.items():
        if key not in known:
            raise (at / key).refused(value, "no such key")
