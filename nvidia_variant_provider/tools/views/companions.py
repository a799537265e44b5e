"""torchvision and torchaudio: the build of the torch that they go with.

They are built beside one torch and take its label. Where they have no wheel of that label, or lack
device code of their own, that is a warning: torch may serve without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.version import InvalidVersion, Version

from nvidia_variant_provider.tools.installers.asked_for import label_asked_for, matches
from nvidia_variant_provider.tools.torch.builds import (
    TORCH,
    cuda_of_label,
    pins_torch,
    release_order,
    torch_release_of,
)
from nvidia_variant_provider.tools.views.cuda_builds import default_label, own_code_lacks
from nvidia_variant_provider.tools.views.model import Pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.views.coverage_of_tags import PlatformClass
    from nvidia_variant_provider.tools.views.model import Build, Source, VersionView, View, Wanted

# Compares CUDA major and minor when it is imported, and raises RuntimeError where they differ:
# torchaudio/_extension/utils.py of torchaudio 2.11.0. torchvision compares the major alone.
_COMPARES_MINOR: Final = "torchaudio"


@dataclass(frozen=True, slots=True)
class Beside:
    """What a version of a companion goes with: a release of torch and the label of its build.

    ``built_with`` is the release that it was built with. All are "" where that is not known.
    """

    torch: str = ""
    label: str = ""
    built_with: str = ""


def torch_labels(view: View, wanted: Wanted, platform: PlatformClass) -> dict[str, str]:
    """Return the releases of torch that an installer may take, the first one first, with labels.

    These are the ones with a build for the GPU that match what is asked for, newest first. A build
    that is asked for by its label, or that is installed and stays, has its own label.
    """
    asked = wanted.versions_of(TORCH)
    labels = {
        str(version.version): version.best.label
        for version in view.versions
        if version.best is not None
        and (version.best.tier.is_gpu or version.asked_label)
        and not (version.hidden or version.is_yanked)
        and (asked or not version.version.is_prerelease or wanted.prereleases)
        and matches(version.version, asked)
    }
    release, _, label = wanted.installed_torch.partition("+")
    if release and _is_release(release) and matches(Version(release), asked):
        named = label_asked_for(asked)[1]
        if not named or named == label:
            own = label or default_label(release, platform)[0] or labels.get(release, "")
            labels = {release: own, **{key: labels[key] for key in labels if key != release}}
    return labels


def _is_release(text: str) -> bool:
    try:
        return bool(Version(text))
    except InvalidVersion:
        return False


def pair_of(source: Source, version: Version) -> Pair:
    """Return what a version requires of torch: by the table, or else by its own METADATA."""
    text = str(version)
    release = torch_release_of(source.project, text)
    if release is None:
        return source.pairs.get(text, Pair())
    return Pair(release, is_exact=pins_torch(source.project, text))


def beside_torch(
    source: Source, versions: Iterable[Version], asked_for: str
) -> dict[Version, Beside]:
    """Return the torch that each version of a companion goes with; ``versions`` newest first.

    A version that requires one torch goes with that. Any other goes with the newest torch for
    which no newer version was made, as installers take the newest version that goes with a torch.
    """
    goes_with: dict[Version, Beside] = {}
    until = newer = ""
    for version in versions:
        pair = pair_of(source, version)
        torch = pair.torch if pair.is_exact else _newest(source.torch_labels, pair.torch, until)
        built_with = pair.torch
        if str(version) in source.pairs and not pair.is_exact:
            # What it requires is a bound alone: it was built with the newest torch of its day.
            built_with = _newest(source.torch_releases, pair.torch, newer) or pair.torch
        goes_with[version] = Beside(torch, source.torch_labels.get(torch, ""), built_with)
        if pair.torch and not version.is_prerelease:
            newer = built_with
            until = pair.torch if matches(version, asked_for) else until
    return goes_with


def _newest(labels: Iterable[str], since: str, until: str) -> str:
    """Return the first release in a range, or else the first that is not older.

    Of a version of which nothing is known, and that is older than all with a torch here, it is the
    torch of the next newer version.
    """
    not_older = [
        release for release in labels if not since or release_order(release) >= release_order(since)
    ]
    in_range = (
        release
        for release in not_older
        if not until or release_order(release) < release_order(until)
    )
    nearest = until if until and not since else next(iter(not_older), "")
    return next(in_range, nearest)


def warnings(
    project: str,
    newest: VersionView,
    beside: Beside,
    labels: Mapping[str, str],
    platform: PlatformClass,
    machine: Machine,
) -> Iterator[str]:
    """Say what is wrong with the newest version that is shown, beside the torch it goes with."""
    version, best = str(newest.version), newest.best
    if best is None or cuda_of_label(best.label) is None:
        return
    if lacks := own_code_lacks(project, version, best.label, platform, machine):
        yield f"{project} {version}: {best.label}: its own kernels have {lacks}"
    if _differ(project, best.label, beside.label):
        yield (
            f"{project} {version} has no build for the CUDA of torch {beside.torch} "
            f"({beside.label}); this one "
            f"({best.label}) fails when it is imported beside it{_instead(newest.builds, labels)}"
        )


def _differ(project: str, label: str, other: str) -> bool:
    mine, its = cuda_of_label(label), cuda_of_label(other)
    if mine is None or its is None:
        return False
    return mine != its if project == _COMPARES_MINOR else mine.major != its.major


def _instead(builds: tuple[Build, ...], labels: Mapping[str, str]) -> str:
    """Name the newest torch that has the CUDA of one of the builds."""
    mine = {build.label for build in builds if build.tier.is_gpu}
    for release, label in labels.items():
        if label in mine:
            return f": ask for torch=={release} with it, which is {label}, too"
    return ""
