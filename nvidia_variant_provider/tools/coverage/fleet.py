"""A fleet: kinds of machines and how many there are of each. Counting is associative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.tools.coverage.kinds import Kind, kind_of
from nvidia_variant_provider.tools.inventory.invalid import InvalidEntries
from nvidia_variant_provider.tools.inventory.resolve import NO_DEFAULTS, Defaults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nvidia_variant_provider.tools.inventory.machine import Entry

# A fleet has a few hundred kinds; a list in which every line is another one is no fleet, and
# would fill the memory.
MAX_KINDS: Final = 20_000
# So many bad entries are named in an error.
MAX_NAMED: Final = 5


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
    """Kinds of machines, each with its group. ``a | b`` counts both; the order is irrelevant.

    ``skipped`` counts the entries that could not be read, where the caller goes on without them.
    """

    groups: Mapping[Kind, Group]
    skipped: int = 0

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
        return Fleet(groups, self.skipped + other.skipped)

    def __iter__(self) -> Iterator[tuple[Kind, Group]]:
        """Yield kinds and groups, newest device first."""
        return iter(sorted(self.groups.items(), key=lambda row: row[0].sort_key))


EMPTY: Final = Fleet({})


class InvalidEntriesError(InvalidValueError):
    """Entries of an inventory cannot be read; the message names the first few, one line in all."""

    def __init__(self, errors: Iterable[FleetError], number: int) -> None:
        self.number = number
        named = "; ".join(map(str, errors))
        more = f"; and {number - MAX_NAMED} more" if number > MAX_NAMED else ""
        super().__init__(f"{named}{more}", hint="--skip-invalid leaves such entries out")


def tally(
    entries: Iterable[Entry | FleetError],
    defaults: Defaults = NO_DEFAULTS,
    *,
    skip_invalid: bool = False,
) -> Fleet:
    """Count entries by kind, without keeping them.

    Raises ``InvalidEntriesError`` naming those that cannot be read, unless they are skipped, and
    ``FleetError`` for an inventory with more than ``MAX_KINDS`` kinds.
    """
    groups: dict[Kind, Group] = {}
    invalid = InvalidEntries(MAX_NAMED)
    for entry, kind in invalid.others(entries, lambda machine: kind_of(machine, defaults)):
        # A list of machine types tells no numbers: each type counts once.
        group = Group(1 if entry.machines is None else entry.machines, entry.name)
        known = groups.get(kind)
        groups[kind] = group if known is None else known | group
        if known is None:
            _bound(groups, entry.source, entry.where)
    if invalid.number and not skip_invalid:
        raise InvalidEntriesError(invalid.errors, invalid.number)
    return Fleet(groups, invalid.number)


def _bound(groups: Mapping[Kind, Group], source: str, where: str) -> None:
    if len(groups) > MAX_KINDS:
        raise FleetError(
            source, where, "", f"{len(groups)} kinds of machines", f"at most {MAX_KINDS}"
        )
