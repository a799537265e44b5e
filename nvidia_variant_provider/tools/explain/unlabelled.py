"""The wheels without a label in a folder: each kind of build, and whether it runs on a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.explain.fitness import Fitness, fitness_of
from nvidia_variant_provider.tools.explain.ordinary import build_of_wheel
from nvidia_variant_provider.tools.torch.backend import platform_of

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.explain.ordinary import InstalledBuild
    from nvidia_variant_provider.tools.releases.release import Release


def builds_of(release: Release) -> tuple[tuple[InstalledBuild, ...], dict[str, str]]:
    """Return one build for each label and platform among a release's wheels without a label.

    Wheels in which nothing speaks of CUDA, and those that lie elsewhere, are left out. Those that
    cannot be read are told of by file name, with the reason.
    """
    unread: dict[str, str] = {}
    found: dict[tuple[str, str], InstalledBuild] = {}
    for wheel in release.wheels or ():
        path = release.path_of(wheel)
        if wheel.label or not path:
            continue
        try:
            build = build_of_wheel(wheel, path)
        except OSError as error:
            unread[str(wheel)] = error.strerror or str(error)
            continue
        except InvalidValueError as error:
            unread[str(wheel)] = str(error).removeprefix(f"{path}: ")
            continue
        if build.best is not None or build.uses:
            found.setdefault((build.label, build.platform), build)
    return tuple(found.values()), unread


def judged_for(
    builds: tuple[InstalledBuild, ...], machine: Machine
) -> tuple[tuple[InstalledBuild, Fitness], ...]:
    """Judge the builds for a machine's platform; a build for no known platform counts for all."""
    here = platform_of(machine)
    fitting = [build for build in builds if build.platform in {"", here}]
    return tuple((build, fitness_of(build, machine)) for build in fitting)
