"""Libraries of Windows: machine, imported libraries and section names."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries.host import HostFile, Section

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.wheels.source import Source

MAGIC: Final = b"MZ"
_SIGNATURE: Final = b"PE\0\0"
_MACHINES: Final = {0x8664: "x86_64", 0xAA64: "aarch64", 0x14C: "i386"}
_SECTION: Final = struct.Struct("<8sIIIIIIHHI")
_PLUS: Final = 0x20B
# Where the data directories start in the optional header, of PE32+ and of PE32.
_DIRECTORIES: Final = {_PLUS: 112, 0x10B: 96}
_IMPORTS: Final = 1
_DELAYED: Final = 13

_MAX_SECTIONS: Final = 96
_MAX_IMPORTS: Final = 1024
_MAX_NAME: Final = 256
_MAX_HEADER_AT: Final = 1 << 20


def read_host(source: Source) -> HostFile | None:
    """Read machine, imports and sections; ``None`` when the file is no PE file."""
    start = int.from_bytes(source.read_at(0x3C, 4), "little")
    head = source.read_at(start, 24) if start < _MAX_HEADER_AT else b""
    if len(head) < 24 or not head.startswith(_SIGNATURE):  # noqa: PLR2004 - signature and header
        return None
    machine, count = struct.unpack_from("<HH", head, 4)
    optional_size = int.from_bytes(head[20:22], "little")
    optional = source.read_at(start + 24, optional_size)
    table = source.read_at(start + 24 + optional_size, min(count, _MAX_SECTIONS) * _SECTION.size)
    rows = tuple(_SECTION.iter_unpack(table[: len(table) - len(table) % _SECTION.size]))
    needed = (*_read_imports(source, optional, rows), *_read_delayed(source, optional, rows))
    sections = tuple(
        Section(row[0].rstrip(b"\0").decode("utf-8", "replace"), row[4], row[4] + row[3])
        for row in rows
    )
    name = _MACHINES.get(machine, f"machine {machine:#x}")
    return HostFile(name, tuple(dict.fromkeys(needed)), sections)


_Rows = tuple[tuple[bytes, int, int, int, int, int, int, int, int, int], ...]


def _file_offset(rows: _Rows, address: int) -> int | None:
    for _, _, start, size, offset, *_ in rows:
        if start <= address < start + size:
            return address - start + offset
    return None


def _directory(optional: bytes, rows: _Rows, index: int) -> int | None:
    """Return the file offset of a data directory; ``None`` when the file has none."""
    at = _DIRECTORIES.get(int.from_bytes(optional[:2], "little"), len(optional)) + index * 8
    if len(optional) < at + 8:
        return None
    address = int.from_bytes(optional[at : at + 4], "little")
    return _file_offset(rows, address) if address else None


def _read_imports(source: Source, optional: bytes, rows: _Rows) -> list[str]:
    """List the imported libraries: descriptors of 20 bytes, the name's address at 12."""
    return _read_names(source, rows, _directory(optional, rows, _IMPORTS), 20, 12)


def _read_delayed(source: Source, optional: bytes, rows: _Rows) -> list[str]:
    """List the libraries loaded on first use: descriptors of 32 bytes, the name at 4."""
    return _read_names(source, rows, _directory(optional, rows, _DELAYED), 32, 4)


def _read_names(source: Source, rows: _Rows, at: int | None, size: int, field: int) -> list[str]:
    names: list[str] = []
    table = source.read_at(at, _MAX_IMPORTS * size) if at is not None else b""
    for start in range(0, len(table) - size + 1, size):
        address = int.from_bytes(table[start + field : start + field + 4], "little")
        offset = _file_offset(rows, address)
        if not address or offset is None:
            break
        text = source.read_at(offset, _MAX_NAME).partition(b"\0")[0]
        names.append(text.decode("ascii", "replace"))
    return names
