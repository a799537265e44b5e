"""A release as coverage sees it: its variants, and the wheels there are of each.

How a SOURCE is read is the matter of ``explain``; here are the platforms of its wheels and their
hashes.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.model import Platform
from nvidia_variant_provider.tools.releases import source as source_reader
from nvidia_variant_provider.tools.releases.files import read_wheel_file
from nvidia_variant_provider.tools.releases.release import check_wheel
from nvidia_variant_provider.tools.wheels.platform import admits

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.metadata.model import VariantMetadata
    from nvidia_variant_provider.tools.wheels.name import WheelName

_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Release:
    """The variants of one release. ``wheels`` is ``None`` where only the metadata is at hand."""

    name: str
    version: str
    metadata: VariantMetadata
    wheels: tuple[WheelName, ...] | None = None
    folder: str = ""

    def labels(self, system: str, architecture: str) -> frozenset[str]:
        """Return the labels that have a wheel for a platform; all, if no wheels are known."""
        if self.wheels is None:
            return frozenset(self.metadata.variants)
        return frozenset(
            wheel.label
            for wheel in self.wheels
            if wheel.label in self.metadata.variants and fits(wheel, system, architecture)
        )

    def has_ordinary(self, system: str, architecture: str) -> bool:
        """Whether a wheel without a label fits a platform; unknown counts as no."""
        return any(
            not wheel.label and fits(wheel, system, architecture) for wheel in self.wheels or ()
        )


def fits(wheel: WheelName, system: str, architecture: str) -> bool:
    """Tell whether a wheel fits machines of a list, of which no C library is known."""
    return admits(wheel.platforms, Platform(system, architecture))


def read_release(source: str, package: str = "") -> Release:
    """Read a release from whatever ``explain`` reads: a folder, metadata, a wheel, an index.

    Raises ``InvalidValueError`` naming what is missing.
    """
    found = source_reader.read_release(source, package or None)
    if found.metadata is None:
        seen = found.trouble or "no metadata of variants"
        raise MetadataError(source, "", seen, f"variants of {found.name} {found.version}")
    if not found.listed:
        name = next((it.metadata_name for it in found.wheels or ()), "metadata file")
        expected = f"{name}: without it no installer sees the variants; 'index' writes it"
        raise MetadataError(source, "", "variant wheels alone", expected)
    for wheel in found.wheels or ():
        # The lone wheel that was given has been read already.
        if os.path.isdir(found.origin):
            check_wheel(found, read_wheel_file(found.path_of(wheel)))
    # Only a folder has the bytes that hashes are made of.
    folder = source if os.path.isdir(source) else ""
    return Release(found.name, found.version, found.metadata, found.wheels, folder)


def hash_of(release: Release, wheel: WheelName) -> str:
    """Return the SHA-256 of a wheel of the release, as hexadecimal digits."""
    digest = hashlib.sha256()
    path = os.path.join(release.folder, str(wheel))
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise MetadataError(str(wheel), "", error.strerror or "", "a readable wheel") from error
    return digest.hexdigest()
