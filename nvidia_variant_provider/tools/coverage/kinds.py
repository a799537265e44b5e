"""Kinds of machines: what a record says as text, and what the choice of a variant depends on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

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
from nvidia_variant_provider.targets.jetson import tegra_driver
from nvidia_variant_provider.tools.coverage import devices

if TYPE_CHECKING:
    from nvidia_variant_provider.targets.devices import Device

NO_GPU: Final = "no GPU"
UNNAMED: Final = "unnamed GPU"
_NO_GPU_REASON: Final = "the machine has no NVIDIA GPU"

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


NO_DEFAULTS: Final = Defaults()


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


# A hundred thousand records say a few hundred different things.
@lru_cache(maxsize=4096)
def kind_of(facts: Facts, defaults: Defaults) -> Kind:
    """Turn what a record says into its kind; raises ``InvalidValueError`` for malformed text."""
    named = [devices.find(name) for name in facts.devices]
    known = [device for device in named if device is not None]
    architecture, system = _architecture(facts, defaults, known), _system(facts.system)
    capabilities = _capabilities(facts, named)
    title = " + ".join(sorted({devices.title(name) for name in facts.devices})) or UNNAMED
    if not capabilities:
        title = NO_GPU
        if not facts.driver and not facts.cuda:
            return Kind(title, architecture, system, None, None, (), (), _NO_GPU_REASON)
    if facts.no_driver:
        return Kind(title, architecture, system, None, None, capabilities, (), facts.no_driver)
    driver, cuda = _driver(facts, defaults, known)
    assumed = (
        ("architecture", not facts.architecture),
        ("capability", not any(facts.capabilities) and any(capabilities)),
        ("driver", cuda is not None and not facts.driver and not facts.cuda),
    )
    return Kind(
        device=title,
        architecture=architecture,
        system=system,
        driver=driver,
        cuda=cuda,
        capabilities=capabilities,
        assumed=tuple(name for name, was_assumed in assumed if was_assumed),
        reason="" if cuda else "no driver is stated, and none can be assumed",
    )


def _architecture(facts: Facts, defaults: Defaults, known: list[Device]) -> str:
    stated = facts.architecture or defaults.architecture
    if stated:
        return _ARCHITECTURES.get(stated.lower(), stated)
    return known[0].architectures[0] if known else "x86_64"


def _capabilities(facts: Facts, named: list[Device | None]) -> tuple[ComputeCapability | None, ...]:
    stated = {ComputeCapability.parse(text) if text else None for text in facts.capabilities}
    if not stated - {None} and named:
        stated = {device.capability if device else None for device in named}
    return tuple(sorted(stated, key=_weakest_first))


def _weakest_first(capability: ComputeCapability | None) -> tuple[int, int]:
    return (capability.major, capability.minor) if capability else (99, 9)


def _driver(
    facts: Facts, defaults: Defaults, known: list[Device]
) -> tuple[int | None, CudaVersion | None]:
    cuda = CudaVersion.parse(facts.cuda) if facts.cuda else None
    tegra = next((device for device in known if device.tegra), None)
    if tegra and cuda is None:
        return None, _cuda_of_jetson(tegra, facts.driver)
    stated = facts.driver or ("" if cuda or tegra else defaults.driver)
    if stated:
        branch = parse_branch(stated)
        return branch, cuda or cuda_of_branch(branch)
    if cuda is not None:
        return None, cuda
    assumed = devices.default_driver(known)
    return (assumed.branch, assumed.cuda) if assumed else (None, None)


def _cuda_of_jetson(device: Device, driver: str) -> CudaVersion | None:
    """Return the CUDA version of a Jetson's driver, whose releases have numbers of their own."""
    if driver:
        with contextlib.suppress(InvalidValueError):
            return tegra_driver(device, driver).cuda
    assumed = devices.default_driver([device])
    return assumed.cuda if assumed else None


def parse_branch(text: str) -> int:
    """Read a driver branch or release: ``"580"`` or ``"580.65.06"`` is 580."""
    if text.isascii() and text.isdecimal() and len(text) in {3, 4}:
        return int(text)
    try:
        return DriverRelease.parse(text).branch
    except InvalidValueError as error:
        expected = "a driver release such as '580.65.06' or a branch such as '580'"
        raise InvalidValueError.not_a(expected, text) from error


def _system(text: str) -> str:
    return _SYSTEMS.get(text.lower(), text)
