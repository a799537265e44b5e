"""Builds that a local version or an index names: ``2.14.1+cu126``, ``…/cu126/torch/``.

The driver that a build needs follows from its label, what it was compiled for from the table of
torch builds. A build that the table does not know counts as its nearest neighbour, and the result
says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tables.torch_builds import Confidence, TorchBuild
from nvidia_variant_provider.tools.torch.backend import CPU, judge_build
from nvidia_variant_provider.tools.torch.builds import (
    TORCH,
    DeviceCode,
    UnknownReleaseError,
    archs_text,
    cuda_of_label,
    default_wheel,
    device_code,
    find_release,
    index_path,
)
from nvidia_variant_provider.tools.views.model import Build, Tier

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.views.coverage_of_tags import PlatformClass
    from nvidia_variant_provider.tools.views.model import Stated

_SYSTEMS: Final = {("linux", "glibc"): "linux", ("win32", ""): "windows"}


def is_label(text: str) -> bool:
    """Tell whether a text names a build of a per-CUDA index: ``cpu``, ``cu126``."""
    return text == CPU or cuda_of_label(text) is not None


@dataclass(frozen=True, slots=True)
class Judged:
    """A build and how many kinds of the machine's GPUs it has code for."""

    build: Build
    covered: int = 0


@lru_cache(maxsize=4096)
def judge_label(
    label: str,
    torch_release: str,
    platform: PlatformClass,
    machine: Machine,
    stated: Stated | None = None,
) -> Judged:
    """Judge a build by its label, the torch release it is of or pairs with, and its platform.

    An empty release stands for the newest. What the wheel says itself is ``stated``.
    """
    cuda = cuda_of_label(label)
    if cuda is None:
        return Judged(Build(label, Tier.CPU, "the CPU build"))
    place = place_of_class(platform)
    code = device_code(TORCH, torch_release, label, place)
    if stated and stated.archs:
        code = DeviceCode(stated.archs, "the wheel", Confidence.MEASURED, assumed=False)
    if code is None:
        return _by_bound(label, cuda, machine)
    judgement = judge_build(_as_row(cuda, place, code), machine)
    reason = judgement.reason
    if code.assumed:
        trouble = f"; {stated.trouble}" if stated and stated.trouble else ""
        reason = f"{reason} (device code assumed: {code.source}{trouble})"
    tier = {True: Tier.GPU, False: Tier.UNFIT, None: Tier.GPU_UNDECIDED}[judgement.fits]
    covered = len(judgement.covers)
    is_partial = tier is Tier.GPU and covered < len(machine.capabilities)
    return Judged(Build(label, tier, reason, code.assumed, is_partial), covered)


def default_label(torch_release: str, platform: PlatformClass) -> tuple[str, bool]:
    """Return the build that the main index has of a torch release, and whether that is assumed.

    "" where it is not known: on platforms without CUDA builds.
    """
    place = place_of_class(platform)
    if not place:
        return "", False
    try:
        release = find_release(torch_release or None)
    except UnknownReleaseError:
        return "", False
    cuda = default_wheel(release, place)
    return (index_path(cuda) if cuda else CPU), release.assumed


def own_code_lacks(
    project: str, version: str, label: str, platform: PlatformClass, machine: Machine
) -> str:
    """Say for which GPUs of a machine a companion of torch has no code of its own.

    "" if for none, and for a build that the table does not name.
    """
    cuda, place = cuda_of_label(label), place_of_class(platform)
    code = device_code(project, version, label, place)
    if cuda is None or code is None or code.assumed or not machine.capabilities:
        return ""
    judged = judge_build(_as_row(cuda, place, code), machine)
    missing = [
        str(capability) for capability in machine.capabilities if capability not in judged.covers
    ]
    if not missing:
        return ""
    return f"no device code for {', '.join(missing)}: the build has {archs_text(code.archs)}"


def place_of_class(platform: PlatformClass) -> str:
    """Return a class of platforms as the table names it; "" where it has none."""
    system, architecture, libc = platform
    name = _SYSTEMS.get((system, libc), "")
    return f"{name}-{architecture}" if name else ""


def class_of_place(place: str) -> PlatformClass:
    """Return the class of platforms that the table names so: ``linux-x86_64``."""
    name, _, architecture = place.partition("-")
    system, libc = next(key for key, named in _SYSTEMS.items() if named == name)
    return system, architecture, libc


def _as_row(cuda: CudaVersion, platform: str, code: DeviceCode) -> TorchBuild:
    return TorchBuild(cuda, platform, "", "", archs_text(code.archs), code.source, code.confidence)


def _by_bound(label: str, cuda: CudaVersion, machine: Machine) -> Judged:
    """Judge a build of which nothing but the label is known."""
    needs = f"CUDA {cuda} needs a driver for CUDA {cuda.major}.0 or newer"
    if machine.cuda is None or machine.cuda < CudaVersion(cuda.major, 0):
        seen = f"this one supports CUDA {machine.cuda}" if machine.cuda else "no driver is usable"
        return Judged(Build(label, Tier.UNFIT, f"{needs}, {seen}"))
    if not machine.gpus:
        return Judged(Build(label, Tier.UNFIT, "there is no GPU"))
    reason = "the driver is new enough; which GPUs the build has code for is not known"
    return Judged(Build(label, Tier.GPU_UNDECIDED, reason, is_assumed=True))
