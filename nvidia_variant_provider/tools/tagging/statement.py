"""What a variant wheel is going to state, with the evidence: properties, label, lower bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import rules
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvidia_variant_provider.tools.tagging.claims import Claim

NAMESPACE: Final = NVIDIA_NAMESPACE
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound on the CUDA driver version, and where it comes from.

    ``is_unknown`` says that the code needs one and nothing tells which.
    """

    value: CudaVersion | None
    evidence: tuple[str, ...]
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """The features of the namespace ``nvidia`` to state, and how they came about.

    ``toolkit`` is the CUDA Toolkit version that the wheel was built with, if known, and
    ``alternatives`` are the bounds of its libraries if it has some for several CUDA majors.
    """

    features: dict[str, tuple[str, ...]]
    claims: tuple[Claim, ...] = ()
    bound: Bound = Bound(None, ())
    toolkit: CudaVersion | None = None
    alternatives: tuple[CudaVersion, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """A label that says what the build is for: ``cuda13.2``; "" if nothing tells."""
        if len(self.alternatives) > 1:
            return "cuda"
        version = self.toolkit or self.bound.value
        return f"cuda{version}" if version else ""

    def without_bound(self) -> Statement:
        """Return the same without a lower bound."""
        kept = {name: values for name, values in self.features.items() if name != LOWER_BOUND}
        return replace(self, features=kept, bound=Bound(None, ("none wanted",)))


def from_properties(texts: Sequence[str], bound: CudaVersion | None) -> Statement:
    """State ``nvidia::feature::value`` as given; raises ``InvalidValueError`` for unknown ones."""
    collected: dict[str, set[str]] = {}
    for text in texts:
        namespace, feature, value = _split(text)
        if namespace != NAMESPACE:
            raise InvalidValueError(
                f"{text[:_SHOWN]!r}: properties of {NAMESPACE} only; for ties there is --priority"
            )
        collected.setdefault(feature, set()).add(value)
    if bound is not None:
        collected.setdefault(LOWER_BOUND, set()).add(str(bound))
    features = {feature: tuple(sorted(values)) for feature, values in collected.items()}
    check_features(features)
    stated = next(iter(features.get(LOWER_BOUND, ())), None)
    given = Bound(CudaVersion.parse(stated), ("given",)) if stated else Bound(None, ())
    return Statement(features, bound=given)


def _split(text: str) -> tuple[str, str, str]:
    parts = [part.strip() for part in text.split("::")]
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - the parts of a property
        raise InvalidValueError(f"{text[:_SHOWN]!r}: expected 'nvidia :: sm_arch :: 90_real'")
    return parts[0], parts[1], parts[2]


def check_features(features: dict[str, tuple[str, ...]]) -> None:
    """Refuse what no provider knows: such a wheel would never be chosen."""
    known = {feature.name: feature for feature in rules.catalogue()}
    for name, values in features.items():
        if name not in known:
            raise InvalidValueError(f"{NAMESPACE} has no feature {name[:_SHOWN]!r}")
        if unknown := [value for value in values if value not in known[name].values]:
            raise InvalidValueError(f"{NAMESPACE} :: {name} has no value {unknown[0][:_SHOWN]!r}")
        if len(values) > 1 and not known[name].multi_value:
            raise InvalidValueError(f"{NAMESPACE} :: {name} takes one value, not {values}")
