"""The wheels without a label in a folder or an index: each build, and whether it runs on a machine.

Of an index METADATA alone is fetched: beside the wheel (PEP 658), or parts of it; small wheels of a
server that gives no parts are fetched whole.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.explain.fitness import Fitness, fitness_of
from nvidia_variant_provider.tools.explain.ordinary import (
    build_of_metadata,
    build_of_wheel,
    platform_of_wheel,
)
from nvidia_variant_provider.tools.torch.backend import platform_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.explain.ordinary import InstalledBuild
    from nvidia_variant_provider.tools.releases.release import Release
    from nvidia_variant_provider.tools.wheels.name import WheelName

_AT_ONCE: Final = 4


def builds_of(
    release: Release, told: Callable[[int, str], None] = lambda _more, _name: None
) -> tuple[tuple[InstalledBuild, ...], dict[str, str]]:
    """Return one build for each label and platform among a release's wheels without a label.

    Wheels in which nothing speaks of CUDA, those for platforms without CUDA, and those that lie
    nowhere are left out. Those that cannot be read are told of by file name, with the reason.
    ``told`` is called for each wheel, with its name.
    """
    unread: dict[str, str] = {}
    builds: dict[tuple[str, str], InstalledBuild] = {}
    for wheel, read in _with_results(release, wheels_to_read(release)):
        told(1, str(wheel))
        try:
            build = read()
        except OSError as error:
            unread[str(wheel)] = error.strerror or str(error)
            continue
        except InvalidValueError as error:
            unread[str(wheel)] = str(error).removeprefix(f"{release.path_of(wheel)}: ")
            continue
        if build.best is not None or build.uses:
            builds.setdefault((build.label, build.platform), build)
    return tuple(builds.values()), unread


def wheels_to_read(release: Release) -> tuple[WheelName, ...]:
    """Return the wheels without a label that tell what the release has without one.

    Of an index it is one for each platform, as each costs a request; of a folder all.
    """
    plain = [
        wheel
        for wheel in release.wheels or ()
        if not wheel.label and platform_of_wheel(wheel) is not None
    ]
    if release.read_core is None:
        return tuple(wheel for wheel in plain if release.path_of(wheel))
    # The last is for the newest Python.
    return tuple({platform_of_wheel(wheel): wheel for wheel in plain}.values())


def _with_results(
    release: Release, wheels: Sequence[WheelName]
) -> Iterator[tuple[WheelName, Callable[[], InstalledBuild]]]:
    """Yield each wheel with the function that returns its build, or raises what went wrong."""
    if release.read_core is None:
        for wheel in wheels:
            yield wheel, partial(build_of_wheel, wheel, release.path_of(wheel))
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [
            (wheel, pool.submit(_build_on_index, wheel, release.read_core)) for wheel in wheels
        ]
        yield from ((wheel, future.result) for wheel, future in futures)


def _build_on_index(wheel: WheelName, read_core: Callable[[str], bytes]) -> InstalledBuild:
    return build_of_metadata(wheel, read_core(str(wheel)))


def judged_for(
    builds: tuple[InstalledBuild, ...], machine: Machine
) -> tuple[tuple[InstalledBuild, Fitness], ...]:
    """Judge the builds for a machine's platform; a build for no known platform counts for all."""
    here = platform_of(machine)
    fitting = [build for build in builds if build.platform in {"", here}]
    return tuple((build, fitness_of(build, machine)) for build in fitting)
