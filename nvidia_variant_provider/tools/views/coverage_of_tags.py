"""Which wheels serve at least the interpreters that another wheel serves, told by their tags.

Source: PyPA's specification of platform compatibility tags, and the order of ``packaging.tags``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from nvidia_variant_provider.model import Platform
    from nvidia_variant_provider.tools.wheels.name import WheelName

PythonAbi: TypeAlias = tuple[str, str]

_PYTHON: Final = re.compile(r"(cp|py)(\d)(\d*)")
_LINUX: Final = re.compile(r"(?:(?:many)?linux(?:1|2010|2014|_\d+_\d+)?)_(.+)")
_MUSL: Final = re.compile(r"musllinux_\d+_\d+_(.+)")
_MAC: Final = re.compile(r"macosx_\d+_\d+_(.+)")
_WINDOWS: Final = {"win_amd64": "x86_64", "win_arm64": "aarch64"}
_ABI3: Final = "abi3"
_NONE: Final = "none"

ANY: Final = ("any", "", "")
"""The class of wheels for every platform."""

PlatformClass: TypeAlias = tuple[str, str, str]
"""System, architecture and C library, as in ``Platform``; versions of libraries do not count."""


def classes_of(wheel: WheelName) -> frozenset[PlatformClass]:
    """Return the classes of platforms that a wheel is for."""
    return _classes(wheel.platform)


@lru_cache(maxsize=1024)
def _classes(platform: str) -> frozenset[PlatformClass]:
    return frozenset(class_of_tag(tag) for tag in platform.split("."))


def class_of_platform(platform: Platform) -> PlatformClass:
    """Return the class of a machine; an unknown processor counts as x86-64."""
    libc = (platform.libc or "glibc") if platform.system == "linux" else ""
    return platform.system, platform.architecture or "x86_64", libc


def class_of_tag(tag: str) -> PlatformClass:
    """Return the class of a platform tag, ``manylinux_2_28_x86_64`` for instance."""
    if tag == "any":
        return ANY
    if match := _MUSL.fullmatch(tag):
        return "linux", match[1], "musl"
    if match := _LINUX.fullmatch(tag):
        return "linux", match[1], "glibc"
    if match := _MAC.fullmatch(tag):
        return "darwin", {"arm64": "aarch64", "universal2": "aarch64"}.get(match[1], match[1]), ""
    return "win32", _WINDOWS.get(tag, tag), ""


def pythons_of(wheel: WheelName) -> frozenset[PythonAbi]:
    """Return the pairs of Python and ABI tag: ``py2.py3-none`` has two."""
    return _pythons(wheel.python, wheel.abi)


@lru_cache(maxsize=1024)
def _pythons(pythons: str, abis: str) -> frozenset[PythonAbi]:
    return frozenset((python, abi) for python in pythons.split(".") for abi in abis.split("."))


def covers(better: AbstractSet[PythonAbi], worse: AbstractSet[PythonAbi]) -> bool:
    """Tell whether every interpreter that takes one of ``worse`` also takes one of ``better``."""
    # Most wheels of a version have the same tags.
    if not better or better >= worse:
        return better >= worse
    return all(any(_covers(pair, other) for pair in better) for other in worse)


@lru_cache(maxsize=4096)
def _covers(better: PythonAbi, worse: PythonAbi) -> bool:
    if better == worse:
        return True
    python, abi = _PYTHON.fullmatch(better[0]), better[1]
    other, other_abi = _PYTHON.fullmatch(worse[0]), worse[1]
    if python is None or other is None or python[2] != other[2]:
        return False
    # "py3" is for every minor version, and "cp3" hardly exists.
    reaches = int(python[3] or 0) <= int(other[3] or 0)
    if abi == _NONE and python[1] == "py":
        return reaches
    if abi == _NONE or other[1] == "py":
        return False
    if abi == _ABI3:
        return reaches and not other_abi.endswith("t")
    return python[0] == other[0] and other_abi == _NONE
