"""Variant metadata: ``variant.json`` of a wheel, ``{name}-{version}-variants.json`` of a release.

The models hold what both PEP 825 (schema 0.1.1, no providers) and PEP 850 (schema 0.2.0) allow;
keys of older drafts are errors here as they are for uv and variantlib.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.ordering import NULL_LABEL, Preferences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nvidia_variant_provider.ordering import Offer

WHEEL_METADATA_NAME: Final = "variant.json"

# Metadata of hundreds of labels with hundreds of values each stays far below this.
MAX_BYTES: Final = 16 * 1024 * 1024

SCHEMA_825: Final = "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json"
SCHEMA_850: Final = "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json"
# variantlib 0.2.2 writes its own name for the schema that uv and PEP 850 call the above.
SCHEMA_850_VARIANTLIB: Final = "https://variants-schema.wheelnext.dev/v0.2.0.json"


class Specification(Enum):
    """The format of a file, told by its ``$schema``."""

    PEP_825 = "PEP 825, 0.1.1"
    PEP_850 = "PEP 850, 0.2.0"
    UNKNOWN = "unknown"


_SCHEMAS: Final = {
    SCHEMA_825: Specification.PEP_825,
    SCHEMA_850: Specification.PEP_850,
    SCHEMA_850_VARIANTLIB: Specification.PEP_850,
}


def _sorted_unique(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(_unique(values)))


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("repeated", "every entry only once")
    return values


def _requirement(text: str) -> str:
    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise PydanticCustomError("requirement", "a requirement such as 'name>=1.0'") from error
    return text


Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
Value: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]+$")]
Label: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9a-z_.]+$")]
Values: TypeAlias = Annotated[
    tuple[Value, ...], Field(min_length=1), AfterValidator(_sorted_unique)
]
Features: TypeAlias = Annotated[dict[Name, Values], Field(min_length=1)]
Variant: TypeAlias = dict[Name, Features]
"""Namespace to feature to values, the values sorted as the specification wants them."""

OrderedNames: TypeAlias = Annotated[tuple[Name, ...], AfterValidator(_unique)]
OrderedValues: TypeAlias = Annotated[
    tuple[Value, ...], Field(min_length=1), AfterValidator(_unique)
]
PluginApi: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_.]+( *: *[A-Za-z0-9_.]+)?$")
]


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        populate_by_name=True,
        alias_generator=lambda name: {"schema_url": "$schema"}.get(name, name.replace("_", "-")),
    )


class Provider(_Model):
    """Who answers for a namespace: a plugin, fixed values, or the installer itself."""

    requires: tuple[Annotated[str, AfterValidator(_requirement)], ...] = ()
    plugin_api: PluginApi | None = None
    static_properties: dict[Name, OrderedValues] = Field(default_factory=dict)
    feature_order: OrderedNames = ()
    builtin: Literal["abi_dependency"] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _check(self) -> Provider:
        kinds = (bool(self.requires), bool(self.static_properties), self.builtin is not None)
        if kinds.count(True) != 1:
            raise PydanticCustomError(
                "kind", "exactly one of 'requires', 'static-properties' and 'builtin'"
            )
        if self.plugin_api is not None and not self.requires:
            raise PydanticCustomError("plugin-api", "'plugin-api' only together with 'requires'")
        features = set(self.static_properties)
        if self.feature_order and set(self.feature_order) != features:
            raise PydanticCustomError(
                "feature-order", "'feature-order' with exactly the features of 'static-properties'"
            )
        if len(features) > 1 and not self.feature_order:
            raise PydanticCustomError(
                "feature-order", "'feature-order', as there are several static features"
            )
        return self

    @property
    def static_offers(self) -> tuple[StaticOffer, ...]:
        """The static properties in the form that ordering takes; empty for a plugin."""
        names = self.feature_order or tuple(self.static_properties)
        return tuple(StaticOffer(name=name, values=self.static_properties[name]) for name in names)


class StaticOffer(_Model):
    """One feature of a provider without a plugin, its values most preferred first."""

    name: str
    values: tuple[str, ...]


class DefaultPriorities(_Model):
    """The package's own preferences: its namespaces, most preferred first."""

    namespace: OrderedNames = ()


