"""Builds that a local version or an index names: ``2.14.1+cu126``, ``…/cu126/torch/``.

The driver that a build needs follows from its label, what it was compiled for from the table of
torch builds. A release that the table does not know counts as its nearest neighbour, and the
result says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tables.torch_builds import (
    ARM,
    BUILDS,
    DEFAULT_WHEEL,
    LINUX,
    RELEASES,
    WINDOWS,
)
from nvidia_variant_provider.tools.torch.backend import CPU, choose, index_path
from nvidia_variant_provider.tools.views.model import Build, Tier

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.views.coverage_of_tags import PlatformClass

_LABEL: Final = re.compile(r"cpu|cu(\d{1,2})(\d)")
_PLATFORMS: Final = {
    ("linux", "x86_64", "glibc"): LINUX,
    ("linux", "aarch64", "glibc"): ARM,
    ("win32", "x86_64", ""): WINDOWS,
}
TORCH: Final = "torch"


def is_label(text: str) -> bool:
    """Tell whether a text names a build of a per-CUDA index: ``cpu``, ``cu126``."""
    return _LABEL.fullmatch(text) is not None


def cuda_of(label: str) -> CudaVersion | None:
    """Return the toolkit that a label names: 12.6 for ``cu126``, ``None`` for ``cpu``."""
    match = _LABEL.fullmatch(label)
    return CudaVersion(int(match[1]), int(match[2])) if match and match[1] else None


@dataclass(frozen=True, slots=True)
class Judged:
    """A build and how many kinds of the machine's GPUs it has code for."""

    build: Build
    covered: int = 0


@lru_cache(maxsize=4096)
def judge_label(
    label: str, torch_release: str, platform: PlatformClass, machine: Machine
) -> Judged:
    """Judge a build by its label, the torch release it is of or pairs with, and its platform.

    An empty release stands for the newest one that has the label.
    """
    cuda = cuda_of(label)
    if cuda is None:
        return Judged(Build(label, Tier.CPU, "the CPU build"))
    place = _PLATFORMS.get(platform, "")
    known, assumed = _nearest(label, torch_release, place)
    if not known:
        return _by_bound(label, cuda, machine)
    judgement = next(it for it in choose(machine, known, place).judged if it.path == label)
    reason = judgement.reason
    if assumed:
        reason = f"{reason} (device code assumed as in torch {known})"
    tier = {True: Tier.GPU, False: Tier.UNFIT, None: Tier.GPU_UNDECIDED}[judgement.fits]
    if tier is Tier.GPU_UNDECIDED and not machine.gpus:
        tier = Tier.UNFIT
    return Judged(Build(label, tier, reason, assumed), len(judgement.covers))


def default_label(torch_release: str, platform: PlatformClass) -> tuple[str, bool]:
    """Return the build that the main index has of a torch release, and whether that is assumed.

    "" where it is not known: on platforms without CUDA builds.
    """
    place = _PLATFORMS.get(platform, "")
    if not place:
        return "", False
    known = _nearest_release(torch_release, RELEASES)
    cuda = DEFAULT_WHEEL.get((place, known))
    return (index_path(cuda) if cuda else CPU), known != torch_release


def _nearest(label: str, torch_release: str, platform: str) -> tuple[str, bool]:
    """Return the release of the table that has the label, nearest to the wanted one."""
    having = [
        release
        for release in RELEASES
        if any(
            build.platform == platform
            and index_path(build.cuda) == label
            and release in build.releases
            for build in BUILDS
        )
    ]
    if not having:
        return "", False
    if not torch_release:
        return having[-1], False
    nearest = _nearest_release(torch_release, tuple(having))
    return nearest, nearest != torch_release


def _nearest_release(torch_release: str, releases: tuple[str, ...]) -> str:
    if not torch_release:
        return releases[-1]
    wanted = Version(torch_release)
    before = [release for release in releases if Version(release) <= wanted]
    return before[-1] if before else releases[0]


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


