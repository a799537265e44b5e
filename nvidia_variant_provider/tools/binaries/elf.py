"""Shared objects of Linux: machine, needed libraries and section names, by offsets alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries.host import HostFile, Section

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.wheels.source import Source

MAGIC: Final = b"\x7fELF"
_HEADER: Final = struct.Struct("<HHIQQQIHHHHHH")
_PROGRAM: Final = struct.Struct("<IIQQQQQQ")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_MACHINES: Final = {62: "x86_64", 183: "aarch64", 3: "i386", 40: "arm", 21: "ppc64le", 243: "riscv"}

_LOAD: Final = 1
_DYNAMIC: Final = 2
_EXECUTABLE: Final = 1
_READABLE: Final = 4
_NEEDED: Final = 1
_STRINGS: Final = 5
_NO_BITS: Final = 8

# What real files have is far below: libraries name some dozens of others.
_MAX_HEADERS: Final = 4096
_MAX_DYNAMIC: Final = 64 * 1024
_MAX_NEEDED: Final = 1024
_MAX_NAME: Final = 512
_MAX_NAMES: Final = 1 << 20
_NAMES_BEFORE: Final = 4096
# The names of needed libraries are mostly near the start, the table of sections at the end.
_EDGE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    flags: int
    offset: int
    address: int
    size: int


def machine_of(head: bytes) -> int | None:
    """Return the machine number of a 64-bit little-endian ELF file, ``None`` for anything else."""
    if len(head) < 64 or not head.startswith(MAGIC + b"\x02\x01"):  # noqa: PLR2004 - e_ehsize
        return None
    return int.from_bytes(head[18:20], "little")


def read_quiet_ranges(source: Source) -> tuple[tuple[int, int], ...]:
    """Return the ranges that hold no data for the program: pure code, and what is not loaded.

    Linkers of the last years put read-only data into a segment of its own, in front of the code;
    where the first segment is executable, data lies among the code and code is no quiet range.
    """
    loads = sorted(
        (segment for segment in _segments(source) if segment.kind == _LOAD and segment.size),
        key=lambda segment: segment.offset,
    )
    if not loads:
        return ()
    is_separate = loads[0].flags == _READABLE
    quiet: list[tuple[int, int]] = []
    end = 0
    for segment in loads:
        if segment.offset > end:
            quiet.append((end, segment.offset))
        end = max(end, segment.offset + segment.size)
        if is_separate and segment.flags & _EXECUTABLE:
            quiet.append((segment.offset, segment.offset + segment.size))
    quiet.append((end, source.size))
    return tuple(quiet)


def keep_links(source: Source) -> None:
    """Have the source keep what will be read after the stream: links, and the section names."""
    source.keep(0, _EDGE)
    source.keep(max(0, source.size - _EDGE), source.size)
    for segment in _segments(source):
        if segment.kind == _DYNAMIC:
            source.keep(segment.offset, segment.offset + min(segment.size, _MAX_DYNAMIC))


def read_host(source: Source, *, sections: bool = True) -> HostFile:
    """Read machine, needed libraries and, if wanted, sections; what is damaged comes out empty."""
    number = machine_of(source.read_at(0, 64)) or 0
    machine = _MACHINES.get(number, f"machine {number}")
    return HostFile(machine, _read_needed(source), _read_sections(source) if sections else ())


def _segments(source: Source) -> tuple[_Segment, ...]:
    head = source.read_at(0, 64)
    if machine_of(head) is None:
        return ()
    _, _, _, _, start, _, _, _, size, count, *_ = _HEADER.unpack_from(head, 16)
    if size != _PROGRAM.size or count > _MAX_HEADERS:
        return ()
    table = source.read_at(start, size * count)
    whole = len(table) - len(table) % size
    return tuple(
        _Segment(kind, flags, offset, address, length)
        for kind, flags, offset, address, _, length, _, _ in _PROGRAM.iter_unpack(table[:whole])
    )


def _read_needed(source: Source) -> tuple[str, ...]:
    segments = _segments(source)
    dynamic = next((segment for segment in segments if segment.kind == _DYNAMIC), None)
    if dynamic is None:
        return ()
    table = source.read_at(dynamic.offset, min(dynamic.size, _MAX_DYNAMIC))
    entries = list(struct.iter_unpack("<QQ", table[: len(table) - len(table) % 16]))
    strings = next((value for tag, value in entries if tag == _STRINGS), None)
    base = _file_offset(segments, strings) if strings is not None else None
    if base is None:
        return ()
    offsets = [value for tag, value in entries if tag == _NEEDED][:_MAX_NEEDED]
    names = {at: _text(source.read_at(base + at, _MAX_NAME)) for at in sorted(offsets)}
    return tuple(names[at] for at in offsets if names[at])


def _file_offset(segments: tuple[_Segment, ...], address: int) -> int | None:
    for segment in segments:
        if segment.kind == _LOAD and segment.address <= address < segment.address + segment.size:
            return address - segment.address + segment.offset
    return None


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "replace")


def _read_sections(source: Source) -> tuple[Section, ...]:
    head = source.read_at(0, 64)
    if machine_of(head) is None:
        return ()
    *_, start, _, _, _, _, size, count, names_index = _HEADER.unpack_from(head, 16)
    if size != _SECTION.size or count > _MAX_HEADERS or names_index >= count:
        return ()
    # Linkers put the names right before the table: one stretch has both.
    begin = max(0, start - _NAMES_BEFORE)
    stretch = source.read_at(begin, start - begin + size * count)
    table = stretch[start - begin :]
    if len(table) < size * count:
        return ()
    rows = list(_SECTION.iter_unpack(table))
    at, length = rows[names_index][4], min(rows[names_index][5], _MAX_NAMES)
    if begin <= at and at + length <= begin + len(stretch):
        names = stretch[at - begin : at - begin + length]
    else:
        names = source.read_at(at, length)
    return tuple(
        Section(_text(names[name : name + _MAX_NAME]), offset, offset + length)
        for name, kind, _, _, offset, length, *_ in rows
        if kind not in {0, _NO_BITS}
    )
