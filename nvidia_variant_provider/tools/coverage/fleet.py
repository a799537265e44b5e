"""A fleet: kinds of machines and how many there are of each. Counting is associative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.tools.coverage.kinds import NO_DEFAULTS, Defaults, Facts, Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# A fleet has a few hundred kinds; a list in which every line is another one is no fleet, and
# would fill the memory.
MAX_KINDS: Final = 20_000
MAX_COUNT: Final = 10**9


class Record(NamedTuple):
    """One record of a list: what it says, how many machines it stands for, where it was."""

    facts: Facts
    machines: int
    name: str
    source: str
    where: str


class Group(NamedTuple):
    """How many machines are of a kind, and the name of one of them."""

    machines: int
    example: str

    def __or__(self, other: Group) -> Group:
        """Combine two groups of one kind; of the two names the first in the alphabet stays."""
        named = sorted(name for name in (self.example, other.example) if name)
        return Group(self.machines + other.machines, named[0] if named else "")


@dataclass(frozen=True, slots=True)
class Fleet:
    """Kinds of machines, each with its group. ``a | b`` counts both; the order is irrelevant."""

    groups: Mapping[Kind, Group]

    @property
    def machines(self) -> int:
        """How many machines there are."""
        return sum(group.machines for group in self.groups.values())

    def __or__(self, other: Fleet) -> Fleet:
        """Count both fleets together; raises ``FleetError`` beyond ``MAX_KINDS`` kinds."""
        groups = dict(self.groups)
        for kind, group in other.groups.items():
            groups[kind] = groups[kind] | group if kind in groups else group
        _bound(groups, "merged fleets", "")
        return Fleet(groups)

    def __iter__(self) -> Iterator[tuple[Kind, Group]]:
        """Yield kinds and groups, newest device first."""
        return iter(sorted(self.groups.items(), key=lambda row: row[0].sort_key))


EMPTY: Final = Fleet({})


def tally(records: Iterable[Record], defaults: Defaults = NO_DEFAULTS) -> Fleet:
    """Count records by kind, without keeping them.

    Raises ``FleetError`` naming the record whose text is malformed, and for a list with more
    than ``MAX_KINDS`` kinds.
    """
    groups: dict[Kind, Group] = {}
    for record in records:
        try:
            kind = kind_of(record.facts, defaults)
        except InvalidValueError as error:
            parts = (error.seen, error.expected)
            raise FleetError(record.source, record.where, record.name, *parts) from error
        group = Group(record.machines, record.name)
        known = groups.get(kind)
        groups[kind] = group if known is None else known | group
        if known is None:
            _bound(groups, record.source, record.where)
    return Fleet(groups)


def _bound(groups: Mapping[Kind, Group], source: str, where: str) -> None:
    if len(groups) > MAX_KINDS:
        raise FleetError(
            source, where, "", f"{len(groups)} kinds of machines", f"at most {MAX_KINDS}"
        )
