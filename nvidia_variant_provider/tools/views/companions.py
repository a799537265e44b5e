"""torchvision and torchaudio: the build of the torch that they go with.

They are built beside one torch and take its label. Where they have no wheel of that label, or lack
device code of their own, that is a warning: torch may serve without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.specifiers import SpecifierSet

from nvidia_variant_provider.tools.torch.builds import cuda_of_label, pins_torch, torch_release_of
from nvidia_variant_provider.tools.views.cuda_builds import own_code_lacks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.views.coverage_of_tags import PlatformClass
    from nvidia_variant_provider.tools.views.model import Build, VersionView, View

# Compares CUDA major and minor when it is imported, and raises RuntimeError where they differ:
# torchaudio/_extension/utils.py of torchaudio 2.11.0. torchvision compares the major alone.
_COMPARES_MINOR: Final = "torchaudio"


def torch_labels(view: View, asked_for: str = "") -> dict[str, str]:
    """Return the releases of torch with a build for the GPU, newest first, with their labels.

    ``asked_for`` is what a command asks for: ``==2.11.0``. What does not match is left out.
    """
    specifiers = SpecifierSet(asked_for)
    return {
        str(version.version): version.best.label
        for version in view.versions
        if version.best is not None
        and version.best.tier.is_gpu
        and not (version.hidden or version.is_yanked)
        and specifiers.contains(version.version, prereleases=bool(asked_for) or None)
    }


def label_beside(project: str, version: str, labels: Mapping[str, str]) -> str:
    """Return the label of the torch that a version goes with; "" where that is not known.

    A version that pins no torch goes with the newest.
    """
    pair = torch_release_of(project, version)
    if pair is None or not pins_torch(project, version):
        return next(iter(labels.values()), "")
    return labels.get(pair, "")


def warnings(
    project: str,
    newest: VersionView,
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
    beside = label_beside(project, version, labels)
    if beside and _differ(project, best.label, beside):
        torch = next(release for release, label in labels.items() if label == beside)
        yield (
            f"{project} {version} has no build for the CUDA of torch {torch} ({beside}); this one "
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
