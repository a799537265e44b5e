"""Which builds of torch a family of per-CUDA indexes has for a platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.views.upstream import CudaFamily
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Mapping

_TORCH: Final = "torch"
# How the tags of a platform of the table begin and end.
_TAGS: Final = {
    "linux-x86_64": ("manylinux", "linux", "x86_64"),
    "linux-aarch64": ("manylinux", "linux", "aarch64"),
    "windows-x86_64": ("win", "win", "amd64"),
    "windows-aarch64": ("win", "win", "arm64"),
}


def read_labels(
    address: str, platform: str, environ: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Return the labels, such as ``cu126``, of each release that has wheels for a platform.

    Pre-releases are left out. Raises ``UpstreamError`` if the address cannot be reached.
    """
    family = CudaFamily(Fetcher(environ), address, frozenset({_TORCH}))
    found: dict[str, set[str]] = {}
    for label, files in family.files(_TORCH).items():
        for file in files:
            release = _release_for(file.name, platform)
            if release:
                found.setdefault(release, set()).add(label)
    return {release: frozenset(labels) for release, labels in found.items()}


def _release_for(name: str, platform: str) -> str:
    """Return the public version of a wheel for a platform; "" for any other file."""
    try:
        wheel = WheelName.parse(name)
    except InvalidValueError:
        return ""
    public = wheel.version.partition("+")[0]
    first, other, last = _TAGS[platform]
    fits = any(
        tag.startswith((first, other)) and tag.endswith(last) for tag in wheel.platform.split(".")
    )
    return public if fits and public.replace(".", "").isdecimal() else ""
