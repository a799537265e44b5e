"""From a PCI device id to the chip and its compute capability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.model import ComputeCapability
from nvidia_variant_provider.tables.pci_ids import BLOCKS, CHIPS
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Chip:
    """A GPU chip: its code name, compute capability, and whether it shares the CPU's package."""

    name: str
    capability: ComputeCapability
    integrated: bool


def chip_of(device_id: int) -> Chip | None:
    """Return the chip behind a PCI device id of vendor 10de: 0x2330 is GH100; else ``None``.

    An id that is not listed but lies in a range that holds one chip only counts as that chip.
    """
    wanted = f"{device_id:04x}"
    for name in CHIPS:
        if wanted in CHIPS[name][2].split():
            return _chip(name)
    for first, last, name in BLOCKS:
        if first <= device_id <= last:
            return _chip(name)
    return None


def all_chips() -> Iterator[Chip]:
    """Yield every chip of the table, oldest first."""
    return (_chip(name) for name in CHIPS)


def _chip(name: str) -> Chip:
    capability, integrated, _ = CHIPS[name]
    return Chip(name, ComputeCapability.parse(capability), integrated)
