"""Lists of PCI devices: ``lspci -nn`` and ``lshw -json``. They know no driver release."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.inventory.machine import StatedGpu, StatedMachine, merged
from nvidia_variant_provider.tools.inventory.smi import capability_of_pci

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nvidia_variant_provider.tools.inventory.fields import Place
    from nvidia_variant_provider.tools.inventory.hosts import Line

# An address, then the class of a display controller: 0300 VGA, 0302 3D; 0403 is a GPU's audio
# function, 0680 an NVSwitch.
LSPCI: Final = re.compile(
    r"(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] (.+?)(?: \[([0-9a-f]{4})\])?: (.*)"
)
_DISPLAY: Final = frozenset({"VGA compatible controller", "3D controller", "Display controller"})
_ID: Final = re.compile(r"\[10de:([0-9a-f]{4})\]")
_USABLE: Final = frozenset({"", "nvidia"})


def lspci(rows: Iterable[Line]) -> StatedMachine:
    """Read ``lspci -nn``: the ids are trusted, as the names depend on the age of pci.ids."""
    gpus = []
    for _, line in rows:
        match = LSPCI.fullmatch(line.rstrip())
        if match is None or match[1] not in _DISPLAY or "NVIDIA" not in match[3]:
            continue
        number = _ID.search(match[3])
        name = re.sub(r"\s*(\[10de:.*|\(rev .*)$", "", match[3])
        name = name.removeprefix("NVIDIA Corporation ")
        if name == "Device" and number:
            name = f"10de:{number[1]}"
        gpus.append(StatedGpu(name, capability_of_pci(number[1]) if number else "", 1))
    return StatedMachine(merged(gpus))


def is_lshw(row: Mapping[str, object]) -> bool:
    """Whether a document is a device of ``lshw -json``."""
    return "class" in row and ("vendor" in row or "product" in row or "children" in row)


def lshw(place: Place, devices: Iterable[Mapping[str, object]]) -> StatedMachine:
    """Read the display devices of ``lshw -json``, with or without ``-C display``."""
    gpus, unusable = [], []
    waiting = list(devices)
    while waiting:
        device = waiting.pop(0)
        children = place.sequence(device.get("children"), "children")
        waiting += [child for child in children if isinstance(child, dict)]
        if device.get("class") != "display" or "NVIDIA" not in place.text(device, "vendor").upper():
            continue
        gpus.append(StatedGpu(place.text(device, "product"), "", 1))
        settings = place.mapping(device.get("configuration"), "configuration")
        unusable.append(place.text(settings, "driver"))
    wrong = [driver for driver in unusable if driver not in _USABLE]
    no_driver = (
        f"the kernel uses {wrong[0]} for the GPU" if wrong and len(wrong) == len(gpus) else ""
    )
    return StatedMachine(merged(gpus), no_driver=no_driver)
