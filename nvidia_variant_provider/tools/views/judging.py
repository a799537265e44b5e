"""The builds of one version on one platform, best first, judged by the rules of ``explain``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from nvidia_variant_provider.model import Platform
from nvidia_variant_provider.tools.explain.views import explain_provider
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE
from nvidia_variant_provider.tools.releases.release import Release
from nvidia_variant_provider.tools.torch.builds import cuda_of_label
from nvidia_variant_provider.tools.views.coverage_of_tags import ANY
from nvidia_variant_provider.tools.views.cuda_builds import default_label, judge_label
from nvidia_variant_provider.tools.views.model import Build, Tier
from nvidia_variant_provider.tools.views.words import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.metadata.model import VariantMetadata
    from nvidia_variant_provider.tools.views.candidates import Candidate
    from nvidia_variant_provider.tools.views.coverage_of_tags import PlatformClass
    from nvidia_variant_provider.tools.views.model import Stated


@dataclass(frozen=True, slots=True)
class Judges:
    """What builds of one version are judged by.

    ``torch_release`` is the torch release that the version is or pairs with, "" where that is not
    known. ``is_cuda_project`` says that wheels of the main index without a label are builds of a
    CUDA toolkit, too. ``stated`` is what the builds for the platform ``here`` say of themselves, by
    label, and ``beside`` the label of the torch that the version goes with there.
    """

    machine: Machine
    project: str
    version: str
    metadata: VariantMetadata | None = None
    trouble: str = ""
    torch_release: str = ""
    is_cuda_project: bool = False
    stated: Mapping[str, Stated] = field(default_factory=dict)
    here: PlatformClass | None = None
    beside: str = ""


class _Order(NamedTuple):
    tier: Tier
    kind: int
    place: int
    is_elsewhere: bool


@dataclass(frozen=True, slots=True)
class JudgedBuild:
    """A build with its wheels; ``can_be_shown`` is false for a variant that does not fit."""

    build: Build
    wheels: tuple[Candidate, ...]
    order: _Order
    can_be_shown: bool = True


def judge(
    candidates: Sequence[Candidate], platform: PlatformClass, judges: Judges
) -> list[JudgedBuild]:
    """Return the builds of a version among wheels for one platform, the best one first."""
    builds = [*_variants(candidates, platform, judges), *_others(candidates, platform, judges)]
    return sorted(builds, key=lambda build: build.order)


def _variants(
    candidates: Sequence[Candidate], platform: PlatformClass, judges: Judges
) -> Iterator[JudgedBuild]:
    wheels = [wheel for wheel in candidates if wheel.variant]
    if not wheels:
        return
    release = Release(
        judges.project,
        judges.version,
        "",
        tuple(wheel.wheel for wheel in candidates if wheel.variant or not wheel.cuda),
        judges.metadata,
        trouble=judges.trouble,
    )
    for row in explain_provider(release, _machine_of(platform, judges.machine)).rows:
        mine = tuple(wheel for wheel in wheels if wheel.variant == row.label)
        if not mine:
            continue
        stated = judges.metadata.variants.get(row.label, {}) if judges.metadata else {}
        fits = row.place is not None
        tier = (Tier.GPU if NVIDIA_NAMESPACE in stated else Tier.CPU) if fits else Tier.UNFIT
        order = _Order(tier, 0, row.place or 0, is_elsewhere=False)
        yield JudgedBuild(Build(row.label, tier, row.reason), mine, order, fits)


def _machine_of(platform: PlatformClass, machine: Machine) -> Machine:
    """Return the machine as if it had the platform of the wheels."""
    return machine if platform == ANY else replace(machine, platform=Platform(*platform))


def _others(
    candidates: Sequence[Candidate], platform: PlatformClass, judges: Judges
) -> Iterator[JudgedBuild]:
    groups: dict[tuple[str, bool, bool], list[Candidate]] = {}
    for candidate in candidates:
        if not candidate.variant:
            is_own = judges.is_cuda_project and candidate.is_own_build
            key = candidate.cuda, candidate.is_main, is_own
            groups.setdefault(key, []).append(candidate)
    for (label, is_main, is_own), wheels in groups.items():
        if is_own:
            yield _unknown(tuple(wheels), judges.machine)
        else:
            yield _judged(label, tuple(wheels), platform, judges, is_main=is_main)


def _unknown(wheels: tuple[Candidate, ...], machine: Machine) -> JudgedBuild:
    """Return a build that whoever has the index made: it is for their machines, as far as we know.

    So are NVIDIA's own for Jetson.
    """
    tier = Tier.GPU_UNDECIDED if machine.gpus else Tier.CPU
    build = Build("", tier, "built by whoever has the index; what it has code for is not known")
    return JudgedBuild(build, wheels, _Order(tier, 1, 0, is_elsewhere=False))


def _judged(
    label: str,
    wheels: tuple[Candidate, ...],
    platform: PlatformClass,
    judges: Judges,
    *,
    is_main: bool,
) -> JudgedBuild:
    is_assumed = False
    stated = judges.stated.get(label) if platform == judges.here else None
    named = label or (stated.label if stated else "")
    if not named and judges.is_cuda_project:
        named, is_assumed = default_label(judges.torch_release, platform)
    if not named:
        build = Build("", Tier.CPU, "the wheel without a label, for every machine")
        return JudgedBuild(build, wheels, _Order(Tier.CPU, 1, 0, not is_main))
    judged = judge_label(named, judges.torch_release, platform, judges.machine, stated)
    build = judged.build
    if not label:
        build = replace(
            build,
            reason=f"{MAIN}{build.reason}",
            is_assumed=build.is_assumed or is_assumed,
        )
    cuda = cuda_of_label(named)
    # Of equals the newest toolkit leads: it covers as many of the machine's GPUs.
    age = -(cuda.major * 100 + cuda.minor) if cuda else 0
    place = -judged.covered * 100_000 + age
    # Variants come first, then the label of the torch beside it, then other labels.
    kind = 2 if platform == judges.here and judges.beside not in {"", named} else 1
    return JudgedBuild(build, wheels, _Order(build.tier, kind, place, not is_main))
