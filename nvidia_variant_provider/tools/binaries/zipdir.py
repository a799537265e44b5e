"""The central directory of a zip archive, read in pieces and believed only within limits."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.wheels import zip_records as records
from nvidia_variant_provider.tools.wheels.source import FileSource, InflatedSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.wheels.source import Source

MAGIC: Final = records.LOCAL_MAGIC
STORED: Final = records.STORED
DEFLATED: Final = records.DEFLATED
_COMMENT_MAX: Final = 65535

# The largest wheel known has 15,970 members; each costs memory here.
MAX_MEMBERS: Final = 100_000
_MAX_DIRECTORY: Final = 32 << 20
_WINDOW: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """One member as the directory describes it."""

    name: str
    method: int
    flags: int
    packed: int
    size: int
    header_at: int

    @property
    def is_readable(self) -> bool:
        """True when the method is one of the two that wheels may use, without encryption."""
        return self.method in {STORED, DEFLATED} and not self.flags & records.ENCRYPTED


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies, and how many members it announces."""

    start: int
    size: int
    count: int


def find_directory(file: Source) -> Directory:
    """Find the directory through the records at the archive's end, zip64 included."""
    tail_at = max(0, file.size - _COMMENT_MAX - records.END.size)
    tail = file.read_at(tail_at, file.size - tail_at)
    at = tail.rfind(records.END_MAGIC)
    if at < 0 or len(tail) < at + records.END.size:
        raise DamagedFileError(f"{file.name}: no end-of-archive record: cut short, or not a zip")
    _, _, _, _, count, size, start, _ = records.END.unpack_from(tail, at)
    found = _directory64(file, tail_at + at) or Directory(start, size, count)
    if found.size > _MAX_DIRECTORY or found.count > MAX_MEMBERS:
        raise DamagedFileError(
            f"{file.name}: {found.count} members in a directory of {found.size} bytes announced,"
            f" expected at most {MAX_MEMBERS} in {_MAX_DIRECTORY}"
        )
    if found.start + found.size > file.size:
        raise DamagedFileError(
            f"{file.name}: the directory should end at {found.start + found.size},"
            f" the file has {file.size} bytes"
        )
    return found


def _directory64(file: Source, end_at: int) -> Directory | None:
    locator = file.read_at(end_at - records.LOCATOR.size, records.LOCATOR.size)
    if len(locator) < records.LOCATOR.size or not locator.startswith(records.LOCATOR_MAGIC):
        return None
    record = file.read_at(records.LOCATOR.unpack(locator)[2], records.END64.size)
    if len(record) < records.END64.size or not record.startswith(records.END64_MAGIC):
        raise DamagedFileError(f"{file.name}: the zip64 end record is not where it should be")
    *_, count, size, start = records.END64.unpack(record)
    return Directory(start, size, count)


def read_members(file: Source) -> Iterator[Member]:
    """Yield the members of an archive, in the order of its directory."""
    directory = find_directory(file)
    at, end = directory.start, directory.start + directory.size
    window, base = b"", at
    for _ in range(directory.count):
        if at - base + records.CENTRAL.size + 3 * 65536 > len(window):
            window, base = file.read_at(at, min(_WINDOW, end - at)), at
        member, length = _read_member(file.name, window, at - base)
        at += length
        yield member


def _read_member(name: str, window: bytes, at: int) -> tuple[Member, int]:
    if len(window) < at + records.CENTRAL.size or window[at : at + 4] != records.CENTRAL_MAGIC:
        raise DamagedFileError(f"{name}: the directory ends early or holds something else")
    fields = records.CENTRAL.unpack_from(window, at)
    flags, method = fields[3], fields[4]
    packed, size, name_size, extra_size, comment_size = fields[8:13]
    start = at + records.CENTRAL.size
    text = window[start : start + name_size].decode("utf-8", "replace")
    extra = window[start + name_size : start + name_size + extra_size]
    size, packed, header_at = _unmask(extra, (size, packed, fields[16]))
    length = records.CENTRAL.size + name_size + extra_size + comment_size
    return Member(text, method, flags, packed, size, header_at), length


def _unmask(extra: bytes, values: tuple[int, int, int]) -> tuple[int, int, int]:
    """Put in the values that did not fit in 32 bits: the extra field 1 has them in this order."""
    at, wide = 0, b""
    while at + 4 <= len(extra):
        number, length = struct.unpack_from("<HH", extra, at)
        if number == 1:
            wide = extra[at + 4 : at + 4 + length]
        at += 4 + length
    real = []
    for value in values:
        if value == records.MASKED_32 and len(wide) >= 8:  # noqa: PLR2004 - a 64-bit number
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]  # noqa: PLW2901
        real.append(value)
    return real[0], real[1], real[2]


def open_member(path: str, file: Source, member: Member) -> Source:
    """Return the bytes of one member; raises ``DamagedFileError`` when it is not there."""
    local = file.read_at(member.header_at, records.LOCAL.size)
    where = f"{file.name}: {member.name[:200]}"
    if len(local) < records.LOCAL.size or not local.startswith(MAGIC):
        raise DamagedFileError(f"{where}: no member at offset {member.header_at}")
    name_size, extra_size = struct.unpack_from("<HH", local, 26)
    start = member.header_at + records.LOCAL.size + name_size + extra_size
    if start + member.packed > file.size:
        raise DamagedFileError(f"{where}: ends at {start + member.packed} of {file.size} bytes")
    if member.method == STORED:
        if member.packed != member.size:
            raise DamagedFileError(
                f"{where}: stored with two sizes: {member.packed}, {member.size}"
            )
        return FileSource(path, member.name, start, member.size)
    return InflatedSource(path, member.name, start, member.packed, member.size)
