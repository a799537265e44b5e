"""The metadata of one variant wheel that we write: its label, its properties, who answers.

What is written here needs no reader of foreign files to check it: labels are checked with the file
name, values against the catalogue. Tests hold the text to that reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.metadata.document import (
    NVIDIA_ENDPOINT,
    NVIDIA_NAMESPACE,
    NVIDIA_REQUIREMENT,
    SCHEMA_850,
    render,
)
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIORITY_NAMESPACE: Final = "priority"
PRIORITY_FEATURE: Final = "order"
PRIORITIES: Final = tuple(str(number) for number in range(1, 10))

NVIDIA_ENTRY: Final = {"requires": [NVIDIA_REQUIREMENT], "plugin-api": NVIDIA_ENDPOINT}
_PRIORITY_ENTRY: Final = {"static-properties": {PRIORITY_FEATURE: list(PRIORITIES)}}


@dataclass(frozen=True, slots=True)
class WheelVariant:
    """One variant: namespace to feature to values, most important namespace first.

    ``providers`` has an entry for every namespace of the release, used by this variant or not.
    """

    label: str
    properties: Mapping[str, Mapping[str, tuple[str, ...]]]
    providers: Mapping[str, Mapping[str, object]]

    @property
    def variants(self) -> dict[str, Mapping[str, Mapping[str, tuple[str, ...]]]]:
        """The properties under the label, as metadata files have them."""
        return {self.label: self.properties}

    def to_json(self) -> str:
        """Return the text of ``variant.json``."""
        stated = {
            namespace: {feature: sorted(values) for feature, values in features.items()}
            for namespace, features in self.properties.items()
        }
        return render(
            {
                "$schema": SCHEMA_850,
                "default-priorities": {"namespace": list(self.providers)},
                "providers": self.providers,
                "variants": {self.label: stated},
            }
        )


def build_variant(
    label: str, features: Mapping[str, tuple[str, ...]], priority: int | None = None
) -> WheelVariant:
    """Return the metadata of one variant; with no features that of the null variant.

    All variants of a release, null included, name the same provider of ``nvidia``. ``priority``
    adds a namespace with fixed values, the least significant one, that breaks ties: 1 wins.
    """
    if bool(features) == (label == NULL_LABEL):
        raise InvalidValueError(f"the label {NULL_LABEL!r} is for the variant without properties")
    properties = {NVIDIA_NAMESPACE: dict(features)} if features else {}
    providers: dict[str, Mapping[str, object]] = {NVIDIA_NAMESPACE: NVIDIA_ENTRY}
    if priority is not None:
        if str(priority) not in PRIORITIES or not features:
            raise InvalidValueError(
                f"a priority is {PRIORITIES[0]} to {PRIORITIES[-1]}, and not of the null variant"
            )
        providers[PRIORITY_NAMESPACE] = _PRIORITY_ENTRY
        properties[PRIORITY_NAMESPACE] = {PRIORITY_FEATURE: (str(priority),)}
    return WheelVariant(label, properties, providers)
