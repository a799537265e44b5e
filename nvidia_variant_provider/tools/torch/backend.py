"""Which CUDA build of torch fits a machine, for installers that know no variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, DriverRelease, SmArch
from nvidia_variant_provider.rules.device_code import judge_arch
from nvidia_variant_provider.tables.driver_branches import BRANCHES
from nvidia_variant_provider.tables.torch_builds import (
    OLDEST_DRIVER,
    PLATFORMS,
    UV_INDEXES,
    WINDOWS,
    TorchBuild,
)
from nvidia_variant_provider.tools.torch.builds import (
    TorchRelease,
    archs_of,
    builds_of,
    default_wheel,
    index_path,
)

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine

# What is printed in the place of a folder's name. No index has a folder of the second name: an
# empty word would lead to the page of all builds, where pip takes one for other hardware.
CPU: Final = "cpu"
NO_BUILD: Final = "no-build"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One build, whether it fits the machine, and why.

    ``fits`` is ``None`` where the GPU's compute capability is not known. ``covers`` are the
    capabilities it has code for, of the machine's. ``needs_driver`` is the oldest driver it needs,
    where a newer one than the machine's is all that it lacks.
    """

    build: TorchBuild
    fits: bool | None
    reason: str
    covers: tuple[ComputeCapability, ...] = ()
    serves_all: bool = False
    needs_driver: DriverRelease | None = None

    @property
    def path(self) -> str:
        """The last part of the index address: ``cu126``."""
        return index_path(self.build.cuda)

    @property
    def oldest_driver(self) -> DriverRelease:
        """The oldest driver that runs the build, by minor-version compatibility."""
        return oldest_driver(self.build)


@dataclass(frozen=True, slots=True)
class Backend:
    """The choice for one machine: the judged builds, newest first, and what others would take.

    ``uv`` is the choice of ``uv --torch-backend=auto``, ``None`` where the driver's number is not
    known. ``default_wheel`` is the CUDA version of the wheel pip takes without an index of its own.
    """

    release: TorchRelease
    platform: str
    judged: tuple[Judgement, ...]
    chosen: Judgement | None
    uv: str | None
    default_wheel: CudaVersion | None

    @property
    def serves_all(self) -> bool:
        """Whether the chosen build has code for every GPU of the machine."""
        return self.chosen is not None and self.chosen.serves_all

    @property
    def is_certain(self) -> bool:
        """Whether no build newer than the chosen one was left undecided."""
        undecided = [judged.build for judged in self.judged if judged.fits is None]
        return all(self.chosen and build.cuda < self.chosen.build.cuda for build in undecided)


def platform_of(machine: Machine) -> str:
    """Return the machine's platform as the table names it, empty if torch has no CUDA there."""
    system = {"linux": "linux", "win32": "windows"}.get(machine.platform.system, "")
    name = f"{system}-{machine.platform.architecture or 'x86_64'}"
    return name if name in PLATFORMS else ""


def choose(
    machine: Machine,
    release: TorchRelease,
    platform: str,
    builds: tuple[TorchBuild, ...] | None = None,
) -> Backend:
    """Choose among the builds of a release for a platform; the table's, unless others are given."""
    rows = builds_of(release, platform) if builds is None else builds
    judged = tuple(judge_build(build, machine) for build in rows)
    fitting = [judgement for judgement in judged if judgement.fits]
    # The first one that serves every GPU, or else the most of them; newest first among equals.
    chosen = max(fitting, key=lambda judgement: len(judgement.covers), default=None)
    return Backend(
        release,
        platform,
        judged,
        chosen,
        _uv_choice(machine, judged, platform),
        default_wheel(release, platform),
    )


def oldest_driver(build: TorchBuild) -> DriverRelease:
    """Return the oldest driver that runs a build, by minor-version compatibility."""
    return OLDEST_DRIVER[build.cuda.major][build.platform.partition("-")[0]]


