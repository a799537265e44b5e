"""The driver of a Jetson: JetPack, by its number, Jetson Linux, driver release or CUDA."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.targets.drivers import Driver, named_driver

if TYPE_CHECKING:
    from nvidia_variant_provider.tables.products import JetPack
    from nvidia_variant_provider.targets.devices import Device

_CUDA: Final = re.compile(r"cuda-?\d.*|1\d\.\d{1,2}", re.ASCII)
_JETPACK: Final = re.compile(r"jetpack-?(\d{1,2}(?:\.\d{1,2}){0,2})", re.ASCII)
# Jetson Linux, also called L4T, "36.4.3" or "R36.4.3", and driver releases, "540.4.0".
_NUMBERS: Final = re.compile(r"(?:l4t-?|r)?(\d{2,3}(?:\.\d{1,3}){0,2})", re.ASCII)


def tegra_driver(device: Device, text: str) -> Driver:
    """Return the driver of a Jetson, whose releases are numbered in their own way.

    Raises ``InvalidValueError`` for one that the device does not take.
    """
    text = text.strip().lower()
    if not text:
        return assumed_jetpack(device)
    if _CUDA.fullmatch(text):
        return _named_cuda(device, text)
    driver = _named_jetpack(device, text) or _numbered(device, text)
    if driver is None:
        takes = _listed(device)
        raise InvalidValueError(f"{device.name} does not take {text[:60]!r}; it takes {takes}")
    return driver


def assumed_jetpack(device: Device) -> Driver:
    """Return the newest JetPack for a device; raises ``InvalidValueError`` where none is known."""
    served = device.jetpacks
    if not served:
        raise InvalidValueError(f"{device.name} needs a CUDA version: {device.name}@cuda13.0")
    row, words = served[-1], f"JetPack {served[-1].version}"
    assumption = f"no driver was named: {words} (CUDA {row.cuda}) is assumed, the newest"
    assumption += "".join(
        f"; for an older one, name it: {device.name}@jetpack{older.version}"
        for older in served[-2:-1]
    )
    return Driver(row.cuda, words, assumed=assumption)


def _named_cuda(device: Device, text: str) -> Driver:
    driver = named_driver(text, device.name)
    first = device.facts.first_toolkit
    if driver.cuda < first:
        raise InvalidValueError(
            f"{driver.words} is too old: {device.name} begins with CUDA {first}"
        )
    return driver


def _named_jetpack(device: Device, text: str) -> Driver | None:
    """Read ``jetpack6``, which is the newest 6.x, or ``jetpack6.2.1``, which is a 6.2."""
    match = _JETPACK.fullmatch(text)
    wanted = _numbers(match[1]) if match else ()
    served = [row for row in device.jetpacks if _agree(_numbers(row.version), wanted)]
    if match is None or not served:
        return None
    return Driver(served[-1].cuda, f"JetPack {max(match[1], served[-1].version, key=len)}")


def _numbered(device: Device, text: str) -> Driver | None:
    """Read a release of Jetson Linux or of its driver."""
    match = _NUMBERS.fullmatch(text)
    if match is None:
        return None
    numbers = _numbers(match[1])
    if row := _by_linux(device, numbers):
        return Driver(row.cuda, f"JetPack {row.version}, Jetson Linux {match[1]}")
    if row := _by_driver(device, numbers):
        return Driver(row.cuda, f"JetPack {row.version}, driver {match[1]}")
    return None


def _by_linux(device: Device, wanted: tuple[int, ...]) -> JetPack | None:
    """Return the newest JetPack that begins no later than a release of Jetson Linux."""
    served = [row for row in device.jetpacks if _numbers(row.linux)[:1] == wanted[:1]]
    if len(wanted) > 1:
        served = [row for row in served if _numbers(row.linux) <= wanted]
    return served[-1] if served else None


def _by_driver(device: Device, wanted: tuple[int, ...]) -> JetPack | None:
    served = [row for row in device.jetpacks if row.driver and _agree(_numbers(row.driver), wanted)]
    return served[-1] if served else None


def _agree(known: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    shared = min(len(known), len(wanted))
    return known[:shared] == wanted[:shared]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _listed(device: Device) -> str:
    served = [f"jetpack{row.version}" for row in device.jetpacks]
    linux = [f"Jetson Linux: {device.jetpacks[-1].linux}"] if served else []
    return ", ".join([*served, *linux, "a CUDA version: cuda13.0"])
