"""From what a source states to what is known of a machine, and every guess on the way by name.

A stated fact always wins. A capability follows from the GPU's name, a CUDA driver version from the
driver branch, the CPU from the product; a driver that nobody states is R580, or the nearest to it
that serves the GPUs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import ComputeCapability, CudaVersion, DriverRelease
from nvidia_variant_provider.tables.driver_branches import BRANCHES, DEFAULT_BRANCH, cuda_of_branch
from nvidia_variant_provider.tables.names import NamedGpu, gpus_named, narrowed, near_names
from nvidia_variant_provider.tables.products import CHIPS_WITH_CPU
from nvidia_variant_provider.targets.devices import Device, device_of, find_device
from nvidia_variant_provider.targets.target import parse_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.inventory.machine import StatedGpu, StatedMachine

NO_GPU: Final = "the machine has no NVIDIA GPU"
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
# Windows numbers its releases between the branches of Linux: 572.16 belongs to R570.
_TWO_PARTS: Final = re.compile(r"\d{3}\.\d{2}")


class Defaults(NamedTuple):
    """What counts for machines that do not say: a CPU architecture, a driver branch, a GPU."""

    architecture: str = ""
    driver: str = ""
    gpu: str = ""


NO_DEFAULTS: Final = Defaults()


class Assumption(NamedTuple):
    """A guess: the fact it is of ("driver", "capability", ...), and a sentence."""

    fact: str
    text: str


@dataclass(frozen=True, slots=True)
class KnownGpu:
    """GPUs of one kind: the stated name, the capability, how many, the device if it is known."""

    name: str
    capability: ComputeCapability | None
    number: int | None
    device: Device | None


@dataclass(frozen=True, slots=True)
class KnownMachine:
    """What is known of a machine, with what was assumed.

    ``driver`` and ``stated_architecture`` are as the source states them, or empty; ``branch``,
    ``cuda``, ``architecture`` and ``system`` are what counts. ``reason`` says why there is no CUDA.
    """

    gpus: tuple[KnownGpu, ...]
    driver: str
    branch: int | None
    cuda: CudaVersion | None
    stated_architecture: str
    architecture: str
    system: str
    assumed: tuple[Assumption, ...] = ()
    reason: str = ""

    @property
    def facts_assumed(self) -> tuple[str, ...]:
        """The facts that were guessed, each once."""
        return tuple(dict.fromkeys(guess.fact for guess in self.assumed))


# A hundred thousand machines say a few hundred different things.
@lru_cache(maxsize=4096)
def resolve(stated: StatedMachine, defaults: Defaults = NO_DEFAULTS) -> KnownMachine:
    """Work out what is known of a machine; raises ``InvalidValueError`` for malformed text."""
    assumed = [Assumption("reader", text) for text in stated.assumed]
    gpus = tuple(_gpu(gpu, stated, defaults, assumed) for gpu in stated.gpus)
    devices = tuple(gpu.device for gpu in gpus if gpu.device is not None)
    system = _system(stated, assumed)
    architecture = _architecture(stated, defaults, devices, assumed)
    branch, cuda, reason = _driver(stated, defaults, gpus, assumed)
    told = architecture if stated.architecture or _in_one_package(devices) else ""
    return KnownMachine(
        gpus, stated.driver, branch, cuda, told, architecture, system, tuple(assumed), reason
    )


def _gpu(
    gpu: StatedGpu, machine: StatedMachine, defaults: Defaults, assumed: list[Assumption]
) -> KnownGpu:
    name = gpu.name
    if not name and not gpu.capability and defaults.gpu and len(machine.gpus) == 1:
        name = defaults.gpu
        assumed.append(Assumption("gpu", f"GPU: {name}, as --gpu says"))
    stated = ComputeCapability.parse(gpu.capability) if gpu.capability else None
    candidates = gpus_named(name) if name else ()
    if machine.driver and len(candidates) > 1:
        candidates = narrowed(candidates, parse_branch(machine.driver))
    if stated is not None:
        device = _device(candidates, stated)
        return KnownGpu(name, stated, gpu.number, device)
    if len(candidates) == 1:
        text = f"capability: {candidates[0].capability} by the name {name}"
        assumed.append(Assumption("capability", text))
        return KnownGpu(name, candidates[0].capability, gpu.number, _device(candidates, None))
    if name:
        assumed.append(Assumption("unknown", _unknown(name, candidates)))
    elif not machine.no_driver:
        text = "the inventory does not name the GPU: --gpu NAME says which"
        assumed.append(Assumption("unknown", text))
    return KnownGpu(name, None, gpu.number, None)


def _unknown(name: str, candidates: tuple[NamedGpu, ...]) -> str:
    if candidates:
        meant = ", ".join(f"{gpu.title} ({gpu.capability})" for gpu in candidates)
        return f"{name} can mean {meant}: state the capability"
    near = " or ".join(gpu.title for gpu in near_names(name))
    hint = f" (near: {near})" if near else ""
    return f"no GPU is known by the name {name}{hint}: state the capability"


def _device(candidates: tuple[NamedGpu, ...], stated: ComputeCapability | None) -> Device | None:
    """Return the device of a name; of a capability, if the name is unknown or of another one."""
    for gpu in candidates:
        if stated is None or gpu.capability == stated:
            return device_of(gpu)
    try:
        return find_device(str(stated))
    except InvalidValueError:
        return None


def _system(stated: StatedMachine, assumed: list[Assumption]) -> str:
    if not stated.system and is_windows_release(stated.driver):
        sentence = f"system: Windows, by its driver number {stated.driver} (in WSL it is Linux)"
        assumed.append(Assumption("system", sentence))
        return "win32"
    return _SYSTEMS.get(stated.system.lower(), stated.system)


def is_windows_release(driver: str) -> bool:
    """Whether a driver release is numbered as on Windows, between the branches of Linux."""
    if not _TWO_PARTS.fullmatch(driver):
        return False
    branch = int(driver[:3])
    return branch < BRANCHES[-1][0] and branch not in dict(BRANCHES)


def _in_one_package(devices: Iterable[Device]) -> bool:
    return any(device.chip in CHIPS_WITH_CPU for device in devices)


def _architecture(
    stated: StatedMachine,
    defaults: Defaults,
    devices: tuple[Device, ...],
    assumed: list[Assumption],
) -> str:
    if stated.architecture:
        return _ARCHITECTURES.get(stated.architecture.lower(), stated.architecture)
    if _in_one_package(devices):
        return "aarch64"
    default = defaults.architecture
    built = devices[0].architectures[0] if devices else "x86_64"
    architecture = _ARCHITECTURES.get(default.lower(), default) if default else built
    assumed.append(Assumption("architecture", f"architecture: {architecture}"))
    return architecture


def _driver(
    stated: StatedMachine,
    defaults: Defaults,
    gpus: tuple[KnownGpu, ...],
    assumed: list[Assumption],
) -> tuple[int | None, CudaVersion | None, str]:
    """Return branch, CUDA driver version, and why there is none."""
    if stated.no_driver:
        return None, None, stated.no_driver
    cuda = CudaVersion.parse(stated.cuda) if stated.cuda else None
    devices = tuple(gpu.device for gpu in gpus if gpu.device is not None)
    tegra = next((device for device in devices if device.tegra), None)
    if tegra is not None and cuda is None:
        return _jetson(tegra, stated.driver, assumed)
    if stated.driver:
        branch = parse_branch(stated.driver)
        return branch, cuda or cuda_of_branch(branch), ""
    if cuda is not None:
        return None, cuda, ""
    if not gpus:
        return None, None, NO_GPU
    return _assumed_driver(devices, defaults, assumed)


def _assumed_driver(
    devices: tuple[Device, ...], defaults: Defaults, assumed: list[Assumption]
) -> tuple[int | None, CudaVersion | None, str]:
    """Assume the branch of ``--driver``, else R580, or the nearest to it that serves the GPUs."""
    wanted = parse_branch(defaults.driver) if defaults.driver else DEFAULT_BRANCH
    first = max((device.first_branch or 0 for device in devices), default=0)
    last = min((device.last_branch or 9999 for device in devices), default=9999)
    if last < first:
        return None, None, "no driver branch serves all of these GPUs"
    branch = min(max(wanted, first), last)
    sentence = f"driver: R{branch}" + (", as --driver says" if defaults.driver else ", the default")
    if branch != wanted:
        which = "first" if branch == first else "last"
        sentence = f"driver: R{branch}, not R{wanted}: it is the {which} branch for this GPU"
    assumed.append(Assumption("driver", sentence))
    return branch, cuda_of_branch(branch), ""


def _jetson(
    device: Device, driver: str, assumed: list[Assumption]
) -> tuple[int | None, CudaVersion | None, str]:
    """Read a Jetson's release, whose number is its own; without one the newest JetPack counts."""
    try:
        known = parse_target(f"{device.name}@{driver}" if driver else device.name).driver
    except InvalidValueError as error:
        if not driver:
            return None, None, str(error)
        return _jetson(device, "", assumed)
    if not driver:
        assumed.append(Assumption("driver", f"driver: {known.words}"))
    return known.branch, known.cuda, ""


def parse_branch(text: str) -> int:
    """Read a driver branch or release: ``"580"``, ``"R580"`` or ``"580.65.06"`` is 580."""
    if re.fullmatch(r"[rR]?\d{3,4}", text, re.ASCII):
        return int(text.lstrip("rR"))
    try:
        return DriverRelease.parse(text).branch
    except InvalidValueError as error:
        expected = "a driver release such as '580.65.06' or a branch such as '580'"
        raise InvalidValueError.not_a(expected, text) from error
