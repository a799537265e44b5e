"""The catalogue of targets as a fleet: every product with every driver branch that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.tables.driver_branches import data_centre_branches
from nvidia_variant_provider.targets.devices import products
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine
from nvidia_variant_provider.tools.inventory.table import machine_of_target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.targets.devices import Device

BRANCHES: Final = data_centre_branches()
SOURCE: Final = "catalogue"


def target_entry(text: str) -> Entry:
    """Return the entry of one target, for example ``gh200@580``."""
    try:
        return Entry(machine_of_target(text), 1, text, "target", text)
    except InvalidValueError as error:
        raise FleetError("target", "", "", repr(text), f"a target: {error}") from error


def catalogue(branches: Sequence[int] = BRANCHES) -> Iterator[Entry]:
    """Yield an entry per product, driver branch that serves it, and CPU architecture of it."""
    for device in products():
        gpu = StatedGpu(device.name, str(device.capability), 1)
        for architecture in device.architectures:
            for driver, cuda in _drivers(device, branches):
                name = f"{device.name}@{driver}"
                stated = "" if cuda else driver
                machine = StatedMachine((gpu,), stated, cuda, architecture, "linux")
                yield Entry(machine, 1, name, SOURCE, name)


def _drivers(device: Device, branches: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Yield the drivers that serve a device, with the CUDA version where no branch tells it."""
    for jetpack in device.jetpacks:
        yield f"jetpack{jetpack.version}", str(jetpack.cuda)
    first, last = device.first_branch, device.last_branch
    for branch in branches:
        if first is not None and first <= branch and (last is None or branch <= last):
            yield str(branch), ""
