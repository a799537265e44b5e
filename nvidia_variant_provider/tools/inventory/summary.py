"""What an inventory was understood to say: equal machines counted together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import FleetError, InvalidValueError
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
    errors: list[FleetError] = []
    invalid = 0
    for entry in entries:
        machine = entry if isinstance(entry, FleetError) else _known(entry, defaults)
        if isinstance(machine, FleetError) or isinstance(entry, FleetError):
            invalid += 1
            if isinstance(machine, FleetError) and len(errors) < MAX_NAMED:
                errors.append(machine)
            continue
        known, example = counts.get(machine, (0, entry.name))
        number = None if known is None or entry.machines is None else known + entry.machines
        counts[machine] = (number, example or entry.name)
        if len(counts) > MAX_KINDS:
            raise FleetError(entry.source, entry.where, "", "endless kinds", f"at most {MAX_KINDS}")
    machines = (Counted(machine, count, name) for machine, (count, name) in counts.items())
    return Summary(tuple(machines), invalid, tuple(errors))


def _known(entry: Entry, defaults: Defaults) -> KnownMachine | FleetError:
    try:
        return resolve(entry.machine, defaults)
    except InvalidValueError as error:
        return FleetError(entry.source, entry.where, entry.name, error.seen, error.expected)
