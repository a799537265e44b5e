"""The results of the rules: a verdict on one property, the features of a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Note


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one property is supported, and the reason in words a user can act on."""

    supported: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature with its supported values, the most preferred first; never empty."""

    name: str
    values: tuple[str, ...]
    multi_value: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The features a machine supports, the most preferred first, and remarks on how it came."""

    features: tuple[Feature, ...]
    notes: tuple[Note, ...] = ()

    def values(self, name: str) -> tuple[str, ...]:
        """Return the values of a feature, the most preferred first; empty if it is left out."""
        return next((feature.values for feature in self.features if feature.name == name), ())