def judge_build(build: TorchBuild, machine: Machine) -> Judgement:
    """Judge one build by its toolkit's oldest driver and by its device code."""
    refusal = _driver_refusal(build, machine)
    if not refusal and not machine.gpus:
        refusal = "there is no GPU"
    if not machine.capabilities:
        reason = "the driver is new enough; the GPU's compute capability is not known"
        return Judgement(build, fits=False if refusal else None, reason=refusal or reason)
    by_code = _judge_code(build, machine)
    if not refusal:
        return by_code
    needs = oldest_driver(build) if by_code.fits and not machine.tegra else None
    return Judgement(build, fits=False, reason=refusal, needs_driver=needs)


def _driver_refusal(build: TorchBuild, machine: Machine) -> str:
    """Say why the driver is too old for a build; empty if it is not."""
    oldest = oldest_driver(build)
    needs = f"CUDA {build.cuda} needs driver {oldest} or newer"
    if machine.tegra:
        needs = f"CUDA {build.cuda} needs a driver for CUDA {build.cuda.major}.0 or newer"
    if machine.cuda is None:
        return f"{needs}, and no driver is usable"
    if machine.cuda < CudaVersion(build.cuda.major, 0):
        return f"{needs}, this one supports CUDA {machine.cuda}"
    release = machine.driver_release
    # A driver of the right branch can still be one of its first, preview releases. An older
    # branch here has a newer libcuda beside it (forward compatibility), which is enough.
    if release and not machine.tegra and release.branch == oldest.branch:
        return f"{needs}, this one is {release}" if _is_before(release, oldest) else ""
    return ""


def _judge_code(build: TorchBuild, machine: Machine) -> Judgement:
    covers, words = [], []
    for capability in machine.capabilities:
        arch = _code_for(build, capability, machine.cuda)
        if arch is not None:
            covers.append(capability)
            words.append(f"{arch} runs on {capability}")
    missing = [capability for capability in machine.capabilities if capability not in covers]
    if missing:
        lacks = ", ".join(map(str, missing))
        words.append(f"no device code for {lacks}: the build has {build.archs}")
    return Judgement(build, bool(covers), "; ".join(words), tuple(covers), not missing)


def _code_for(
    build: TorchBuild, capability: ComputeCapability, cuda: CudaVersion | None
) -> SmArch | None:
    """Return the device code of a build that runs on a capability, or ``None``."""
    runs = [arch for arch in archs_of(build) if judge_arch(arch, capability, cuda).supported]
    # A driver reads no PTX that is newer than itself.
    runs = [arch for arch in runs if not arch.virtual or (cuda is not None and cuda >= build.cuda)]
    return max(runs, key=lambda arch: (not arch.virtual, arch.capability), default=None)


def _uv_choice(machine: Machine, judged: tuple[Judgement, ...], platform: str) -> str | None:
    """Return what ``uv --torch-backend=auto`` takes; ``None`` if the driver's number is unknown.

    uv goes through the indexes that its table names for the driver, and takes the first with a
    fitting wheel. It never looks at the GPU.
    """
    if machine.cuda is None:
        return CPU
    driver = machine.driver_release or _newest_of_branch(machine)
    if driver is None:
        return None
    names = [
        name
        for linux, windows, listed in UV_INDEXES
        if not _is_before(driver, windows if platform == WINDOWS else linux)
        for name in listed.split()
    ]
    there = {judgement.path for judgement in judged}
    return next((f"cu{name}" for name in names if f"cu{name}" in there), CPU)


def _newest_of_branch(machine: Machine) -> DriverRelease | None:
    """Return a release that stands for the driver branch behind the CUDA driver version."""
    if machine.tegra or machine.cuda is None:
        return None
    branch = next((branch for branch, cuda in BRANCHES if cuda >= machine.cuda), BRANCHES[-1][0])
    return DriverRelease(f"{branch}.999")


def _is_before(release: DriverRelease, other: DriverRelease) -> bool:
    return _numbers(release) < _numbers(other)


def _numbers(release: DriverRelease) -> tuple[int, ...]:
    return tuple(int(part) for part in release.text.split("."))
