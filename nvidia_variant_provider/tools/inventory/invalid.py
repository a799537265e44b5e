"""Entries of an inventory that cannot be read: counted, and the first few named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from nvidia_variant_provider.errors import FleetError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nvidia_variant_provider.tools.inventory.machine import Entry, StatedMachine

_T = TypeVar("_T")


@dataclass(slots=True)
class InvalidEntries:
    """How many entries could not be read, and the first ``most`` of their errors."""

    most: int
    number: int = 0
    errors: list[FleetError] = field(default_factory=list)

    def others(
        self, entries: Iterable[Entry | FleetError], resolve: Callable[[StatedMachine], _T]
    ) -> Iterator[tuple[Entry, _T]]:
        """Yield each entry that can be read, with what its machine resolves to."""
        for entry in entries:
            known = entry if isinstance(entry, FleetError) else _resolved(entry, resolve)
            if isinstance(entry, FleetError) or isinstance(known, FleetError):
                self.number += 1
                if isinstance(known, FleetError) and len(self.errors) < self.most:
                    self.errors.append(known)
                continue
            yield entry, known


def _resolved(entry: Entry, resolve: Callable[[StatedMachine], _T]) -> _T | FleetError:
    try:
        return resolve(entry.machine)
    except InvalidValueError as error:
        return FleetError(
            entry.source, entry.where, entry.name, error.seen, error.expected, error.hint
        )
