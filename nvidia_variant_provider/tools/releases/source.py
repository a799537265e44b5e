"""Sources of releases: a flat folder, a metadata file, a wheel, an index page."""

from __future__ import annotations

import lzma
import os
import re
import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.metadata.document import WHEEL_METADATA_NAME
from nvidia_variant_provider.tools.metadata.reading import MAX_BYTES, parse_wheel_metadata
from nvidia_variant_provider.tools.releases.release import (
    METADATA_SUFFIX,
    WHEEL_SUFFIX,
    Listing,
    Release,
)
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.metadata.model import VariantMetadata

# What zipfile raises for a damaged archive, besides its own error; ours is a ValueError, too.
_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    OSError, EOFError, RuntimeError, ValueError,
)  # fmt: skip
_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


def read_release(source: str, package: str | None = None) -> Release:
    """Return the release that a source offers; ``package`` chooses among several.

    Raises ``InvalidValueError`` for a source that cannot be read or offers nothing.
    """
    if _URL.match(source):
        from nvidia_variant_provider.tools.releases.simple_index import read_index

        return read_index(source, package).release(package)
    try:
        if stat.S_ISDIR(os.stat(source).st_mode):
            return _listing(source, os.listdir(source)).release(package)
        folder, name = os.path.split(os.path.abspath(source))
        if name.endswith(WHEEL_SUFFIX):
            return _lone_wheel(folder, WheelName.parse(name))
        if name.endswith(METADATA_SUFFIX):
            stem = name.removesuffix(METADATA_SUFFIX) + "-"
            beside = (it for it in os.listdir(folder) if it.startswith(stem))
            with open(source, "rb"):
                return _listing(folder, {name, *beside}).release(package)
    except OSError as error:
        raise InvalidValueError(f"{source}: {error.strerror or error}") from error
    raise InvalidValueError(
        f"{source}: expected a folder of wheels, a wheel, a file ending in {METADATA_SUFFIX}, "
        "or an index address"
    )


def read_wheel_metadata(path: str, label: str) -> VariantMetadata:
    """Read the ``variant.json`` in a wheel; raises ``MetadataError``."""
    name = os.path.basename(path)
    try:
        data = _read_member(path, name)
    except MetadataError:
        raise
    except _DAMAGE as error:
        raise MetadataError(name, "", str(error) or type(error).__name__, "a wheel") from error
    return parse_wheel_metadata(data, f"{name}: {WHEEL_METADATA_NAME}", label)


def _read_member(path: str, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        found = [it for it in archive.infolist() if _is_metadata(it.filename)]
        if len(found) != 1:
            raise MetadataError(name, "", f"{len(found)} of them", f"one {WHEEL_METADATA_NAME}")
        with archive.open(found[0]) as member:
            # The size in the directory of the archive is only a claim.
            return member.read(MAX_BYTES + 1)


def _is_metadata(name: str) -> bool:
    folder, _, last = name.rpartition("/")
    return last == WHEEL_METADATA_NAME and folder.endswith(".dist-info") and "/" not in folder


def _listing(folder: str, names: Iterable[str]) -> Listing:
    def read(name: str) -> bytes:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read(MAX_BYTES + 1)

    def read_wheel(wheel: WheelName) -> VariantMetadata:
        return read_wheel_metadata(os.path.join(folder, str(wheel)), wheel.label)

    return Listing(folder, names, read, read_wheel)


def _lone_wheel(folder: str, wheel: WheelName) -> Release:
    path = os.path.join(folder, str(wheel))
    metadata, trouble = None, ""
    if wheel.label:
        try:
            metadata = read_wheel_metadata(path, wheel.label)
        except MetadataError as error:
            trouble = str(error)
    else:
        os.stat(path)
    return Release(wheel.name, wheel.version, path, (wheel,), metadata, trouble=trouble)
