"""The wheels of a release by platform, and their hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.model import Platform
from nvidia_variant_provider.tools.files import sha256_of
from nvidia_variant_provider.tools.releases import source as source_reader
from nvidia_variant_provider.tools.releases.files import ReleaseKey, read_wheel_file
from nvidia_variant_provider.tools.releases.release import check_wheel
from nvidia_variant_provider.tools.wheels.platform import admits

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.releases.release import Release
    from nvidia_variant_provider.tools.wheels.name import WheelName


def labels_on(release: Release, system: str, architecture: str) -> frozenset[str]:
    """Return the labels that have a wheel for a platform; all, if no wheels are known."""
    variants = release.strict.variants
    if release.wheels is None:
        return frozenset(variants)
    return frozenset(
        wheel.label
        for wheel in release.wheels
        if wheel.label in variants and fits(wheel, system, architecture)
    )


def has_ordinary(release: Release, system: str, architecture: str) -> bool:
    """Whether a wheel without a label fits a platform; unknown counts as no."""
    return any(
        not wheel.label and fits(wheel, system, architecture) for wheel in release.wheels or ()
    )


def fits(wheel: WheelName, system: str, architecture: str) -> bool:
    """Tell whether a wheel fits machines of a list, of which no C library is known."""
    return admits(wheel.platforms, Platform(system, architecture))


def read_release(source: str, package: str = "") -> Release:
    """Read a release from whatever ``explain`` reads: a folder, metadata, a wheel, an index.

    Raises ``InvalidValueError`` naming what is missing.
    """
    release = source_reader.read_release(source, package or None)
    _ = release.strict
    if not release.listed:
        keys = map(ReleaseKey.of_wheel, release.wheels or ())
        name = next((key.metadata_name for key in keys), "metadata file")
        expected = f"{name}: without it no installer sees the variants; 'index' writes it"
        raise MetadataError(source, "", "variant wheels alone", expected)
    for wheel in (release.wheels or ()) if release.is_folder else ():
        check_wheel(release, read_wheel_file(release.path_of(wheel)))
    return release


def hash_of(release: Release, wheel: WheelName) -> str:
    """Return the SHA-256 of a wheel of the release, as hexadecimal digits."""
    try:
        return sha256_of(release.path_of(wheel))
    except OSError as error:
        raise MetadataError(str(wheel), "", error.strerror or "", "a readable wheel") from error
