"""Machines by name: ``gh200@580`` is a Grace Hopper with driver branch R580.

A target is ``NAME[+NAME...][@DRIVER]``. NAME is a product (``l40s``), a chip (``gh100``) or a
compute capability (``sm_90``, ``9.0``); DRIVER a driver branch (``580``), a driver release
(``580.65.06``), a CUDA driver version (``cuda13.2``) or, on Jetson, a JetPack release
(``jetpack6``). Without DRIVER it is the oldest driver branch that supports the device.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    DriverRelease,
    Gpu,
    Machine,
    Note,
    Platform,
    Status,
)
from nvidia_variant_provider.rules.catalogue import OLDEST_CUDA, same_device
from nvidia_variant_provider.tables.driver_branches import (
    BRANCHES,
    cuda_of_branch,
    last_branch_for,
)
from nvidia_variant_provider.tables.products import (
    CAPABILITIES,
    CHIPS_OFF_PCI,
    GENERATIONS,
    JETPACKS,
    PRODUCTS,
    CapabilityFacts,
    JetPack,
)
from nvidia_variant_provider.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

FORM: Final = "a target such as 'gh200@580', 'sm_90@cuda12.8' or 'a10+t4'"
MAX_LENGTH: Final = 400
MAX_GPUS: Final = 16

_CAPABILITY: Final = re.compile(r"sm-(\d{2,3})|(\d{1,2}\.\d)", re.ASCII)
_BRANCH: Final = re.compile(r"r?(\d{2,3})", re.ASCII)
_RELEASE: Final = re.compile(r"\d{2,3}(\.\d{1,6}){1,2}", re.ASCII)
_CUDA: Final = re.compile(r"cuda-?(\d{1,2}(?:\.\d{1,2})?)", re.ASCII)
_JETPACK: Final = re.compile(r"jetpack-?(\d(?:\.\d)?)", re.ASCII)
_DRIVER_FORM: Final = "a driver such as '580', '580.65.06', 'cuda13.2' or, on Jetson, 'jetpack6'"
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
    def default_driver(self) -> Driver | None:
        """The driver assumed where none is named; ``None`` if one has to be."""
        if not self.tegra:
            return _default_driver(self.first_branch or 0)
        return _tegra_driver(self, "") if self.jetpacks else None

    @property
    def jetpacks(self) -> tuple[JetPack, ...]:
        """The JetPack releases for the device, oldest first; empty off Tegra."""
        return tuple(row for row in JETPACKS if self.capability in row.capabilities)


@dataclass(frozen=True, slots=True)
class Driver:
    """The driver of a target; ``words`` is how a person would say it: ``"driver branch R580"``.

    ``branch`` and ``release`` are ``None`` where the target names a CUDA version. ``remark`` says
    what was assumed.
    """

    cuda: CudaVersion
    words: str
    branch: int | None = None
    release: DriverRelease | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A machine by name: its devices, the driver, and the text it was read from."""

    text: str
    devices: tuple[Device, ...]
    driver: Driver

    @property
    def architectures(self) -> tuple[str, ...]:
        """The CPU architectures that all devices share, the assumed one first."""
        shared = [it.architectures for it in self.devices[1:]]
        return tuple(
            name for name in self.devices[0].architectures if all(name in it for it in shared)
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
                    it.title,
                    capability=it.capability,
                    integrated=it.tegra or it.chip == "GB20B",
                    source="target",
                )
                for it in self.devices
            ),
            tegra=self.devices[0].tegra,
            notes=(Note("target-driver", driver.remark),) if driver.remark else (),
        )


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
            _chips()[row.chip],
            row.architectures,
            row.aliases,
        )


def chips() -> Iterator[Device]:
    """Yield every chip, oldest capability first."""
    for name, capability in sorted(_chips().items(), key=lambda row: (row[1], row[0])):
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
    if len({(it.tegra, it.capability if it.tegra else None) for it in devices}) > 1:
        raise InvalidValueError("a Jetson's GPU and another one cannot share a machine")
    chosen = _tegra_driver(devices[0], driver) if devices[0].tegra else _driver(devices, driver)
    target = Target(text.strip(), devices, chosen)
    if not target.architectures:
        sold = "; ".join(f"{it.name}: {', '.join(it.architectures)}" for it in devices)
        raise InvalidValueError(f"no CPU architecture takes all of these GPUs ({sold})")
    return target


def _driver(devices: tuple[Device, ...], text: str) -> Driver:
    """Return the driver of a machine with an ordinary driver stack."""
    newest_device = max(devices, key=lambda it: it.first_branch or 0)
    first = newest_device.first_branch or 0
    ends = [(it.last_branch, it) for it in devices if it.last_branch is not None]
    last, oldest_device = min(ends, key=lambda row: row[0], default=(None, devices[0]))
    if last is not None and last < first:
        raise InvalidValueError(
            f"no driver supports all of these: {_begins(newest_device)}, {_ends(oldest_device)}"
        )
    if not text:
        return _default_driver(first)
    driver = _said_driver(text)
    branch = driver.branch if driver.branch is not None else _branch_of(driver.cuda)
    if branch < first:
        raise InvalidValueError(f"{driver.words} is too old: {_begins(newest_device)}")
    if last is not None and cuda_of_branch(branch) != cuda_of_branch(last) and branch > last:
        raise InvalidValueError(f"{driver.words} is too new: {_ends(oldest_device)}")
    return driver


