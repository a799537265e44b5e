"""Kinds of machines: what a record says as text, and what the choice of a variant depends on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.coverage import devices
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    DriverRelease,
    Gpu,
    Machine,
    Platform,
    Status,
)
from nvidia_variant_provider.tables.driver_branches import cuda_of_branch

if TYPE_CHECKING:
    from nvidia_variant_provider.coverage.devices import Device

NO_GPU: Final = "no GPU"
UNNAMED: Final = "unnamed GPU"

# The same processor under the names of Linux, Kubernetes, Windows and Debian.
_ARCHITECTURES: Final = {
    "x86_64": "x86_64",
    "x86-64": "x86_64",
    "amd64": "x86_64",
    "aarch64": "aarch64",
    "arm64": "aarch64",
    "ppc64le": "ppc64le",
}
_SYSTEMS: Final = {"": "linux", "linux": "linux", "windows": "win32", "win32": "win32"}


class Facts(NamedTuple):
    """What one record says of a machine, as text; empty where it says nothing.

    ``devices`` names the GPUs and ``capabilities`` states theirs, in any order; one of the two
    suffices, and a machine with neither has no GPU. ``no_driver`` says why the machine is known
    to have no usable driver, which differs from a record that does not speak of drivers.
    """

    devices: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    driver: str = ""
    cuda: str = ""
    architecture: str = ""
    system: str = ""
    no_driver: str = ""


class Defaults(NamedTuple):
    """What counts for records that do not say: a processor architecture and a driver branch.

    Without an architecture it is the one the device is built into, else x86_64; without a driver
    the oldest branch that knows the device. Either is remembered as assumed.
    """

    architecture: str = ""
    driver: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """Machines that no choice of a variant can tell apart, and the words to show them with.

    ``driver`` is the branch (580). ``capabilities`` holds ``None`` for a GPU of which it is
    unknown. ``assumed`` lists the facts that no record stated: "driver", "capability",
    "architecture". ``reason`` says why there is no CUDA driver version.
    """

    device: str
    architecture: str
    system: str
    driver: int | None
    cuda: CudaVersion | None
    capabilities: tuple[ComputeCapability | None, ...]
    assumed: tuple[str, ...] = ()
    reason: str = ""

    @property
    def has_gpu(self) -> bool:
        """Whether the machine has an NVIDIA GPU, usable or not."""
        return bool(self.capabilities)

    @property
    def known_capabilities(self) -> tuple[ComputeCapability, ...]:
        """The distinct capabilities that are known, weakest first."""
        return tuple(found for found in self.capabilities if found is not None)

    @property
    def machine(self) -> Machine:
        """The machine that the rules are asked about."""
        status = Status.PINNED if self.cuda else Status.NONE
        if self.has_gpu and self.cuda is None:
            status = Status.GPU_NO_DRIVER
        return Machine(
            platform=Platform(self.system, self.architecture),
            status=status,
            reason=self.reason or "stated by a list of machines",
            cuda=self.cuda,
            cuda_source="list of machines" if self.cuda else "",
            gpus=tuple(Gpu(capability=found) for found in self.capabilities),
        )

    @property
    def sort_key(self) -> tuple[object, ...]:
        """A total order to show kinds in: newest capability first, then device and driver."""
        known = [(-found.major, -found.minor) for found in self.known_capabilities]
        cuda = (self.cuda.major, self.cuda.minor) if self.cuda else (0, 0)
        return (
            not self.has_gpu, min(known, default=(0, 0)), self.device, self.architecture,
            self.system, self.driver or 0, cuda, repr(self.capabilities), self.assumed, self.reason,
        )  # fmt: skip


# Hundred thousand records say a few hundred different things.
@lru_cache(maxsize=4096)
def kind_of(facts: Facts, defaults: Defaults) -> Kind:
    """Turn what a record says into its kind; raises ``InvalidValueError`` for malformed text."""
    known = [devices.find(name) for name in facts.devices]
    architecture, arch_assumed = _architecture(facts, defaults, known)
    capabilities, capability_assumed = _capabilities(facts, known)
    driver, driver_assumed = _driver(facts, defaults, known)
    cuda = CudaVersion.parse(facts.cuda) if facts.cuda else None
    if cuda is None and driver is not None:
        cuda = cuda_of_branch(driver)
    reason = facts.no_driver
    if facts.no_driver or not capabilities:
        # Without a GPU a left-over driver changes nothing that a variant would be chosen for.
        cuda = cuda if capabilities and not facts.no_driver else None
        driver_assumed = False
    if cuda is None and not reason:
        reason = "no driver is known" if capabilities else "the machine has no NVIDIA GPU"
    marks = (
        ("architecture", arch_assumed),
        ("capability", capability_assumed),
        ("driver", driver_assumed),
    )
    return Kind(
        device=_title(facts, known),
        architecture=architecture,
        system=_system(facts.system),
        driver=driver if capabilities and not facts.no_driver else None,
        cuda=cuda,
        capabilities=capabilities,
        assumed=tuple(name for name, was_assumed in marks if was_assumed),
        reason=reason,
    )


def _architecture(
    facts: Facts, defaults: Defaults, known: list[Device | None]
) -> tuple[str, bool]:
    if facts.architecture:
        return _ARCHITECTURES.get(facts.architecture.lower(), facts.architecture), False
    if defaults.architecture:
        return _ARCHITECTURES.get(defaults.architecture.lower(), defaults.architecture), True
    built_in = {device.architecture for device in known if device is not None}
    return (built_in.pop() if len(built_in) == 1 else "x86_64"), True


def _capabilities(
    facts: Facts, known: list[Device | None]
) -> tuple[tuple[ComputeCapability | None, ...], bool]:
    stated = {ComputeCapability.parse(text) if text else None for text in facts.capabilities}
    assumed = False
    if not stated - {None} and known:
        stated = {device.capability if device else None for device in known}
        assumed = bool(stated - {None})
    return tuple(sorted(stated, key=_weakest_first)), assumed


def _weakest_first(capability: ComputeCapability | None) -> tuple[int, int]:
    return (capability.major, capability.minor) if capability else (99, 9)


def _driver(
    facts: Facts, defaults: Defaults, known: list[Device | None]
) -> tuple[int | None, bool]:
    if facts.driver:
        return parse_branch(facts.driver), False
    if facts.cuda:
        return None, False
    if defaults.driver:
        return parse_branch(defaults.driver), True
    firsts = [device.first_branch for device in known if device is not None]
    return (max(firsts), True) if firsts else (None, False)


def parse_branch(text: str) -> int:
    """Read a driver branch or release: ``"580"`` or ``"580.65.06"`` is 580."""
    if text.isascii() and text.isdecimal() and len(text) in {3, 4}:
        return int(text)
    try:
        return DriverRelease.parse(text).branch
    except InvalidValueError as error:
        raise InvalidValueError(
            f"not a driver release such as '580.65.06' or a branch such as '580': {text[:60]!r}"
        ) from error


def _title(facts: Facts, known: list[Device | None]) -> str:
    if not facts.devices:
        return UNNAMED if facts.capabilities else NO_GPU
    titles = {
        device.title if device else devices.tidy(name)
        for name, device in zip(facts.devices, known, strict=True)
    }
    return " + ".join(sorted(titles))


def _system(text: str) -> str:
    return _SYSTEMS.get(text.lower(), text)
