"""What a view says: warnings about the version that is installed, and why none is for the GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.torch_domains import PROJECTS
from nvidia_variant_provider.tools.installers.asked_for import label_asked_for, matches
from nvidia_variant_provider.tools.views.companions import Beside
from nvidia_variant_provider.tools.views.companions import warnings as warnings_beside_torch
from nvidia_variant_provider.tools.views.model import NO_FIT, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.version import Version

    from nvidia_variant_provider.tools.views.coverage_of_tags import PlatformClass
    from nvidia_variant_provider.tools.views.model import Source, VersionView, View, Wanted

MAIN: Final = "the main index's own wheel: "
"""What the reason of a build without a label starts with."""
_MOST: Final = 4
_MEGABYTE: Final = 1_000_000


def warnings_of(
    source: Source,
    view: View,
    wanted: Wanted,
    beside: Mapping[Version, Beside],
    here: PlatformClass,
) -> Iterator[str]:
    """Yield what is wrong with the newest version that is asked for; ``here`` is its platform."""
    for version, trouble in source.troubles.items():
        yield f"{source.project} {version}: its variants are left out: {trouble}"
    newest = view.newest_shown
    if newest is None or newest.best is None:
        return
    if not wanted.has_gpu:
        if not wanted.machine.gpus:
            yield from _needless(view, newest)
        return
    name = f"{source.project} {newest.version}"
    if newest.asked_label:
        if label_asked_for(view.asked)[1]:
            yield from _not_the_best(source.project, newest)
    elif newest.best.is_assumed or newest.best.is_partial:
        yield f"{name}: {newest.best.label}: {newest.best.reason}"
    if newest.best.tier is Tier.UNFIT and not newest.asked_label:
        yield f"{name}: {NO_FIT}: {newest.best.reason}"
    elif source.torch_labels:
        goes_with = beside.get(newest.version, Beside())
        yield from warnings_beside_torch(
            source.project, newest, goes_with, source.torch_labels, here, wanted.machine
        )


def _needless(view: View, version: VersionView) -> Iterator[str]:
    """Say that a machine without a GPU gets a build for GPUs, as there is no other."""
    build = version.best
    is_needless = build and build.tier is Tier.UNFIT and build.is_for_gpus
    if not is_needless or build is None or view.project in PROJECTS:
        return
    sizes = [shown.file.size for shown in version.shown if shown.build == build and shown.file.size]
    size = f", {max(sizes) // _MEGABYTE} MB" if max(sizes, default=0) > _MEGABYTE else ""
    yield (
        f"{view.project} {version.version}: a build for CUDA ({build.label}{size}), which brings "
        "NVIDIA's libraries, is shown on a machine without a GPU: no index that was asked has a "
        "CPU build; per-CUDA indexes have one: --cuda-index URL"
    )


def _not_the_best(project: str, version: VersionView) -> Iterator[str]:
    """Say that another build of a version fits, where the one that is asked for does not."""
    build, better = version.best, version.builds[0]
    if build is None or build.tier <= better.tier:
        return
    yield (
        f"{project} {version.version}+{build.label} is asked for by name, and is no build for this "
        f"GPU: {build.reason}; ask for {project}=={version.version}, which is "
        f"{better.label or 'a build without a label'} here"
    )


def no_gpu_build(view: View) -> str:
    """Say why a project would end at a CPU build; "" if it would not, or has no builds by label.

    Versions of one label that lack the same are one reason, the newest ones first; at most four
    reasons are named.
    """
    labels = {build.label for version in view.versions for build in version.builds}
    newest = view.ends_at_cpu
    if newest is None or labels <= {""}:
        return ""
    if newest.asked_label:
        reason = newest.best.reason if newest.best else ""
        return (
            f"{newest.version}+{newest.asked_label} is asked for, no build for this GPU: {reason}"
        )
    reasons = list(_reasons(view))
    named = reasons[:_MOST] or ["the index has CPU builds alone"]
    more = f"; {len(reasons) - _MOST} more" if len(reasons) > _MOST else ""
    return f"no build for this GPU: {'; '.join(named)}{more}"


def _reasons(view: View) -> Iterator[str]:
    """Yield a reason for each label: ``cu126 (2.6.0 to 2.14.1): CUDA 12.6 needs …``."""
    groups: dict[tuple[str, str], list[Version]] = {}
    for version in view.versions:
        for build in version.builds if matches(version.version, view.asked) else ():
            if build.is_for_gpus and build.tier is Tier.UNFIT:
                key = build.label, build.reason.removeprefix(MAIN)
                groups.setdefault(key, []).append(version.version)
    for (label, reason), versions in groups.items():
        first, last = versions[-1], versions[0]
        span = f"{first} to {last}" if first != last else str(last)
        yield f"{label} ({span}): {reason}"