def _default_driver(first: int) -> Driver:
    usable = next(branch for branch, cuda in BRANCHES if cuda >= OLDEST_CUDA)
    branch = max(first, usable)
    why = "the oldest that supports it" if branch == first else "the oldest that variants serve"
    cuda = cuda_of_branch(branch) or OLDEST_CUDA
    return Driver(
        cuda,
        f"driver branch R{branch}",
        branch,
        remark=f"no driver was named: R{branch} (CUDA {cuda}) is assumed, {why}",
    )


def _said_driver(text: str) -> Driver:
    text = text.strip().lower()
    if match := _CUDA.fullmatch(text):
        cuda = CudaVersion.parse(match[1])
        if _is_unheard_of(cuda):
            raise InvalidValueError(f"no driver reports CUDA {cuda}")
        return Driver(cuda, f"CUDA driver version {cuda}")
    release = DriverRelease.parse(text) if _RELEASE.fullmatch(text) else None
    match = _BRANCH.fullmatch(text)
    if release is None and match is None:
        raise InvalidValueError(f"not a driver: {text[:60]!r}, expected {_DRIVER_FORM}")
    branch = release.branch if release else int(match[1]) if match else 0
    version = cuda_of_branch(branch)
    if version is None:
        oldest = BRANCHES[0][0]
        raise InvalidValueError(f"driver branch R{branch} is unknown; the oldest is R{oldest}")
    words = f"driver release {release}" if release else f"driver branch R{branch}"
    remark = ""
    if branch > BRANCHES[-1][0]:
        remark = f"R{branch} is newer than this release knows: it counts as CUDA {version}"
    return Driver(version, words, branch, release, remark)


def _tegra_driver(device: Device, text: str) -> Driver:
    """Return the driver of a Jetson, whose releases are numbered in their own way."""
    served = device.jetpacks
    listed = ", ".join([*(f"jetpack{row.version}" for row in served), "a CUDA version: cuda13.0"])
    if not text:
        if not served:
            raise InvalidValueError(f"{device.name} needs a CUDA version: {device.name}@cuda13.0")
        row = served[0]
        words = f"JetPack {row.version}"
        remark = f"no driver was named: {words} (CUDA {row.cuda}) is assumed, the oldest"
        return Driver(row.cuda, words, remark=f"{remark} that supports it")
    text = text.strip().lower()
    if match := _CUDA.fullmatch(text):
        driver = _said_driver(text)
        if driver.cuda < device.facts.first_toolkit:
            first = f"{device.name} begins with CUDA {device.facts.first_toolkit}"
            raise InvalidValueError(f"{driver.words} is too old: {first}")
        return driver
    match = _JETPACK.fullmatch(text)
    branch = _BRANCH.fullmatch(text.partition(".")[0])
    for row in served:
        # JetPack 7 came in two CUDA versions: the bare number means the first for the device.
        if match and match[1] in {row.version, row.version.partition(".")[0]}:
            return Driver(row.cuda, f"JetPack {row.version}")
        if branch and int(branch[1]) == row.driver:
            return Driver(row.cuda, f"JetPack {row.version}, driver branch {row.driver}")
    raise InvalidValueError(f"{device.name} does not take {text[:60]!r}; it takes {listed}")


def _branch_of(cuda: CudaVersion) -> int:
    return next((branch for branch, known in BRANCHES if known >= cuda), BRANCHES[-1][0])


def _is_unheard_of(cuda: CudaVersion) -> bool:
    known = [version for _, version in BRANCHES]
    return cuda not in known and cuda < known[-1]


def _begins(device: Device) -> str:
    return (
        f"{device.name} (capability {device.capability}) begins with driver branch "
        f"R{device.first_branch}, CUDA {device.facts.first_toolkit}"
    )


def _ends(device: Device) -> str:
    return (
        f"R{device.last_branch} is the last driver branch for {device.name} ({device.capability})"
    )


def _facts_of(capability: ComputeCapability) -> CapabilityFacts:
    return next(row for row in CAPABILITIES if row.capability == capability)


@cache
def _chips() -> dict[str, ComputeCapability]:
    from nvidia_variant_provider.tables.pci import all_chips

    return {chip.name: chip.capability for chip in all_chips()} | CHIPS_OFF_PCI


def _nearest(name: str) -> str:
    import difflib

    named = [known for it in products() for known in (it.name, *it.aliases)]
    near = difflib.get_close_matches(name, named, n=_NEAREST)
    near += difflib.get_close_matches(name, [it.name for it in chips()], n=_NEAREST - 2)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{hint} (all: nvidia-variant-provider targets)"
