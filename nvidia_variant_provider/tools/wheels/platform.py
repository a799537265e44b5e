"""Which machines the platform tags of a wheel admit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.model import Platform

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
