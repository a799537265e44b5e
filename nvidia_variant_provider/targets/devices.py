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
    capability_of_chips,
)
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_CAPABILITY: Final = re.compile(r"sm-(\d{2,3})|(\d{1,2}\.\d)", re.ASCII)
_NEAREST: Final = 4
_BOTH: Final = ("x86_64", "aarch64")


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU that a target names: its name and title, chip, capability, CPU architectures.

    ``chip`` is empty for a bare capability. The first CPU architecture is the one assumed.
    """

    name: str
    title: str
    chip: str
    capability: ComputeCapability
    architectures: tuple[str, ...]
    aliases: tuple[str, ...] = ()

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
        """The first driver branch whose CUDA version knows the device; ``None`` on Tegra."""
        if self.tegra:
            return None
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
    for row in PRODUCTS:
        yield Device(
            row.name,
            row.title,
            row.chip,
            capability_of_chips()[row.chip],
            row.architectures,
            row.aliases,
        )


def chips() -> Iterator[Device]:
    """Yield every chip, oldest capability first."""
    for name, capability in sorted(capability_of_chips().items(), key=lambda row: (row[1], row[0])):
        sold = [row.architectures for row in PRODUCTS if row.chip == name]
        shared = tuple(it for it in _BOTH if any(it in row for row in sold)) or _BOTH
        yield Device(name.lower(), f"chip {name}", name, capability, shared)


def find_device(text: str) -> Device:
    """Return the device of a product, chip or capability; ``InvalidValueError`` with near names."""
    name = re.sub(r"[ _]", "-", text.strip().lower())
    for device in (*products(), *chips()):
        if name == device.name or name in device.aliases:
            return device
    match = _CAPABILITY.fullmatch(name)
    if match is None:
        raise InvalidValueError(f"there is no {text.strip()[:60]!r}{_nearest(name)}")
    number = ComputeCapability.from_number(int(match[1])) if match[1] else None
    capability = same_device(number or ComputeCapability.parse(match[2]))
    known = [row.capability for row in CAPABILITIES]
    if capability not in known:
        listed = ", ".join(map(str, known))
        raise InvalidValueError(f"no device has capability {capability}; known are {listed}")
    architectures = ("aarch64",) if _facts_of(capability).tegra else _BOTH
    return Device(
        f"sm_{capability.number}", f"sm_{capability.number}", "", capability, architectures
    )


def _facts_of(capability: ComputeCapability) -> CapabilityFacts:
    return next(row for row in CAPABILITIES if row.capability == capability)


def _nearest(name: str) -> str:
    import difflib

    named = [known for it in products() for known in (it.name, *it.aliases)]
    near = difflib.get_close_matches(name, named, n=_NEAREST)
    near += difflib.get_close_matches(name, [it.name for it in chips()], n=_NEAREST - 2)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{hint} (all: nvidia-variant-provider targets)"
