"""Packs containers, cubins, shared objects and archives out of numbers, for the tests."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field

PTX = 1
CUBIN = 2
LTO = 8
TILE = 0x80
CONCATENATED = 0x100

LZ4 = 0x2000
ZSTD = 0x8000
SPECIFIC = 0x100000
FAMILY = 0x200000


def cubin(
    number: int,
    *,
    toolkit: int = 124,
    new: bool = False,
    specific: bool = False,
    kernel: bool = True,
) -> bytes:
    """A small cubin with a section table: ``.shstrtab`` and, with a kernel, ``.text.k``."""
    names = b"\0.shstrtab\0.text.k\0" if kernel else b"\0.shstrtab\0"
    sections = 3 if kernel else 2
    start = 64 + len(names)
    table = section(0, 0, 0) + section(1, 64, len(names))
    if kernel:
        table += section(11, start, 0)
    if new:
        flags, version = 0x06000002 | number << 8 | (0x8 if specific else 0), 1
        ident = b"\x7fELF\x02\x01\x01\x41\x08"
    else:
        flags, version = number << 16 | 0x500 | number | (0x800 if specific else 0), toolkit
        ident = b"\x7fELF\x02\x01\x01\x33\x07"
    header = ident.ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 2, 190, version, 0, 0, start, flags, 64, 56, 0, 64, sections, 1
    )
    return header + names + table


def cubin_of(*sections: tuple[bytes, bytes], unterminated: bool = False) -> bytes:
    """A cubin with these sections behind the one of their names."""
    names, places = b"\0.shstrtab\0", []
    for name, _ in sections:
        places.append(len(names))
        names += name + b"\0"
    names = names.removesuffix(b"\0") if unterminated else names
    at = cubin(90)[:40]
    blobs = b"".join(data for _, data in sections)
    table = section(0, 0, 0) + section(1, 64, len(names))
    offset = 64 + len(names)
    for place, (_, data) in zip(places, sections, strict=True):
        table += section(place, offset, len(data))
        offset += len(data)
    counts = (len(sections) + 2).to_bytes(2, "little") + b"\x01\0"
    rest = cubin(90)[48:60] + counts
    return at + offset.to_bytes(8, "little") + rest + names + blobs + table


def section(name: int, offset: int, size: int, kind: int = 1) -> bytes:
    return struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, size, 0, 0, 1, 0)


def ptx(number: int, *, kernel: bool = True) -> bytes:
    body = b".visible .entry k() { ret; }\n" if kernel else b""
    return b".version 8.4\n.target sm_%d\n.address_size 64\n" % number + body


def literal_block(data: bytes) -> bytes:
    """The data as an LZ4 block of one run of literals."""
    length = len(data)
    if length < 15:
        return bytes([length << 4]) + data
    rest, head = length - 15, b"\xf0"
    return head + b"\xff" * (rest // 255) + bytes([rest % 255]) + data


@dataclass
class Entry:
    """One entry of a container; sizes left at ``None`` are the true ones."""

    kind: int
    number: int
    payload: bytes
    flags: int = 0
    version: tuple[int, int] = (1, 7)
    extension: bytes = b""
    unpacked: int | None = None
    stored: int | None = None
    header_size: int | None = None
    extra_flags: int = field(default=0x11)

    def pack(self) -> bytes:
        compressed = bool(self.flags & (LZ4 | ZSTD))
        padded = self.payload + bytes(-len(self.payload) % 8)
        header = struct.pack(
            "<HHIQIIHHIIIQQQ",
            self.kind,
            0x0101,
            64 + len(self.extension) if self.header_size is None else self.header_size,
            len(padded) if self.stored is None else self.stored,
            len(self.payload) if compressed else 0,
            0,
            self.version[1],
            self.version[0],
            self.number,
            0,
            0,
            self.flags | self.extra_flags,
            0,
            (self.unpacked or len(self.payload)) if compressed else 0,
        )
        return header + self.extension + padded


def container(*entries: Entry, size: int | None = None) -> bytes:
    body = b"".join(entry.pack() for entry in entries)
    length = len(body) if size is None else size
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, length) + body


def real(number: int, *, flags: int = 0, kernel: bool = True, toolkit: int = 124) -> Entry:
    return Entry(CUBIN, number, cubin(number, kernel=kernel, toolkit=toolkit), flags)


def virtual(number: int, *, isa: tuple[int, int] = (8, 4), flags: int = 0) -> Entry:
    return Entry(PTX, number, ptx(number), flags, version=isa)


def shared_object(
    data: bytes, *, needed: tuple[str, ...] = (), machine: int = 62, name: str = ".nv_fatbin"
) -> bytes:
    """A shared object with the data in a section, and a dynamic table."""
    strings = b"\0" + b"".join(text.encode() + b"\0" for text in needed)
    offsets = [strings.index(text.encode() + b"\0") for text in needed]
    names = b"\0.shstrtab\0" + name.encode() + b"\0"
    strings_at = 64 + 2 * 56
    dynamic_at = strings_at + len(strings)
    dynamic = b"".join(struct.pack("<QQ", 1, at) for at in offsets)
    dynamic += struct.pack("<QQ", 5, strings_at) + struct.pack("<QQ", 0, 0)
    data_at = dynamic_at + len(dynamic)
    names_at = data_at + len(data)
    table_at = names_at + len(names)
    programs = struct.pack("<IIQQQQQQ", 1, 6, 0, 0, 0, table_at, table_at, 1)
    programs += struct.pack("<IIQQQQQQ", 2, 6, dynamic_at, 0, 0, len(dynamic), len(dynamic), 1)
    table = section(0, 0, 0, 0) + section(1, names_at, len(names)) + section(11, data_at, len(data))
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, table_at, 0, 64, 56, 2, 64, 3, 1
    )
    return header + programs + strings + dynamic + data + names + table


def dll(data: bytes, *, imports: tuple[str, ...] = (), name: str = ".nv_fatb") -> bytes:
    """A 64-bit Windows library with the data in one section and its imports in another."""
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    import_at = 0x400
    table_size = 20 * (len(imports) + 1)
    texts = b"".join(text.encode() + b"\0" for text in imports)
    table, at = b"", import_at + table_size
    for text in imports:
        table += struct.pack("<IIIII", 0, 0, 0, at, 0)
        at += len(text) + 1
    idata = table + bytes(20) + texts
    data_at = import_at + len(idata)
    optional = struct.pack("<H", 0x20B).ljust(112, b"\0")
    optional += struct.pack("<II", 0, 0) + struct.pack("<II", import_at, len(idata)) + bytes(14 * 8)
    coff = struct.pack("<HHIIIHH", 0x8664, 2, 0, 0, 0, len(optional), 0x2022)
    sections = _pe_section(b".idata", import_at, len(idata))
    sections += _pe_section(name.encode(), data_at, len(data))
    start = head + b"PE\0\0" + coff + optional + sections
    return start.ljust(import_at, b"\0") + idata + data


def _pe_section(name: bytes, at: int, size: int) -> bytes:
    return struct.pack("<8sIIIIIIHHI", name, size, at, size, at, 0, 0, 0, 0, 0)


def wheel(
    members: dict[str, bytes], *, stored: tuple[str, ...] = (), requires: tuple[str, ...] = ()
) -> bytes:
    """A wheel with these members and a METADATA file."""
    lines = ["Metadata-Version: 2.1", "Name: demo", "Version: 1.0"]
    lines += [f"Requires-Dist: {text}" for text in requires]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            method = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(name, data, method)
        archive.writestr("demo-1.0.dist-info/METADATA", "\n".join(lines) + "\n\n")
    return buffer.getvalue()


def deflated(data: bytes, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()
