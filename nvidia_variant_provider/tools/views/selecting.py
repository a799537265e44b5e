"""The view: of every version the best build's wheels, under names that every installer reads.

Pure: values in, values out. docs/views.md says what is shown and why.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.installers.asked_for import label_asked_for
from nvidia_variant_provider.tools.torch.backend import CPU
from nvidia_variant_provider.tools.views.candidates import has_builds, sort_files
from nvidia_variant_provider.tools.views.companions import Beside, beside_torch, pair_of
from nvidia_variant_provider.tools.views.coverage_of_tags import (
    ANY,
    class_of_platform,
    class_of_tag,
    covers,
)
from nvidia_variant_provider.tools.views.judging import Judges, judge
from nvidia_variant_provider.tools.views.model import Build, Shown, Tier, VersionView, View
from nvidia_variant_provider.tools.views.words import warnings_of
from nvidia_variant_provider.tools.wheels.platform import admits_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.tags import Tag
    from packaging.version import Version

    from nvidia_variant_provider.tools.releases.pages import PageFile
    from nvidia_variant_provider.tools.views.candidates import Candidate, VersionFiles
    from nvidia_variant_provider.tools.views.coverage_of_tags import PlatformClass, PythonAbi
    from nvidia_variant_provider.tools.views.judging import JudgedBuild
    from nvidia_variant_provider.tools.views.model import Interpreter, Source, Wanted


def make_view(source: Source, wanted: Wanted) -> View:
    """Return what a plain installer may see of a project."""
    by_version = sort_files(source)
    asked = wanted.versions_of(source.project)
    beside = beside_torch(source, (files.version for files in by_version if files.wheels), asked)
    versions = [
        _version_view(files, source, wanted, beside.get(files.version, Beside()))
        for files in by_version
    ]
    versions = list(_without_cpu_versions(versions, wanted))
    view = View(source.project, tuple(versions), asked=asked)
    here = class_of_target(wanted)
    return replace(view, warnings=tuple(warnings_of(source, view, wanted, beside, here)))


def concerns(source: Source) -> bool:
    """Tell whether a project has builds to choose among; of others the page stays as it is."""
    return source.is_cuda_project or has_builds(source)


def _version_view(
    files: VersionFiles, source: Source, wanted: Wanted, beside: Beside
) -> VersionView:
    # What a companion was built with is that of the torch it pairs with, before anything else.
    release = beside.built_with or pair_of(source, files.version).torch or beside.torch
    judges = Judges(
        machine=wanted.machine,
        project=source.project,
        version=str(files.version),
        metadata=source.metadata.get(files.version),
        trouble=source.troubles.get(files.version, ""),
        torch_release=release,
        is_cuda_project=source.is_cuda_project,
        stated={
            label: stated
            for (version, label), stated in source.stated.items()
            if version == release
        },
        here=class_of_target(wanted),
        beside=beside.label,
    )
    here = class_of_target(wanted)
    wheels = [wheel for wheel in files.wheels if _has_cpu(wheel.classes, wanted.architectures)]
    classes = {platform for wheel in wheels for platform in wheel.classes}
    by_class = {
        platform: judge(_of_class(wheels, platform), platform, judges)
        for platform in sorted(classes)
    }
    local = by_class.get(here) or by_class.get(ANY) or []
    asked_label = _asked_label(files.version, source.project, wanted, beside, local)
    chosen: dict[Candidate, Build] = {}
    for builds in by_class.values():
        offered = _show(_named(builds, asked_label) or builds)
        chosen.update((wheel, build) for wheel, build in offered if wheel not in chosen)
    if wanted.interpreter is not None:
        chosen = dict(_for_interpreter(chosen, local, wanted.interpreter))
    shown = (*_shown_wheels(chosen), *(Shown(sdist.name, sdist) for sdist in files.sdists))
    best = _best(chosen, local, here, wanted.interpreter)
    return VersionView(
        files.version,
        shown,
        tuple(judged.build for judged in local),
        best[1] if best else None,
        is_yanked=best is not None and best[0].file.is_yanked,
        asked_label=asked_label,
    )


def _asked_label(
    version: Version, project: str, wanted: Wanted, beside: Beside, builds: Sequence[JudgedBuild]
) -> str:
    """Return the build of a version that is asked for by name: ``cu128`` in ``==2.11.0+cu128``.

    A companion of a CPU build of torch, which is there by request alone on a machine with a GPU, is
    asked for with it: any other fails beside it.
    """
    release, label = label_asked_for(wanted.versions_of(project))
    if not label and beside.label == CPU and wanted.has_gpu:
        release, label = str(version), CPU
    there = {judged.build.label for judged in builds}
    return label if label in there and release == str(version) else ""


def _named(builds: Sequence[JudgedBuild], label: str) -> list[JudgedBuild]:
    """Return the builds that a label names; those whose wheels have it as local version, if any."""
    named = [judged for judged in builds if label and judged.build.label == label]
    with_local = [
        judged
        for judged in named
        if any(wheel.wheel.version.endswith(f"+{label}") for wheel in judged.wheels)
    ]
    return with_local or named


def class_of_target(wanted: Wanted) -> PlatformClass:
    """Return the class of platforms that is installed for: the interpreter's, where it is known.

    A target on another processor, ``gh200@580`` on x86-64, is installed for with the Python here.
    """
    tags = wanted.interpreter.tags if wanted.interpreter else ()
    first = class_of_tag(tags[0].platform) if tags else ANY
    return class_of_platform(wanted.machine.platform) if first == ANY else first


def _has_cpu(classes: frozenset[PlatformClass], architectures: Sequence[str]) -> bool:
    """Tell whether a wheel may be for a machine with one of some CPUs.

    Those of Windows and macOS are left alone: a project that is locked for a server is also worked
    on elsewhere.
    """
    return not architectures or any(
        system != "linux" or architecture in architectures for system, architecture, _ in classes
    )


def _of_class(wheels: Sequence[Candidate], platform: PlatformClass) -> list[Candidate]:
    return [wheel for wheel in wheels if platform in wheel.classes or ANY in wheel.classes]


def _show(builds: Sequence[JudgedBuild]) -> Iterator[tuple[Candidate, Build]]:
    """Yield the wheels to show of one platform: what no better build covers.

    Yanked wheels come after all others, as installers have it. Builds that do not fit the machine
    are shown only where there is nothing else.
    """
    covered: set[PythonAbi] = set()
    can_be_shown = [judged for judged in builds if judged.can_be_shown]
    for is_yanked in (False, True):
        live = [
            (judged.build, [wheel for wheel in judged.wheels if wheel.file.is_yanked is is_yanked])
            for judged in can_be_shown
        ]
        live = [(build, wheels) for build, wheels in live if wheels]
        fitting = [(build, wheels) for build, wheels in live if build.tier is not Tier.UNFIT]
        for build, wheels in fitting or live[:1]:
            mine = [wheel for wheel in wheels if not covers(covered, wheel.pythons)]
            yield from ((wheel, build) for wheel in mine)
            covered.update(pair for wheel in mine for pair in wheel.pythons)


def _for_interpreter(
    chosen: dict[Candidate, Build], builds: Sequence[JudgedBuild], interpreter: Interpreter
) -> Iterator[tuple[Candidate, Build]]:
    """Leave out the worse wheels that the target's Python could take in place of the best."""
    installable = {
        wheel: build
        for wheel, build in chosen.items()
        if is_installable(wheel.wheel_tags, wheel.file, interpreter)
    }
    best = _first(installable, builds)
    for wheel, build in chosen.items():
        if best is None or wheel not in installable or build == best[1]:
            yield wheel, build


