"""Variant metadata: ``variant.json`` of a wheel, ``{name}-{version}-variants.json`` of a release.

The models hold what both PEP 825 (schema 0.1.1, no providers) and PEP 850 (schema 0.2.0) allow;
keys of older drafts are errors here as they are for uv and variantlib.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from nvidia_variant_provider.tools.metadata.document import (
    SCHEMA_825,
    SCHEMA_850,
    SCHEMA_850_VARIANTLIB,
    render,
)
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL, Preferences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.tools.metadata.ordering import Offer


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
        return render(document)
