"""The GPUs that a target can name: products, chips and bare capabilities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import ComputeCapability
from nvidia_variant_provider.rules.catalogue import same_device
from nvidia_variant_provider.tables.driver_branches import BRANCHES, last_branch_for
from nvidia_variant_provider.tables.products import (
    CAPABILITIES,
    GENERATIONS,
    JETPACKS,
    PRODUCTS,
    CapabilityFacts,
    JetPack,
    Product,
    capability_of_chips,
)
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tables.names import NamedGpu

_CAPABILITY: Final = re.compile(
    r"(?:(?:sm|compute)[-_]?)?(?:(\d{2,3})|(\d{1,2}\.\d))[af]?", re.ASCII
)
_BOTH: Final = ("x86_64", "aarch64")


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU that a target names: its name and title, chip, capability, CPU architectures.

    ``chip`` is empty for a bare capability. The first CPU architecture is the one assumed.
    ``listed_from`` is the first driver branch whose list of names has the product, 0 if unknown.
    """

    name: str
    title: str
    chip: str
    capability: ComputeCapability
    architectures: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    listed_from: int = 0

    @property
    def facts(self) -> CapabilityFacts:
        """What is known of the capability."""
        return next(row for row in CAPABILITIES if row.capability == self.capability)

    @property
    def tegra(self) -> bool:
        """Whether the driver follows NVIDIA's numbering for Jetson."""
        return self.facts.tegra

    @property
    def first_branch(self) -> int | None:
        """The first driver branch that knows the chip and the product; ``None`` on Tegra."""
        if self.tegra:
            return None
        return max(self.chip_branch, self.listed_from)

    @property
    def chip_branch(self) -> int:
        """The first driver branch whose CUDA version can build for the chip."""
        return next(branch for branch, cuda in BRANCHES if cuda >= self.facts.first_toolkit)

    @property
    def last_branch(self) -> int | None:
        """The last driver branch for the device; ``None`` while it is current, and on Tegra."""
        return None if self.tegra else last_branch_for(self.capability)

    @property
    def jetpacks(self) -> tuple[JetPack, ...]:
        """The JetPack releases for the device, oldest first; empty off Tegra."""
        return tuple(row for row in JETPACKS if self.capability in row.capabilities)


def generation(capability: ComputeCapability) -> str:
    """Return NVIDIA's name of a capability's generation: ``"Hopper"`` for 9.0."""
    return next(name for first, name in reversed(GENERATIONS) if capability >= first)


def products() -> Iterator[Device]:
    """Yield every named product, in the order of the table."""
    return map(_product, PRODUCTS)


def _product(row: Product) -> Device:
    capability = capability_of_chips()[row.chip]
    listed = (row.architectures, row.aliases, row.first_branch)
    return Device(row.name, row.title, row.chip, capability, *listed)


def chips() -> Iterator[Device]:
    """Yield every chip, oldest capability first."""
    for name, capability in sorted(capability_of_chips().items(), key=lambda row: (row[1], row[0])):
        yield _chip(name, capability)


def find_device(text: str) -> Device:
    """Return the device of a product, chip or capability, in any spelling that people use.

    ``rtx-4090``, ``rtx4090``, ``NVIDIA H100 80GB HBM3``, ``a2-highgpu-1g``, ``gh100``, ``sm_90``,
    ``compute_90``, ``9.0``. Raises ``InvalidValueError`` with near names, or with all that an
    ambiguous name can mean.
    """
    name = re.sub(r"[ _]", "-", text.strip().lower())
    for device in (*products(), *chips()):
        if name == device.name or name in device.aliases:
            return device
    if match := _CAPABILITY.fullmatch(text.strip().lower()):
        number = ComputeCapability.from_number(int(match[1])) if match[1] else None
        return of_capability(number or ComputeCapability.parse(match[2]))
    return _by_name(text.strip())


def of_capability(capability: ComputeCapability) -> Device:
    """Return a device that is known by its capability alone; raises ``InvalidValueError``."""
    capability = same_device(capability)
    known = [row.capability for row in CAPABILITIES]
    if capability not in known:
        listed = ", ".join(map(str, known))
        raise InvalidValueError(f"no device has capability {capability}; known are {listed}")
    architectures = ("aarch64",) if _facts_of(capability).tegra else _BOTH
    name = f"sm_{capability.number}"
    return Device(name, name, "", capability, architectures)


def _by_name(text: str) -> Device:
    # The table of two thousand names is loaded only for a name that is not a target's own.
    from nvidia_variant_provider.tables.names import gpus_named

    gpus = gpus_named(text)
    if not gpus:
        raise InvalidValueError(f"there is no {text[:60]!r}{_nearest(text)}")
    if len(gpus) > 1:
        listed = ", ".join(f"{gpu.title} ({gpu.capability})" for gpu in gpus)
        raise InvalidValueError(f"{text[:60]!r} can mean {listed}; write the name out")
    return device_of(gpus[0])


def device_of(gpu: NamedGpu) -> Device:
    """Return the device of a GPU that was found by its name: a product of the table if it is one.

    A name that is no product makes a device of its own: ``RTX A5000`` is ``rtx-a5000``.
    """
    from nvidia_variant_provider.tables.names import name_key

    key = name_key(gpu.title)
    for row in PRODUCTS:
        # A laptop's GPU has the number of a desktop's and another chip.
        same = capability_of_chips()[row.chip] == gpu.capability
        same = same and not gpu.title.endswith("Laptop GPU")
        if same and key in {name_key(name) for name in (row.title, row.name, *row.aliases)}:
            return _product(row)
    if not gpu.chip:
        name = f"sm_{gpu.capability.number}"
        return Device(name, gpu.title, "", gpu.capability, _architectures(gpu))
    words = re.sub(r"^geforce |^tesla | gpu$", "", gpu.title.lower())
    name = re.sub(r"[^a-z0-9]+", "-", words).strip("-")
    architectures = _architectures(gpu)
    return Device(name, gpu.title, gpu.chip, gpu.capability, architectures, (), gpu.first_branch)


def _architectures(gpu: NamedGpu) -> tuple[str, ...]:
    return (
        ("aarch64",)
        if _facts_of(gpu.capability).tegra
        else _chip(gpu.chip, gpu.capability).architectures
    )


def _chip(name: str, capability: ComputeCapability) -> Device:
    sold = [row.architectures for row in PRODUCTS if row.chip == name]
    shared = tuple(cpu for cpu in _BOTH if any(cpu in row for row in sold)) or _BOTH
    return Device(name.lower(), f"chip {name}", name, capability, shared)


def _facts_of(capability: ComputeCapability) -> CapabilityFacts:
    return next(row for row in CAPABILITIES if row.capability == capability)


def _nearest(name: str) -> str:
    from nvidia_variant_provider.tables.names import near_names

    near = dict.fromkeys(
        gpu.chip.lower() if gpu.title == gpu.chip else device_of(gpu).name
        for gpu in near_names(name)
    )
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{hint} (all: nvidia-variant-provider targets)"
