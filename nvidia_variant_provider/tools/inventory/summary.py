"""What an inventory was understood to say: equal machines counted together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.inventory.invalid import InvalidEntries
from nvidia_variant_provider.tools.inventory.resolve import NO_DEFAULTS, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.inventory.machine import Entry
    from nvidia_variant_provider.tools.inventory.resolve import Defaults, KnownMachine

MAX_KINDS: Final = 20_000
# So many bad entries are named.
MAX_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Counted:
    """Equal machines: how many (``None``: a type, of which no number is told), one's name."""

    machine: KnownMachine
    count: int | None
    example: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The machines of an inventory, and the entries that could not be read."""

    machines: tuple[Counted, ...]
    invalid: int = 0
    errors: tuple[FleetError, ...] = ()


def summarise(entries: Iterable[Entry | FleetError], defaults: Defaults = NO_DEFAULTS) -> Summary:
    """Count equal machines in the order in which they come first."""
    counts: dict[KnownMachine, tuple[int | None, str]] = {}
    invalid = InvalidEntries(MAX_NAMED)
    for entry, machine in invalid.others(entries, lambda stated: resolve(stated, defaults)):
        known, example = counts.get(machine, (0, entry.name))
        number = None if known is None or entry.machines is None else known + entry.machines
        counts[machine] = (number, example or entry.name)
        if len(counts) > MAX_KINDS:
            raise FleetError(entry.source, entry.where, "", "endless kinds", f"at most {MAX_KINDS}")
    machines = (Counted(machine, count, name) for machine, (count, name) in counts.items())
    return Summary(tuple(machines), invalid.number, tuple(invalid.errors))