class VariantMetadata(_Model):
    """The content of one metadata file.

    ``providers`` is ``None`` where the file has no such key (PEP 825). An unknown ``$schema`` is
    kept and not judged: uv reads such files too, as long as everything else fits.
    """

    schema_url: str
    default_priorities: DefaultPriorities = DefaultPriorities()
    providers: dict[Name, Provider] | None = None
    variants: dict[Label, Variant]

    @model_validator(mode="after")
    def _check(self) -> VariantMetadata:
        self._check_providers()
        for label, variant in self.variants.items():
            if bool(variant) == (label == NULL_LABEL):
                raise PydanticCustomError(
                    "null", f"properties for every label but {NULL_LABEL!r}, which has none"
                )
            if unlisted := sorted(set(variant) - set(self.namespaces)):
                raise PydanticCustomError(
                    "namespace",
                    f"'default-priorities' with every namespace in use; it lacks {unlisted[0]}",
                )
        return self

    def _check_providers(self) -> None:
        if self.specification is Specification.PEP_825 and self.providers is not None:
            raise PydanticCustomError("providers", "no 'providers' under the schema of PEP 825")
        if self.specification is Specification.PEP_850 and self.providers is None:
            raise PydanticCustomError("providers", "'providers' under the schema of PEP 850")
        if self.providers is not None and set(self.providers) != set(self.namespaces):
            raise PydanticCustomError(
                "providers", "the same namespaces in 'providers' and 'default-priorities'"
            )

    @property
    def specification(self) -> Specification:
        """The format that ``$schema`` names."""
        return _SCHEMAS.get(self.schema_url, Specification.UNKNOWN)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces in use, most preferred first."""
        return self.default_priorities.namespace

    def preferences(self, offers: Mapping[str, Sequence[Offer]]) -> Preferences:
        """Combine the metadata with what the plugins offer, by namespace.

        Static providers answer for themselves, whatever ``offers`` says of their namespace.
        """
        combined: dict[str, Sequence[Offer]] = dict(offers)
        for namespace, provider in (self.providers or {}).items():
            if provider.static_properties:
                combined[namespace] = provider.static_offers
        return Preferences.build(self.namespaces, combined)

    def of_label(self, label: str) -> VariantMetadata:
        """Return the metadata of one wheel: the same file with this label only."""
        return self.model_copy(update={"variants": {label: self.variants[label]}})

    def to_json(self) -> str:
        """Serialise canonically: keys and values sorted, ordered lists as they are.

        Optional keys that say nothing are left out, so equal metadata gives equal bytes.
        """
        document = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        document["$schema"] = self.schema_url
        document["default-priorities"] = {"namespace": list(self.namespaces)}
        document["variants"] = {
            label: {
                namespace: {feature: list(values) for feature, values in features.items()}
                for namespace, features in variant.items()
            }
            for label, variant in self.variants.items()
        }
        return json.dumps(document, indent=4, sort_keys=True) + "\n"


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


def union(parts: Iterable[tuple[str, VariantMetadata]]) -> VariantMetadata:
    """Combine the metadata of a release's wheels, each with the name of its file.

    A label must mean the same everywhere and a namespace have the same provider; of two namespace
    orders one must continue the other. Raises ``MetadataError`` naming the file that disagrees,
    and for no file at all.
    """
    combined: VariantMetadata | None = None
    for source, part in parts:
        combined = part if combined is None else _combine(combined, part, source)
    if combined is None:
        raise MetadataError("variant metadata", "", "no file", "at least one variant wheel")
    return combined


def _combine(first: VariantMetadata, second: VariantMetadata, source: str) -> VariantMetadata:
    shorter, longer = sorted((first.namespaces, second.namespaces), key=len)
    if longer[: len(shorter)] != shorter:
        raise MetadataError(
            source, "default-priorities/namespace", str(second.namespaces), str(first.namespaces)
        )
    _agree(source, "$schema", first.specification.value, second.specification.value)
    providers = dict(first.providers or {})
    for namespace, provider in (second.providers or {}).items():
        _agree(
            source, f"providers/{namespace}", providers.setdefault(namespace, provider), provider
        )
    variants = dict(first.variants)
    for label, variant in second.variants.items():
        _agree(source, f"variants/{label}", variants.setdefault(label, variant), variant)
    return VariantMetadata(
        schema_url=first.schema_url,
        default_priorities=DefaultPriorities(namespace=longer),
        providers=None if first.providers is None else providers,
        variants=variants,
    )


def _agree(source: str, key: str, expected: object, seen: object) -> None:
    if seen != expected:
        raise MetadataError(source, key, str(seen), f"as in the other wheels: {expected}")


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


_UV_PACKAGE: Final = "nvidia-variant-provider"
_UV_ENDPOINT: Final = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
UV_PROVIDER_VERSION: Final = "0.0.1"


def uv_skips(provider: Provider) -> str | None:
    """Tell why uv 0.13.8 would not answer for the namespace ``nvidia``; ``None`` if it does.

    uv runs no plugin. It has its own copy of this provider's version 0.0.1 and uses it only for
    an entry of a certain form; otherwise every variant that needs the namespace is passed over
    without a word and the CPU build is installed.
    """
    if provider.static_properties or provider.builtin:
        return None
    if len(provider.requires) != 1:
        return "uv wants exactly one entry in 'requires'"
    requirement = Requirement(provider.requires[0])
    checks = (
        (provider.optional, "uv does not use an optional provider"),
        (canonicalize_name(requirement.name) != _UV_PACKAGE, f"uv wants {_UV_PACKAGE}"),
        (bool(requirement.extras or requirement.marker or requirement.url),
         "uv wants no extras, marker or URL in 'requires'"),
        (UV_PROVIDER_VERSION not in requirement.specifier,
         f"uv's copy is version {UV_PROVIDER_VERSION}, which 'requires' excludes"),
        (provider.plugin_api != _UV_ENDPOINT,
         f"uv wants the 'plugin-api' {_UV_ENDPOINT}, to the letter"),
    )  # fmt: skip
    return next((reason for failed, reason in checks if failed), None)
