"""Why a kind of machine takes a variant, prefers it to the next one, or refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nvidia_variant_provider.rules import judge
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH
from nvidia_variant_provider.tools.coverage.matrix import Ending, offered, preferences
from nvidia_variant_provider.tools.coverage.release import labels_on
from nvidia_variant_provider.tools.explain.words import nearest_value, say_archs
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE
from nvidia_variant_provider.tools.metadata.uv import uv_skips

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.coverage.kinds import Kind
    from nvidia_variant_provider.tools.coverage.matrix import Coverage, Row
    from nvidia_variant_provider.tools.metadata.ordering import Preferences, Unmet


class Refusal(NamedTuple):
    """A build that a machine does not get, and the features that keep it from it."""

    label: str
    features: tuple[str, ...]


class Reasons:
    """Words for one matrix; what equal machines share is worked out once."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._release = coverage.release
        self._preferences: dict[object, Preferences] = {}
        self._refusals: dict[object, str] = {}

    def choice(self, row: Row) -> str:
        """Say why a row's choice is made: what decides against the next, or why it is a hole."""
        if self._coverage.installer:
            return _plain_words(self._coverage.installer, row)
        if row.is_hole:
            return self._hole(row)
        if not row.order:
            return "no variant has a wheel for this platform"
        if len(row.order) == 1:
            return f"{row.order[0]} is the only variant that this machine can install"
        first, second = row.order[:2]
        variants = self._release.strict.variants
        place = self._of(row.kind).deciding(variants[first], variants[second])
        if place is None:
            return f"{first} before {second} by its label alone: they state the same"
        stated = f"{place.namespace} :: {place.feature} :: {place.value}"
        return f"{first} before {second}: {stated} is preferred"

    def refusal(self, kind: Kind, label: str) -> str:
        """Say why a kind of machine cannot install a label, naming the property that decides."""
        if label not in labels_on(self._release, kind.system, kind.architecture):
            return f"no wheel for {kind.system} {kind.architecture}"
        key = (kind.cuda, kind.capabilities, kind.reason, kind.unknown, label)
        if key not in self._refusals:
            unmet = self._of(kind).unmet(self._release.strict.variants[label])
            self._refusals[key] = "; ".join(self._unmet(kind, missed) for missed in unmet)
        return self._refusals[key]

    def refusals(self, row: Row) -> dict[str, str]:
        """Return every label that a row's kind refuses, with the reason."""
        taken = set(row.order)
        return {
            label: self.refusal(row.kind, label)
            for label in self._release.strict.variants
            if label not in taken
        }

    def nearest(self, kind: Kind) -> Refusal | None:
        """Return the build for NVIDIA GPUs that lacks the fewest features on a kind of machine.

        Of equals it is one that only a driver keeps away, as that can be mended, and then the
        first label. ``None`` if no such build has a wheel for the platform.
        """
        variants = self._release.strict.variants
        labels = labels_on(self._release, kind.system, kind.architecture)
        refused = [
            Refusal(label, tuple(unmet.feature for unmet in self._of(kind).unmet(variants[label])))
            for label in sorted(labels)
            if NVIDIA_NAMESPACE in variants[label]
        ]
        return min(
            refused,
            key=lambda refusal: (len(refusal.features), SM_ARCH in refusal.features),
            default=None,
        )

    def _hole(self, row: Row) -> str:
        nearest = self.nearest(row.kind)
        if nearest is None:
            return f"no build for NVIDIA GPUs on {row.kind.system} {row.kind.architecture}"
        if not nearest.features:
            return f"{row.choice} is preferred to {nearest.label}"
        return f"the nearest build is {nearest.label}: {self.refusal(row.kind, nearest.label)}"

    def _unmet(self, kind: Kind, unmet: Unmet) -> str:
        if unmet.namespace != NVIDIA_NAMESPACE:
            return f"{unmet.namespace} :: {unmet.feature}: no provider answers for it"
        provider = (self._release.strict.providers or {}).get(NVIDIA_NAMESPACE)
        skipped = uv_skips(provider) if provider and self._coverage.rules == 0 else None
        if skipped:
            return f"uv skips the provider: {skipped}"
        if not offered(self._release, kind, self._coverage.rules):
            return self._judged(kind, unmet)
        if unmet.feature == SM_ARCH and kind.known_capabilities:
            shown = ", ".join(str(capability) for capability in kind.known_capabilities)
            return f"sm_arch: has {say_archs(unmet.values)}, this GPU is {shown}"
        if unmet.feature == SM_ARCH and kind.unknown:
            return kind.unknown
        return self._judged(kind, unmet)

    def _judged(self, kind: Kind, unmet: Unmet) -> str:
        reason = judge(
            kind.machine, unmet.feature, nearest_value(unmet), self._coverage.rules
        ).reason
        branch = f" (driver branch {kind.driver})" if kind.driver else ""
        return reason + (branch if unmet.feature == LOWER_BOUND and kind.cuda else "")

    def _of(self, kind: Kind) -> Preferences:
        key = (kind.cuda, kind.capabilities)
        if key not in self._preferences:
            self._preferences[key] = preferences(self._release, kind, self._coverage.rules)
        return self._preferences[key]


def _plain_words(installer: str, row: Row) -> str:
    """Say what an installer does that knows no variants."""
    got = (
        "takes the wheel without a label"
        if row.choice.ending is Ending.ORDINARY
        else ("finds no wheel without a label for this platform")
    )
    return f"{installer} knows no variants and {got}; through a view {row.through_view}"
