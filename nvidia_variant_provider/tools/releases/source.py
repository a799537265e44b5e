"""Sources of releases: a flat folder, a metadata file, a wheel, a lock file, an index page."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.files import missing, read_bounded
from nvidia_variant_provider.tools.metadata.reading import MAX_BYTES
from nvidia_variant_provider.tools.releases.files import (
    LOCK_SUFFIX,
    METADATA_SUFFIX,
    WHEEL_SUFFIX,
    ReleaseKey,
    WheelFile,
    is_lock,
    list_folder,
    read_wheel_file,
)
from nvidia_variant_provider.tools.releases.release import Listing, Release, variant_metadata
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.metadata.model import VariantMetadata

_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


def read_release(source: str, package: str | None = None) -> Release:
    """Return the release that a source offers; ``package`` chooses among several.

    Wheels are opened where no metadata file is beside them. Raises ``InvalidValueError`` for a
    source that cannot be read or offers nothing, and for a lone wheel that pip or uv refuse.
    """
    if _URL.match(source):
        from nvidia_variant_provider.tools.releases.simple_index import read_index

        return read_index(source, package).release(package)
    if source.endswith(LOCK_SUFFIX):
        from nvidia_variant_provider.tools.releases.lock import read_locked_release

        if is_lock(os.path.basename(source)) and os.path.isfile(source):
            return read_locked_release(source, package)
    try:
        if stat.S_ISDIR(os.stat(source).st_mode):
            return _listing(source, list_folder(source)).release(package)
        folder, name = os.path.split(os.path.abspath(source))
        if name.endswith(WHEEL_SUFFIX):
            return _lone_wheel(source, WheelName.parse(name))
        if name.endswith(METADATA_SUFFIX):
            return _beside(source, folder, name)
    except FileNotFoundError as error:
        raise InvalidValueError(f"{source}: {missing(source)}") from error
    except OSError as error:
        raise InvalidValueError(f"{source}: {error.strerror or error}") from error
    raise InvalidValueError(
        f"{source}: expected a folder of wheels, a wheel, a file ending in {METADATA_SUFFIX}, "
        "a pylock.toml, or an index address"
    )


def read_wheel_metadata(path: str) -> VariantMetadata:
    """Return what a variant wheel says of its label; raises ``InvalidValueError``."""
    return variant_metadata(_sound(path))


def _sound(path: str) -> WheelFile:
    file = read_wheel_file(path)
    if file.fault:
        raise InvalidValueError(f"{path}: {file.fault}")
    return file


def _beside(source: str, folder: str, name: str) -> Release:
    """Return the release of a metadata file, with the wheels that lie beside it."""
    key = ReleaseKey.of_metadata(name)
    if key is None:
        raise InvalidValueError(
            f"{source}: no installer looks for this name; expected NAME-VERSION{METADATA_SUFFIX}"
            " with '_' for '-' in name and version"
        )
    others = (other for other in list_folder(folder) if not other.endswith(METADATA_SUFFIX))
    return _listing(folder, [name, *others]).build(key)


def _listing(folder: str, names: Iterable[str]) -> Listing:
    def read(name: str) -> bytes:
        return read_bounded(os.path.join(folder, name), MAX_BYTES)

    def read_wheel(wheel: WheelName) -> WheelFile:
        return read_wheel_file(os.path.join(folder, str(wheel)))

    return Listing(folder, names, read, read_wheel)


def _lone_wheel(path: str, wheel: WheelName) -> Release:
    file = _sound(path)
    metadata, trouble = None, ""
    if wheel.label:
        try:
            metadata = variant_metadata(file)
        except MetadataError as error:
            trouble = str(error)
    return Release(
        wheel.name,
        wheel.version,
        os.path.abspath(path),
        (wheel,),
        metadata,
        trouble=trouble,
        open_wheel=lambda _: file,
    )
