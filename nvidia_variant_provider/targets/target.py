"""Machines by name: ``gh200@580`` is a Grace Hopper with driver branch R580.

A target is ``NAME[+NAME...][@DRIVER]``. NAME is a product (``l40s``), a chip (``gh100``) or a
compute capability (``sm_90``, ``9.0``); DRIVER a driver branch (``580``), a driver release
(``580.65.06``), a CUDA driver version (``cuda13.2``) or, on Jetson, a JetPack release
(``jetpack6``) or Jetson Linux (``36.4.3``). Without DRIVER it is R580, or the nearest driver branch
that supports the device; on Jetson the newest JetPack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Gpu, Machine, Note, Platform, Status
from nvidia_variant_provider.targets.devices import Device, find_device
from nvidia_variant_provider.targets.drivers import Driver, assumed_driver, ordinary_driver
from nvidia_variant_provider.targets.jetson import assumed_jetpack, tegra_driver
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

# The code of the note that a driver was assumed; docs/status.md describes it.
ASSUMED: Final = "target-driver"

FORM: Final = "a target such as 'gh200@580', 'sm_90@cuda12.8' or 'a10+t4'"
MAX_LENGTH: Final = 400
MAX_GPUS: Final = 16


@dataclass(frozen=True, slots=True)
class Target:
    """A machine by name: its devices, the driver, and the text it was read from."""

    text: str
    devices: tuple[Device, ...]
    driver: Driver

    @property
    def architectures(self) -> tuple[str, ...]:
        """The CPU architectures that all devices share, the assumed one first."""
        shared = [device.architectures for device in self.devices[1:]]
        return tuple(
            name
            for name in self.devices[0].architectures
            if all(name in supported for supported in shared)
        )

    def machine(self) -> Machine:
        """Return the machine, with status ``pinned``."""
        driver = self.driver
        return Machine(
            platform=Platform("linux", self.architectures[0], "glibc"),
            status=Status.PINNED,
            reason=f"target {self.text}: {driver.words}",
            driver_release=driver.release,
            driver_source="target" if driver.release else "",
            cuda=driver.cuda,
            cuda_source=f"target, {driver.words}",
            gpus=tuple(
                Gpu(
                    device.title,
                    capability=device.capability,
                    integrated=device.tegra or device.chip == "GB20B",
                    source="target",
                )
                for device in self.devices
            ),
            tegra=self.devices[0].tegra,
            notes=tuple(_notes(driver)),
        )


def _notes(driver: Driver) -> Iterator[Note]:
    if driver.assumed:
        yield Note("target-driver", driver.assumed)
    if driver.warning:
        yield Note("unknown-branch", driver.warning)


def default_driver(device: Device) -> Driver | None:
    """Return the driver assumed where none is named; ``None`` if one has to be."""
    if not device.tegra:
        return assumed_driver((device,))
    return assumed_jetpack(device) if device.jetpacks else None


def parse_target(text: str) -> Target:
    """Read a target.

    Raises ``InvalidValueError`` for an unknown name, and for a driver that does not support the
    device, with the reason.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidValueError(f"{len(text)} characters, expected {FORM}")
    names, at, driver = text.strip().partition("@")
    parts = names.split("+")
    if len(parts) > MAX_GPUS:
        raise InvalidValueError(f"{len(parts)} GPUs, expected at most {MAX_GPUS}")
    if not all(part.strip() for part in parts) or (at and not driver):
        raise InvalidValueError(f"expected {FORM}")
    devices = tuple(find_device(part) for part in parts)
    if len({(device.tegra, device.capability if device.tegra else None) for device in devices}) > 1:
        raise InvalidValueError("a Jetson's GPU and another one cannot share a machine")
    chosen = (
        tegra_driver(devices[0], driver) if devices[0].tegra else ordinary_driver(devices, driver)
    )
    target = Target(text.strip(), devices, chosen)
    if not target.architectures:
        sold = "; ".join(f"{device.name}: {', '.join(device.architectures)}" for device in devices)
        raise InvalidValueError(f"no CPU architecture takes all of these GPUs ({sold})")
    return target
