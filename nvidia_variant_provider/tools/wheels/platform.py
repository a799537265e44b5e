"""Which machines the platform tags of a wheel admit, and which Pythons its Requires-Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.model import Platform

_GLIBC: Final = re.compile(r"manylinux_(\d{1,4})_(\d{1,4})_")
# The names of before PEP 600, which says what they mean.
_OLD_GLIBC: Final = {"manylinux1_": (2, 5), "manylinux2010_": (2, 12), "manylinux2014_": (2, 17)}
_ANY: Final = "any"
_WINDOWS: Final = {"x86_64": "win_amd64", "aarch64": "win_arm64"}
_BY_LIBC: Final = {"glibc": "manylinux", "musl": "musllinux_"}


def admits(tags: Iterable[str], platform: Platform) -> bool:
    """Tell whether one of a wheel's platform tags, such as ``manylinux_2_28_x86_64``, fits.

    A machine of unknown C library counts as one of glibc, one of unknown processor as x86-64. The
    versions of C libraries and of macOS are not judged: they are not known.
    """
    system, cpu = platform.system, platform.architecture or "x86_64"
    if system == "linux":
        starts = ("linux_", _BY_LIBC.get(platform.libc or "glibc", "linux_"))
        return any(
            tag == _ANY or (tag.startswith(starts) and tag.endswith(f"_{cpu}")) for tag in tags
        )
    if system == "darwin":
        ends = (f"_{cpu}", "_universal2")
        return any(
            tag == _ANY or (tag.startswith("macosx_") and tag.endswith(ends)) for tag in tags
        )
    return any(tag == _ANY or (system == "win32" and tag == _WINDOWS.get(cpu)) for tag in tags)


def admits_python(wanted: str, version: str) -> bool:
    """Tell whether a ``Requires-Python`` admits a version of Python, such as "3.11.7".

    None and a malformed one do: installers differ there, and lint reports it.
    """
    try:
        return SpecifierSet(wanted).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def needed_glibc(tags: Iterable[str], platform: Platform) -> tuple[int, int] | None:
    """Return the oldest glibc on which one of the tags that fit a platform installs.

    ``None`` where none of them is needed: for ``any``, ``linux_x86_64``, and other systems.
    """
    fitting = [tag for tag in tags if admits([tag], platform)]
    needed = [_glibc_of(tag) for tag in fitting]
    known = [version for version in needed if version is not None]
    return min(known) if known and len(known) == len(needed) else None


def _glibc_of(tag: str) -> tuple[int, int] | None:
    if stated := _GLIBC.match(tag):
        return int(stated[1]), int(stated[2])
    return next((version for start, version in _OLD_GLIBC.items() if tag.startswith(start)), None)
