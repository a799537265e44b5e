"""Wheels that an interpreter or its C library shuts out, whatever the GPU.

Of a folder the METADATA of the wheels is read, of an index what its page states.
"""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.releases.files import read_wheel_file
from nvidia_variant_provider.tools.wheels.dist_info import metadata_fields
from nvidia_variant_provider.tools.wheels.platform import admits_python, needed_glibc
from nvidia_variant_provider.value_types import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.model import Platform
    from nvidia_variant_provider.tools.releases.release import Release
    from nvidia_variant_provider.tools.wheels.name import WheelName


@dataclass(frozen=True, slots=True)
class Barred:
    """File names of wheels that are shut out, with the reason; empty where it was not asked.

    ``python`` are those whose ``Requires-Python`` excludes the interpreter, ``glibc`` those that
    need a newer C library than the machine has.
    """

    python: Mapping[str, str] = field(default_factory=dict)
    glibc: Mapping[str, str] = field(default_factory=dict)


def barred_by_python(release: Release, version: str) -> dict[str, str]:
    """Return the wheels that say that they are not for a version of Python, such as "3.11.7"."""
    barred = barred_by_python(release.several.for_pip, version) if release.several else {}
    for wheel in release.wheels or ():
        wanted = _requires_python(release, wheel)
        if not admits_python(wanted, version):
            barred[str(wheel)] = f"requires Python {wanted}, this one is {version}"
    return barred


def barred_by_glibc(
    release: Release, glibc: tuple[int, int] | None, machine: Platform
) -> dict[str, str]:
    """Return the wheels that need a newer glibc than a machine of that platform has.

    ``None`` means that the version is not known: nothing is judged.
    """
    barred = barred_by_glibc(release.several.for_pip, glibc, machine) if release.several else {}
    for wheel in release.wheels or ():
        needed = needed_glibc(wheel.platforms, machine)
        if glibc is not None and needed is not None and needed > glibc:
            barred[str(wheel)] = (
                f"needs glibc {needed[0]}.{needed[1]}, this machine has {glibc[0]}.{glibc[1]}"
            )
    return barred


def this_python() -> str:
    """Return the version of the running interpreter, "3.11.7"."""
    return platform.python_version()


def this_glibc() -> tuple[int, int] | None:
    """Return the version of glibc that this process runs on; ``None`` for another C library."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = version.split(".")[:2]
        return (int(major), int(minor)) if name == "glibc" else None
    except (AttributeError, OSError, ValueError):
        # Windows has no confstr, musl does not know the name.
        return None


def _requires_python(release: Release, wheel: WheelName) -> str:
    path = release.path_of(wheel)
    if not path:
        return release.requires_python.get(str(wheel), "")
    fields = metadata_fields(read_wheel_file(path).metadata, "Requires-Python")
    return next(iter(fields), "")
