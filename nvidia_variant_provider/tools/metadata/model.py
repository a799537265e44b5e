"""Variant metadata: ``variant.json`` of a wheel, ``{name}-{version}-variants.json`` of a release.

The models hold what both PEP 825 (schema 0.1.1, no providers) and PEP 850 (schema 0.2.0) allow;
keys of older drafts are errors here as they are for uv and variantlib.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from nvidia_variant_provider.tools.metadata.document import SCHEMA_850, render
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL, Preferences
from nvidia_variant_provider.tools.metadata.readers import PEP, Reader
from nvidia_variant_provider.tools.metadata.schemas import Specification, schema_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from nvidia_variant_provider.tools.metadata.ordering import Offer


def _reader(info: ValidationInfo) -> Reader:
    """Return who reads; what is built in the program is held to the format itself."""
    return info.context if isinstance(info.context, Reader) else PEP


def _values(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(_unique(_some(values))))


def _namespaces(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    return _some(_ordered(names, info))


def _ordered(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names)) if _reader(info).takes_repetitions else _unique(names)


def _static_values(values: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    reader = _reader(info)
    # variantlib reads repeated ones, and fails when it has to order by them, as is done here.
    kept = values if reader.takes_repetitions else _unique(values)
    return kept if reader.takes_empty_static else _some(kept)


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise PydanticCustomError("empty", "at least one entry")
    return values


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("repeated", "every entry only once")
    return values


def _requirement(text: str, info: ValidationInfo) -> str:
    if not _reader(info).judges_requirements:
        return text
    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise PydanticCustomError("requirement", "a requirement such as 'name>=1.0'") from error
    return text


Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
Value: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]+$")]
Label: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9a-z_.]+$")]
Values: TypeAlias = Annotated[tuple[Value, ...], AfterValidator(_values)]
Features: TypeAlias = dict[Name, Values]
Variant: TypeAlias = dict[Name, Features]
"""Namespace to feature to values, the values sorted as the specification wants them."""

OrderedNames: TypeAlias = Annotated[tuple[Name, ...], AfterValidator(_ordered)]
Namespaces: TypeAlias = Annotated[tuple[Name, ...], AfterValidator(_namespaces)]
OrderedValues: TypeAlias = Annotated[tuple[Value, ...], AfterValidator(_static_values)]
Text: TypeAlias = Annotated[str, AfterValidator(_requirement)]

_KINDS: Final = ("requires", "static_properties", "builtin")
_ENDPOINT: Final = re.compile(r"[A-Za-z0-9_.]+( *: *[A-Za-z0-9_.]+)?")
_BUILTINS: Final = frozenset({"abi_dependency"})


class _Model(BaseModel):
    model_config = ConfigDict(
        defer_build=True,
        frozen=True,
        extra="forbid",
        strict=True,
        populate_by_name=True,
        alias_generator=lambda name: {"schema_url": "$schema"}.get(name, name.replace("_", "-")),
    )


class Provider(_Model):
    """Who answers for a namespace: a plugin, fixed values, or the installer itself."""

    requires: tuple[Text, ...] = ()
    plugin_api: str | None = None
    static_properties: dict[Name, OrderedValues] = Field(default_factory=dict)
    feature_order: OrderedNames = ()
    builtin: str | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Provider:
        reader = _reader(info)
        if sum(map(self._has, _KINDS)) != 1:
            raise PydanticCustomError(
                "kind", "exactly one of 'requires', 'static-properties' and 'builtin'"
            )
        if self._has("requires") and not self.requires and not reader.takes_empty_requires:
            raise PydanticCustomError("requires", "'requires' with at least one requirement")
        if reader.judges_requirements:
            _unique(self.requires)
        self._check_endpoint(reader)
        self._check_static(reader)
        if reader.judges_builtin and self.builtin is not None and self.builtin not in _BUILTINS:
            raise PydanticCustomError("builtin", "'builtin' with the value 'abi_dependency'")
        return self

    def _check_endpoint(self, reader: Reader) -> None:
        if self.plugin_api is None:
            return
        if not self._has("requires"):
            raise PydanticCustomError("plugin-api", "'plugin-api' only together with 'requires'")
        if reader.judges_plugin_api and not _ENDPOINT.fullmatch(self.plugin_api):
            raise PydanticCustomError("plugin-api", "'plugin-api' of the form 'module:attribute'")

    def _check_static(self, reader: Reader) -> None:
        features = set(self.static_properties)
        if self._has("static_properties") and not features and not reader.takes_empty_static:
            raise PydanticCustomError("static", "'static-properties' with at least one feature")
        is_given = self._has("feature_order")
        if is_given and (not self.feature_order or set(self.feature_order) != features):
            raise PydanticCustomError(
                "feature-order", "'feature-order' with exactly the features of 'static-properties'"
            )
        if len(features) > 1 and not is_given:
            raise PydanticCustomError(
                "feature-order", "'feature-order', as there are several static features"
            )

    def _has(self, key: str) -> bool:
        """Tell whether a key was given: an empty list says something else than no list."""
        return key in self.model_fields_set and getattr(self, key) is not None

    @property
    def is_static(self) -> bool:
        """Whether fixed values answer, even if there are none."""
        return self._has("static_properties")

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

    namespace: Namespaces


class VariantMetadata(_Model):
    """The content of one metadata file.

    ``providers`` is ``None`` where the file has no such key (PEP 825).
    """

    schema_url: str
    default_priorities: DefaultPriorities
    providers: dict[Name, Provider] | None = None
    variants: dict[Label, Variant]

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> VariantMetadata:
        reader = _reader(info)
        self._check_providers(reader)
        for label, variant in self.variants.items():
            states = any(variant.values())
            if (label == NULL_LABEL and states) or (
                label != NULL_LABEL and not states and not reader.takes_empty_variants
            ):
                raise PydanticCustomError(
                    "null", f"properties for every label but {NULL_LABEL!r}, which has none"
                )
            used = {namespace for namespace, features in variant.items() if features}
            if unlisted := sorted(used - set(self.namespaces)):
                raise PydanticCustomError(
                    "namespace",
                    f"'default-priorities' with every namespace in use; it lacks {unlisted[0]}",
                )
        return self

    def _check_providers(self, reader: Reader) -> None:
        is_825 = self.specification is Specification.PEP_825
        if reader.judges_schema and is_825 and self.providers is not None:
            raise PydanticCustomError("providers", "no 'providers' under the schema of PEP 825")
        # uv compares the URL of PEP 850 as a text, and wants providers under no other.
        is_needed = not is_825 if reader.judges_schema else self.schema_url == SCHEMA_850
        if self.providers is None and (is_needed or reader.needs_providers_always):
            raise PydanticCustomError("providers", "'providers' under the schema of PEP 850")
        if self.providers is not None and set(self.providers) != set(self.namespaces):
            raise PydanticCustomError(
                "providers", "the same namespaces in 'providers' and 'default-priorities'"
            )

    @property
    def specification(self) -> Specification:
        """The format that ``$schema`` names."""
        schema = schema_of(self.schema_url)
        return Specification.UNKNOWN if schema is None else schema.specification

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces in use, most preferred first."""
        return self.default_priorities.namespace

    def preferences(
        self,
        offers: Mapping[str, Sequence[Offer]],
        enabled: Collection[str] = (),
        reader: Reader = PEP,
    ) -> Preferences:
        """Combine the metadata with what the plugins offer, by namespace.

        Static providers answer for themselves, whatever ``offers`` says of their namespace. An
        optional one offers nothing unless the user ``enabled`` its namespace.
        """
        combined: dict[str, Sequence[Offer]] = dict(offers)
        for namespace, provider in (self.providers or {}).items():
            if provider.is_static:
                is_off = provider.optional and namespace not in enabled
                honoured = is_off and reader.honours_static_optional
                combined[namespace] = () if honoured else provider.static_offers
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
        for namespace, provider in (self.providers or {}).items():
            if provider.is_static:
                # Fixed values that are none are what such an entry says, and no default.
                document["providers"][namespace].setdefault("static-properties", {})
        document["variants"] = {
            label: {
                namespace: {feature: list(values) for feature, values in features.items()}
                for namespace, features in variant.items()
            }
            for label, variant in self.variants.items()
        }
        return render(document)
