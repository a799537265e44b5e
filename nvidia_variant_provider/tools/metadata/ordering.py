"""The order in which PEP 825 prefers the variants of one release, best first.

Pure: the namespaces come from the package, the features and values from the providers, and no
one is asked here. A wheel is named by its variant label; the wheel without one is ``None``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, TypeAlias

from nvidia_variant_provider.errors import InvalidValueError

Properties: TypeAlias = Mapping[str, Mapping[str, Collection[str]]]
"""What one variant states: namespace to feature to values; empty for the null variant."""

NULL_LABEL: Final = "null"


class Offer(Protocol):
    """A supported feature with its supported values, most preferred first."""

    @property
    def name(self) -> str:
        """The feature's name, for example ``sm_arch``."""

    @property
    def values(self) -> Sequence[str]:
        """The values, for example ``("90_real", "80_real")``."""


class Place(NamedTuple):
    """Where one feature of a variant stands: three positions, 0 is best, and the property."""

    namespace_index: int
    feature_index: int
    value_index: int
    namespace: str
    feature: str
    value: str


class Unmet(NamedTuple):
    """A feature none of whose values is supported: it makes its variant incompatible."""

    namespace: str
    feature: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a package and its providers prefer: namespaces, features and values, best first."""

    namespaces: tuple[str, ...]
    _places: Mapping[tuple[str, str], Mapping[str, Place]] = field(repr=False)

    @classmethod
    def build(cls, namespaces: Sequence[str], offers: Mapping[str, Sequence[Offer]]) -> Preferences:
        """Combine the package's namespace order with each namespace's supported features.

        A namespace that is missing in ``offers`` supports nothing; one that is missing in
        ``namespaces`` is not used. Raises ``InvalidValueError`` for a repeated name or value.
        """
        places: dict[tuple[str, str], dict[str, Place]] = {}
        _refuse_repetition("namespace", namespaces)
        for namespace_index, namespace in enumerate(namespaces):
            features = offers.get(namespace, ())
            _refuse_repetition(f"feature of {namespace}", [offer.name for offer in features])
            for feature_index, offer in enumerate(features):
                _refuse_repetition(f"value of {namespace} :: {offer.name}", offer.values)
                places[namespace, offer.name] = {
                    value: Place(
                        namespace_index, feature_index, value_index, namespace, offer.name, value
                    )
                    for value_index, value in enumerate(offer.values)
                }
        return cls(tuple(namespaces), places)

    def places(self, properties: Properties) -> tuple[Place, ...]:
        """Return the best place of each feature that is supported, best feature first."""
        best = []
        for namespace, features in properties.items():
            for feature, values in features.items():
                known = self._places.get((namespace, feature), {})
                if supported := [known[value] for value in values if value in known]:
                    best.append(min(supported))
        return tuple(sorted(best))

    def unmet(self, properties: Properties) -> tuple[Unmet, ...]:
        """Return the features without a supported value; a compatible variant has none."""
        return tuple(
            Unmet(namespace, feature, tuple(sorted(values)))
            for namespace, features in sorted(properties.items())
            for feature, values in sorted(features.items())
            if self._places.get((namespace, feature), {}).keys().isdisjoint(values)
        )

    def is_compatible(self, properties: Properties) -> bool:
        """Tell whether every feature has at least one supported value."""
        return not self.unmet(properties)

    def order(self, variants: Mapping[str, Properties]) -> tuple[str, ...]:
        """Return the labels of the compatible variants, best first; the null variant is last."""
        compatible = [label for label, stated in variants.items() if self.is_compatible(stated)]
        compatible.sort(key=lambda label: (self._key(variants[label]), label))
        return tuple(compatible)

    def order_wheels(self, variants: Mapping[str, Properties]) -> tuple[str | None, ...]:
        """Return the labels likewise and then ``None``: the wheel that is no variant."""
        return (*self.order(variants), None)

    def deciding(self, winner: Properties, loser: Properties) -> Place | None:
        """Return the winner's place that the loser cannot match; ``None`` if labels decided."""
        other = self.places(loser)
        for index, place in enumerate(self.places(winner)):
            if index >= len(other) or place < other[index]:
                return place
        return None

    def _key(self, properties: Properties) -> tuple[tuple[int, ...], ...]:
        # When one list of places is the start of the other, the longer one is preferred, and an
        # empty one (the null variant) comes last: an end that is worse than every place does both.
        end = (len(self.namespaces),)
        return (*(place[:3] for place in self.places(properties)), end)


def _refuse_repetition(what: str, names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        repeated = next(name for index, name in enumerate(names) if name in names[:index])
        raise InvalidValueError(f"repeated {what}: {repeated!r}; expected each one once")
