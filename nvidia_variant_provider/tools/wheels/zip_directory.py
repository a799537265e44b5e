"""The central directory of a zip archive, read in pieces and believed only within limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.wheels import zip_records as records
from nvidia_variant_provider.tools.wheels.source import Checksum, InflatedSource, PartSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.wheels.source import Source
    from nvidia_variant_provider.tools.wheels.zip_records import Entry, LocalHeader

_COMMENT_MAX: Final = 65535
# The largest wheel known has 15,970 members; each costs memory here.
MAX_MEMBERS: Final = 100_000
_MAX_DIRECTORY: Final = 32 << 20
_WINDOW: Final = 256 * 1024
# The fixed part of a record, and its name, extra fields and comment at their longest.
_RECORD_MAX: Final = records.CENTRAL.size + 3 * 65536
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies, and how many members it announces."""

    start: int
    size: int
    count: int


def find_directory(file: Source) -> Directory:
    """Find the directory through the records at the archive's end, zip64 included.

    Raises ``DamagedFileError`` where there is none, and for one beyond the limits.
    """
    tail_at = max(0, file.size - _COMMENT_MAX - records.END.size)
    tail = file.read_at(tail_at, file.size - tail_at)
    at = tail.rfind(records.END_MAGIC)
    if at < 0 or len(tail) < at + records.END.size:
        raise DamagedFileError(f"{file.name}: no end-of-archive record: cut short, or not a zip")
    _, _, _, _, count, size, start, _ = records.END.unpack_from(tail, at)
    stated = _directory64(file, tail_at + at) or Directory(start, size, count)
    if stated.size > _MAX_DIRECTORY or stated.count > MAX_MEMBERS:
        raise DamagedFileError(
            f"{file.name}: {stated.count} members in a directory of {stated.size} bytes announced,"
            f" expected at most {MAX_MEMBERS} in {_MAX_DIRECTORY}"
        )
    if stated.start + stated.size > file.size:
        raise DamagedFileError(
            f"{file.name}: the directory should end at {stated.start + stated.size},"
            f" the file has {file.size} bytes"
        )
    return stated


def _directory64(file: Source, end_at: int) -> Directory | None:
    locator = file.read_at(end_at - records.LOCATOR.size, records.LOCATOR.size)
    if len(locator) < records.LOCATOR.size or not locator.startswith(records.LOCATOR_MAGIC):
        return None
    record = file.read_at(records.LOCATOR.unpack(locator)[2], records.END64.size)
    if len(record) < records.END64.size or not record.startswith(records.END64_MAGIC):
        raise DamagedFileError(f"{file.name}: the zip64 end record is not where it should be")
    *_, count, size, start = records.END64.unpack(record)
    return Directory(start, size, count)


def read_directory(file: Source, directory: Directory) -> Iterator[Entry]:
    """Yield the members in the order of the directory; raises ``DamagedFileError``."""
    at, end = directory.start, directory.start + directory.size
    window, base = b"", at
    for _ in range(directory.count):
        if at - base + _RECORD_MAX > len(window):
            window, base = file.read_at(at, min(_WINDOW, end - at)), at
        try:
            entry, length = records.parse_central(window, at - base)
        except records.RecordError as error:
            raise DamagedFileError(f"{file.name}: {error}") from error
        at += length
        yield entry
    if at != end:
        raise DamagedFileError(
            f"{file.name}: a directory of {directory.size} bytes, its {directory.count} members"
            f" take {at - directory.start}"
        )


def read_local(file: Source, entry: Entry, length: int) -> tuple[LocalHeader, bytes]:
    """Return a member's own header, and the first ``length`` bytes from where it begins."""
    head = file.read_at(entry.header_at, length)
    try:
        return records.parse_local(head), head
    except records.RecordError as error:
        where = f"{file.name}: {entry.name[:_SHOWN]}"
        raise DamagedFileError(f"{where}: {error} at offset {entry.header_at}") from error


def check_sizes(entry: Entry, where: str) -> None:
    """Refuse a member that is stored as it is and has two sizes; ``where`` is for the message."""
    if entry.method == records.STORED and entry.packed != entry.size:
        raise DamagedFileError(f"{where}: stored with two sizes: {entry.packed}, {entry.size}")


def open_member(file: Source, entry: Entry, checksum: Checksum | None = None) -> Source:
    """Return the bytes of one member; raises ``DamagedFileError`` when it is not there."""
    where = f"{file.name}: {entry.name[:_SHOWN]}"
    local = read_local(file, entry, records.LOCAL.size)[0]
    start = entry.header_at + local.length
    if start + entry.packed > file.size:
        raise DamagedFileError(f"{where}: ends at {start + entry.packed} of {file.size} bytes")
    check_sizes(entry, where)
    if entry.method == records.STORED:
        return PartSource(file, entry.name, start, entry.size, checksum)
    return InflatedSource(file, entry.name, start, entry.packed, entry.size, checksum)


def content_of(file: Source, entry: Entry, checksum: Checksum, most: int) -> bytes:
    """Return the content of a member of at most ``most`` bytes.

    Raises ``DamagedFileError`` for one that is larger, damaged or cannot be read.
    """
    where = f"{file.name}: {entry.name[:_SHOWN]}"
    if not entry.is_readable:
        raise DamagedFileError(f"{where}: not stored or deflated, or encrypted")
    if max(entry.size, entry.packed) > most:
        raise DamagedFileError(f"{where}: {entry.size} bytes, expected at most {most}")
    source = open_member(file, entry, checksum)
    try:
        return b"".join(source.chunks())
    except DamagedFileError as error:
        raise DamagedFileError(f"{file.name}: {error}") from error