def _first(
    chosen: Mapping[Candidate, Build], builds: Sequence[JudgedBuild]
) -> tuple[Candidate, Build] | None:
    """Return the wheel that comes first: yanked ones last, then by the order of builds."""
    order = [judged.build for judged in builds]

    if len(chosen) == 1:
        return next(iter(chosen.items()))

    def place(item: tuple[Candidate, Build]) -> tuple[bool, int, Tier]:
        wheel, build = item
        known = order.index(build) if build in order else len(order)
        return wheel.file.is_yanked, known, build.tier

    return min(chosen.items(), key=place, default=None)


def is_installable(tags: frozenset[Tag], file: PageFile, interpreter: Interpreter) -> bool:
    """Tell whether a target's Python takes a wheel with some tags."""
    if not tags.intersection(interpreter.tags):
        return False
    return admits_python(file.requires_python, interpreter.version)


def _best(
    chosen: dict[Candidate, Build],
    builds: Sequence[JudgedBuild],
    here: PlatformClass,
    interpreter: Interpreter | None,
) -> tuple[Candidate, Build] | None:
    """Return the wheel that the machine gets of a version, and its build."""
    mine = {
        wheel: build
        for wheel, build in chosen.items()
        if (
            is_installable(wheel.wheel_tags, wheel.file, interpreter)
            if interpreter is not None
            else here in wheel.classes or ANY in wheel.classes
        )
    }
    return _first(mine, builds)


def _shown_wheels(chosen: dict[Candidate, Build]) -> Iterator[Shown]:
    """Yield one file a name: of two with the same name the better build's."""
    seen = set()
    # Some installers take the first of several build tags on a page, the others the highest.
    for wheel, build in sorted(chosen.items(), key=lambda item: item[0].build_number, reverse=True):
        if wheel.plain_name not in seen:
            seen.add(wheel.plain_name)
            yield Shown(wheel.plain_name, wheel.file, wheel.wheel, build, wheel.variant)


def _without_cpu_versions(versions: Sequence[VersionView], wanted: Wanted) -> Iterator[VersionView]:
    """Hide the versions that end at a CPU build while another one has a build for the GPU."""
    with_gpu = [version for version in versions if _has_gpu_build(version, wanted)]
    for version in versions:
        best = version.best
        is_asked = wanted.any_version or version.asked_label
        if not with_gpu or is_asked or best is None or best.tier.is_gpu:
            yield version
            continue
        newest = with_gpu[0]
        gpu = newest.best
        label = f" ({gpu.label})" if gpu and gpu.label else ""
        reason = f"{_why_not_gpu(version)}; {newest.version}{label} has a build for this GPU"
        yield replace(version, hidden=reason)


def _why_not_gpu(version: VersionView) -> str:
    unfit = [build for build in version.builds if build.tier is Tier.UNFIT]
    why = f" ({unfit[0].label or 'its own wheel'}: {unfit[0].reason})" if unfit else ""
    return f"no build for this GPU{why}"


def _has_gpu_build(version: VersionView, wanted: Wanted) -> bool:
    if not wanted.has_gpu or version.best is None or not version.best.tier.is_gpu:
        return False
    return not version.is_yanked and (wanted.prereleases or not version.version.is_prerelease)
