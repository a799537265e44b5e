"""Variant metadata: ``variant.json`` of a wheel, ``{name}-{version}-variants.json`` of a release.

Plain values that hold what both PEP 825 (schema 0.1.1, no providers) and PEP 850 (schema 0.2.0)
allow; ``strict`` checks what is read from a file. Standard library only: most commands need these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from nvidia_variant_provider.tools.metadata.document import render
from nvidia_variant_provider.tools.metadata.ordering import Preferences
from nvidia_variant_provider.tools.metadata.readers import PEP, Reader
from nvidia_variant_provider.tools.metadata.schemas import Specification, schema_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from nvidia_variant_provider.tools.metadata.ordering import Offer

Variant: TypeAlias = dict[str, dict[str, tuple[str, ...]]]
"""Namespace to feature to values, the values sorted as the specification wants them."""


@dataclass(frozen=True, slots=True)
class StaticOffer:
    """One feature of a provider without a plugin, its values most preferred first."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """Who answers for a namespace: a plugin, fixed values, or the installer itself.

    ``static_properties`` is ``None`` where the entry has no such key; an empty one says that there
    are fixed values, and none of them.
    """

    requires: tuple[str, ...] = ()
    plugin_api: str | None = None
    static_properties: dict[str, tuple[str, ...]] | None = None
    feature_order: tuple[str, ...] = ()
    builtin: str | None = None
    optional: bool = False

    @property
    def is_static(self) -> bool:
        """Whether fixed values answer, even if there are none."""
        return self.static_properties is not None

    @property
    def static_offers(self) -> tuple[StaticOffer, ...]:
        """The static properties in the form that ordering takes; empty for a plugin."""
        static = self.static_properties or {}
        return tuple(StaticOffer(name, static[name]) for name in self.feature_order or static)

    def to_document(self) -> dict[str, object]:
        """Return the entry of a file; a key that would say nothing is left out."""
        written: dict[str, object] = {
            "requires": list(self.requires),
            "plugin-api": self.plugin_api,
            "feature-order": list(self.feature_order),
            "builtin": self.builtin,
            "optional": self.optional,
        }
        document = {key: value for key, value in written.items() if value}
        if self.static_properties is not None:
            static = {name: list(values) for name, values in self.static_properties.items()}
            document["static-properties"] = static
        return document


@dataclass(frozen=True, slots=True)
class VariantMetadata:
    """The content of one metadata file.

    ``namespaces`` are the package's own preferences, most preferred first. ``providers`` is
    ``None`` where the file has no such key (PEP 825).
    """

    schema_url: str
    namespaces: tuple[str, ...]
    variants: dict[str, Variant]
    providers: dict[str, Provider] | None = None

    def __post_init__(self) -> None:
        """Sort the values of every feature: their order in a file has no meaning."""
        ordered = {
            label: {
                namespace: {feature: tuple(sorted(values)) for feature, values in features.items()}
                for namespace, features in variant.items()
            }
            for label, variant in self.variants.items()
        }
        object.__setattr__(self, "variants", ordered)

    @property
    def specification(self) -> Specification:
        """The format that ``$schema`` names."""
        schema = schema_of(self.schema_url)
        return Specification.UNKNOWN if schema is None else schema.specification

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
        return replace(self, variants={label: self.variants[label]})

    def to_json(self) -> str:
        """Serialise canonically: keys and values sorted, ordered lists as they are.

        Optional keys that say nothing are left out, so equal metadata gives equal bytes.
        """
        document: dict[str, object] = {
            "$schema": self.schema_url,
            "default-priorities": {"namespace": list(self.namespaces)},
            "variants": self.variants,
        }
        if self.providers is not None:
            document["providers"] = {
                namespace: provider.to_document() for namespace, provider in self.providers.items()
            }
        return render(document)
