"""The matrix of variants and machines: which variants every kind of machine takes, in order.

Pure: the release and the fleet have been read, the rules and the ordering are asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from nvidia_variant_provider.rules import DEFAULT_RULES, decide
from nvidia_variant_provider.tools.coverage.release import has_ordinary, labels_on
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL, Preferences
from nvidia_variant_provider.tools.metadata.uv import uv_skips

if TYPE_CHECKING:
    from nvidia_variant_provider.rules import Feature
    from nvidia_variant_provider.tools.coverage.fleet import Fleet, Group
    from nvidia_variant_provider.tools.coverage.kinds import Kind
    from nvidia_variant_provider.tools.metadata.ordering import Properties
    from nvidia_variant_provider.tools.releases.release import Release


class Ending(Enum):
    """What an installer ends at on a machine."""

    GPU = "gpu"
    OTHER = "other variant"
    NULL = "null"
    ORDINARY = "ordinary wheel"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Choice:
    """The wheel an installer takes: how it ends, and the label if that is one."""

    ending: Ending
    label: str = ""

    def __str__(self) -> str:
        return self.label or self.ending.value


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of machine: the labels it can install, best first, and what is chosen of them.

    ``through_view`` is what an installer that knows no variants chooses from a view of the index.
    """

    kind: Kind
    group: Group
    order: tuple[str, ...]
    choice: Choice
    through_view: Choice | None = None

    @property
    def is_hole(self) -> bool:
        """Whether a machine with a GPU gets a build that states nothing of NVIDIA."""
        return self.kind.has_gpu and self.choice.ending is not Ending.GPU


@dataclass(frozen=True, slots=True)
class Coverage:
    """The matrix of a release and a fleet under one rule set.

    ``skipped`` counts the entries of the inventory that could not be read. ``installer`` names the
    one that knows no variants, where the choices are such a one's.
    """

    release: Release
    rules: int
    rows: tuple[Row, ...]
    skipped: int = 0
    installer: str = ""

    @property
    def machines(self) -> int:
        """How many machines the rows stand for."""
        return sum(row.group.machines for row in self.rows)

    @property
    def holes(self) -> int:
        """How many machines have a GPU and get no build for it."""
        return sum(row.group.machines for row in self.rows if row.is_hole)

    @property
    def shares(self) -> dict[Choice, int]:
        """How many machines take each choice, the most frequent first."""
        counts: dict[Choice, int] = {}
        for row in self.rows:
            counts[row.choice] = counts.get(row.choice, 0) + row.group.machines
        ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
        return dict(ranked)


def cover(release: Release, fleet: Fleet, rules: int = DEFAULT_RULES) -> Coverage:
    """Work out what every kind of machine takes of a release; equal machines are asked once."""
    orders = _Orders(release, rules)
    rows = []
    for kind, group in fleet:
        order = orders.of(kind)
        rows.append(Row(kind, group, order, _choice(release, kind, order)))
    return Coverage(release, rules, tuple(rows), fleet.skipped)


def cover_plain(release: Release, fleet: Fleet, installer: str) -> Coverage:
    """Work out what an installer gets that knows no variants, today and through a view.

    Today is the wheel without a label, if there is one for the platform.
    """
    rows = []
    for row in cover(release, fleet).rows:
        kind = row.kind
        plain = has_ordinary(release, kind.system, kind.architecture)
        choice = Choice(Ending.ORDINARY if plain else Ending.NOTHING)
        rows.append(Row(kind, row.group, (), choice, row.choice))
    return Coverage(release, DEFAULT_RULES, tuple(rows), fleet.skipped, installer)


def preferences(release: Release, kind: Kind, rules: int) -> Preferences:
    """Return what the package and the rules prefer on a kind of machine."""
    return _preferences(release, offered(release, kind, rules))


def offered(release: Release, kind: Kind, rules: int) -> tuple[Feature, ...]:
    """Return the features of a kind; none where rule set 0, which is uv's, skips the provider."""
    provider = (release.strict.providers or {}).get(NVIDIA_NAMESPACE)
    if rules == 0 and provider is not None and uv_skips(provider):
        return ()
    return decide(kind.machine, rules).features


def _preferences(release: Release, features: tuple[Feature, ...]) -> Preferences:
    return release.strict.preferences({NVIDIA_NAMESPACE: features})


class _Orders:
    """Orders variants, once for all kinds that support the same features on one platform."""

    def __init__(self, release: Release, rules: int) -> None:
        self._release = release
        self._rules = rules
        self._features: dict[object, tuple[Feature, ...]] = {}
        self._all: dict[tuple[Feature, ...], tuple[str, ...]] = {}
        self._fitting: dict[tuple[tuple[Feature, ...], str, str], tuple[str, ...]] = {}

    def of(self, kind: Kind) -> tuple[str, ...]:
        """Return the labels that a kind of machine can install, best first."""
        driver_and_gpus = (kind.cuda, kind.capabilities)
        if driver_and_gpus not in self._features:
            self._features[driver_and_gpus] = offered(self._release, kind, self._rules)
        features = self._features[driver_and_gpus]
        where = (features, kind.system, kind.architecture)
        if where not in self._fitting:
            labels = labels_on(self._release, kind.system, kind.architecture)
            self._fitting[where] = tuple(
                label for label in self._ordered(features) if label in labels
            )
        return self._fitting[where]

    def _ordered(self, features: tuple[Feature, ...]) -> tuple[str, ...]:
        if features not in self._all:
            prefer = _preferences(self._release, features)
            self._all[features] = prefer.order(self._release.strict.variants)
        return self._all[features]


def _choice(release: Release, kind: Kind, order: tuple[str, ...]) -> Choice:
    if order:
        return Choice(_ending(order[0], release.strict.variants[order[0]]), order[0])
    if has_ordinary(release, kind.system, kind.architecture):
        return Choice(Ending.ORDINARY)
    return Choice(Ending.NOTHING)


def _ending(label: str, properties: Properties) -> Ending:
    if label == NULL_LABEL:
        return Ending.NULL
    return Ending.GPU if NVIDIA_NAMESPACE in properties else Ending.OTHER
