"""Write a wheel from nothing: members stored, RECORD last, always the same bytes."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.wheels import zip_records as zr
from nvidia_variant_provider.tools.wheels.record import RecordFile

if TYPE_CHECKING:
    from collections.abc import Mapping


def new_wheel(dist_info: str, files: Mapping[str, bytes]) -> bytes:
    """Return an archive of the files in their order, and RECORD in the folder ``dist_info``."""
    path = f"{dist_info}/RECORD"
    rows = RecordFile(path, ()).amend(files, ()).to_bytes()
    archive, directory = bytearray(), bytearray()
    for name, data in {**files, path: rows}.items():
        entry = _entry(name, data)
        directory += zr.pack_central(entry, len(archive))
        archive += zr.pack_local(entry) + data
    return bytes(archive + directory + zr.pack_end(len(archive), len(directory), len(files) + 1))


def _entry(name: str, data: bytes) -> zr.Entry:
    raw = name.encode()
    flags = 0 if raw.isascii() else zr.UTF8
    return zr.Entry(raw, zr.STORED, flags, zlib.crc32(data), len(data), len(data))
