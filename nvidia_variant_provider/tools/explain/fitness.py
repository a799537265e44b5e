"""Whether an installed build runs on a machine, and the command that repairs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from nvidia_variant_provider.model import Status
from nvidia_variant_provider.tables.cuda_indexes import folder_address
from nvidia_variant_provider.tables.torch_builds import OLDEST_DRIVER, Confidence, TorchBuild
from nvidia_variant_provider.tools.torch.answer import TorchAnswer, answer
from nvidia_variant_provider.tools.torch.backend import judge_build, platform_of
from nvidia_variant_provider.tools.torch.builds import (
    TorchRelease,
    UnknownReleaseError,
    archs_text,
    go_together,
    partners,
    torch_release_of,
)
from nvidia_variant_provider.tools.torch.words import (
    command,
    drivers_that_would_do,
    jetson_index,
)
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.explain.ordinary import InstalledBuild

# Also without a GPU: nothing is broken there, and another machine may be meant.
_WORKS: Final = frozenset({Status.OK, Status.PINNED, Status.NONE})


@dataclass(frozen=True, slots=True)
class Fitness:
    """The verdict for one machine: ``runs`` is ``None`` where it cannot be told.

    ``repair`` are the commands or hints that would make it run; empty where it runs.
    """

    runs: bool | None
    reason: str
    repair: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        return {True: "runs", False: "does not run", None: "may run"}[self.runs]


def fitness_of(build: InstalledBuild, machine: Machine, advice: Sequence[str] = ()) -> Fitness:
    """Judge an installed build for a machine.

    ``advice`` is what repairs the machine itself, if its driver does not work: no build runs there
    until then, whichever is installed.
    """
    runs, reason = _judge(build, machine)
    repair = tuple(_repair(build, machine)) if runs is False and machine.gpus else ()
    if machine.status in _WORKS:
        return Fitness(runs, reason, repair)
    fault = f"no GPU can be used here: {machine.status.value}: {machine.reason}"
    if runs is False and machine.gpus and machine.cuda is not None:
        return Fitness(runs=False, reason=f"{fault}; besides, {reason}", repair=(*advice, *repair))
    return Fitness(runs=False, reason=fault, repair=(*advice,))


def _judge(build: InstalledBuild, machine: Machine) -> tuple[bool | None, str]:
    if not machine.gpus and machine.cuda is None:
        return None, "there is no NVIDIA GPU here; name the machine with --target"
    if build.best is None and not build.archs and build.uses:
        return None, f"it uses CUDA, of which version is not known: {build.uses[0]}"
    if build.best is None and not build.archs:
        return None, "nothing in it speaks of CUDA: it may be a build without"
    if build.best is not None and build.cuda is None:
        return False, "a build without CUDA: the GPU is not used"
    return _judge_cuda(build, machine)


def _judge_cuda(build: InstalledBuild, machine: Machine) -> tuple[bool | None, str]:
    platform = build.platform or platform_of(machine)
    archs = archs_text(build.archs)
    # Where the device code is not known, the driver alone is judged.
    assumed = " ".join(str(capability.number) for capability in machine.capabilities)
    if build.cuda is None or build.cuda.major not in OLDEST_DRIVER or not platform:
        return None, "which driver its CUDA needs is not known"
    row = TorchBuild(
        build.cuda, platform, "", "", archs or assumed, build.code_source, Confidence.SOURCE
    )
    judged = judge_build(row, machine)
    if judged.fits and not judged.serves_all:
        return False, judged.reason
    if judged.fits and not archs:
        return None, "the driver is new enough; which GPUs the build has code for is not known"
    return judged.fits, judged.reason


def _repair(build: InstalledBuild, machine: Machine) -> Iterator[str]:
    name = canonicalize_name(build.name)
    public = build.version.partition("+")[0]
    release = torch_release_of(name, public)
    if release is None or not platform_of(machine):
        yield f"nvidia-variant-provider run -- pip install --force-reinstall {name}=={public}"
        return
    try:
        torch_answer = answer(machine, release, build.platform or platform_of(machine))
    except UnknownReleaseError:
        return
    if torch_answer.backend.chosen:
        yield _reinstall(torch_answer)
        return
    if torch_answer.other:
        yield _reinstall(TorchAnswer(machine, torch_answer.other))
    yield from drivers_that_would_do(torch_answer)
    yield from jetson_index(torch_answer)


def _reinstall(torch_answer: TorchAnswer) -> str:
    return command(torch_answer).replace("install", "install --force-reinstall", 1)


def disagreements(torch: InstalledBuild, others: Iterable[InstalledBuild]) -> Iterator[str]:
    """Yield a sentence for each installed project that was built for another CUDA or torch."""
    public = torch.version.partition("+")[0]
    for other in others:
        if other.best is not None and torch.best is not None and _differ(torch, other):
            yield (
                f"{other.name} {other.version} was built for {_cuda(other)}, "
                f"torch {torch.version} for {_cuda(torch)}: {other.best.text}"
            )
        if not go_together(other.name, other.version, public):
            pair = torch_release_of(other.name, other.version)
            yield f"{other.name} {other.version} pairs with torch {pair}, not {public}"


def matching(torch: InstalledBuild, others: Iterable[InstalledBuild]) -> Iterator[str]:
    """Yield the command that gives torch the torchvision and torchaudio of its own build."""
    public = torch.version.partition("+")[0]
    pair = partners(TorchRelease(public, public))
    wanted = {"torchvision": pair.torchvision, "torchaudio": pair.torchaudio}
    wrong = [
        f"{name}=={wanted[name]}"
        for name, other in ((canonicalize_name(build.name), build) for build in others)
        if wanted.get(name) and any(disagreements(torch, [other]))
    ]
    # A build of a CUDA major alone has no folder of its own.
    if wrong and torch.best is not None and torch.best.exact:
        pins = " ".join((f"torch=={public}", *wrong))
        yield f"pip install --force-reinstall {pins} --index-url {folder_address(torch.label)}"


def _differ(torch: InstalledBuild, other: InstalledBuild) -> bool:
    if torch.cuda is None or other.cuda is None:
        return torch.cuda != other.cuda
    return torch.cuda.major != other.cuda.major


def _cuda(build: InstalledBuild) -> str:
    if build.cuda is None:
        return "the CPU"
    exact = build.best is not None and build.best.exact
    return f"CUDA {build.cuda}" if exact else f"CUDA {build.cuda.major}"
