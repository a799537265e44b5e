"""The layout of a zip archive, read strictly: every byte accounted for, every header compared.

Archives that two readers could understand in two ways are refused: gaps and overlaps between
members, repeated names, local headers that contradict the directory, bytes before or behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.wheels import zip_records as zr
from nvidia_variant_provider.tools.wheels.zip_directory import (
    check_sizes,
    find_directory,
    read_directory,
    read_local,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.wheels.source import Source
    from nvidia_variant_provider.tools.wheels.zip_directory import Directory
    from nvidia_variant_provider.tools.wheels.zip_records import Entry

# A deflate stream grows at most by this factor (zlib's documentation), and an empty one has a few
# bytes; a claim beyond it is a lie.
_MOST_INFLATION: Final = 1032
_DESCRIPTOR_MAGIC: Final = b"PK\x07\x08"
_DESCRIPTOR_MAX: Final = 24
_NAME_MAX: Final = 4096
_USUAL_EXTRA: Final = 64
_SHOWN: Final = 120


def check_layout(file: Source, directory: Directory, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Check every local header, and that nothing lies between, before or behind the members.

    The entries are returned in the order of their bytes, with their places filled in. Raises
    ``DamagedFileError``.
    """
    _check_end(file, directory)
    members = sorted(entries, key=lambda entry: entry.header_at)
    _check_names(file, members)
    starts = [*(entry.header_at for entry in members), directory.start]
    begin = starts[0]
    if begin:
        raise DamagedFileError(f"{file.name}: {begin} bytes before the first member, expected none")
    ends = starts[1:]
    return tuple(_placed(file, entry, end) for entry, end in zip(members, ends, strict=True))


def members_of(file: Source) -> dict[str, Entry]:
    """Return the members by name of an archive of which only some are read, as on an index.

    Raises ``DamagedFileError`` for names that readers could disagree about; the layout is not
    checked.
    """
    entries = list(read_directory(file, find_directory(file)))
    _check_names(file, entries)
    return {entry.name: entry for entry in entries}


def _check_end(file: Source, directory: Directory) -> None:
    """Compare what follows the directory with the one way of writing it, comments excluded."""
    at = directory.start + directory.size
    tail = file.read_at(at, file.size - at)
    short = zr.END.size
    plain = zr.END.pack(
        zr.END_MAGIC, 0, 0, min(directory.count, zr.MASKED_16), min(directory.count, zr.MASKED_16),
        min(directory.size, zr.MASKED_32), min(directory.start, zr.MASKED_32), 0,
    )  # fmt: skip
    if tail == plain:
        return
    if len(tail) != zr.END64.size + zr.LOCATOR.size + short or not _is_end64(tail, directory, at):
        raise DamagedFileError(
            f"{file.name}: {len(tail)} bytes behind the directory, expected the end records alone:"
            " no comment, nothing appended"
        )


def _is_end64(tail: bytes, directory: Directory, at: int) -> bool:
    end64 = zr.END64.unpack_from(tail)
    locator = tail[zr.END64.size : zr.END64.size + zr.LOCATOR.size]
    end = zr.END.unpack_from(tail, zr.END64.size + zr.LOCATOR.size)
    count, size, start = directory.count, directory.size, directory.start
    same = (
        (end[3], count, zr.MASKED_16), (end[4], count, zr.MASKED_16),
        (end[5], size, zr.MASKED_32), (end[6], start, zr.MASKED_32),
    )  # fmt: skip
    return (
        end64[:2] == (zr.END64_MAGIC, zr.END64.size - 12)
        and end64[4:] == (0, 0, count, count, size, start)
        and locator == zr.LOCATOR.pack(zr.LOCATOR_MAGIC, 0, at, 1)
        and (end[0], end[1], end[2], end[7]) == (zr.END_MAGIC, 0, 0, 0)
        and all(seen in {real, masked} for seen, real, masked in same)
    )


def _check_names(file: Source, entries: list[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = entry.name
        if entry.flags & zr.UTF8 and name.encode() != entry.raw_name:
            raise DamagedFileError(
                f"{file.name}: the name {entry.raw_name[:_SHOWN]!r} is not UTF-8"
            )
        if fault := _fault_of(name):
            raise DamagedFileError(f"{file.name}: {fault}: {name[:_SHOWN]!r}")
        key = name.rstrip("/")
        if key in seen:
            raise DamagedFileError(f"{file.name}: two members have the name {key[:_SHOWN]!r}")
        seen.add(key)


def _fault_of(name: str) -> str | None:
    """Say why a name must not be in a wheel; ``None`` for a plain relative path."""
    steps = name.removesuffix("/").split("/")
    checks = (
        (len(name) > _NAME_MAX, "a name that is too long"),
        (name.startswith("/") or ":" in steps[0], "an absolute path"),
        ("\\" in name, "a path with a backslash, which only some readers take for a separator"),
        (".." in steps, "a path that leaves the folder"),
        ("" in steps or "." in steps, "a path with an empty step"),
        (not name.isprintable(), "a name with control characters"),
    )
    return next((fault for failed, fault in checks if failed), None)


def _placed(file: Source, entry: Entry, end: int) -> Entry:
    """Check one member against its local header and its neighbour; return it with its place."""
    where = f"{file.name}: {entry.name[:_SHOWN]}"
    _check_claims(where, entry)
    # Nearly always the whole header, in one read.
    usual = zr.LOCAL.size + len(entry.raw_name) + _USUAL_EXTRA
    local, head = read_local(file, entry, usual)
    if local.length > len(head):
        head = file.read_at(entry.header_at, local.length)
    names_end = zr.LOCAL.size + local.name_size
    try:
        extra, wide = zr.split_extra(head[names_end : local.length])
    except zr.RecordError as error:
        raise DamagedFileError(f"{where}: {error}") from error
    size, packed = zr.unmask(wide, (local.size, local.packed))
    data_at = entry.header_at + local.length
    name = head[zr.LOCAL.size : names_end]
    stated = (name, local.flags, local.method, local.crc, packed, size)
    own = (entry.raw_name, entry.flags, entry.method, entry.crc, entry.packed, entry.size)
    later = (*own[:3], 0, 0, 0)
    if stated != own and not (entry.flags & zr.DESCRIPTOR and stated == later):
        raise DamagedFileError(f"{where}: its own header and the directory contradict each other")
    _check_unicode_name(where, entry, extra)
    _check_gap(file, where, entry, data_at + entry.packed, end)
    return entry._replace(data_at=data_at, local_extra=extra)


def _check_claims(where: str, entry: Entry) -> None:
    if not entry.is_readable:
        raise DamagedFileError(
            f"{where}: method {entry.method}, flags {entry.flags:#x}; expected stored or deflated,"
            " not encrypted"
        )
    check_sizes(entry, where)
    if entry.size > entry.packed * _MOST_INFLATION:
        raise DamagedFileError(f"{where}: {entry.packed} bytes cannot inflate to {entry.size}")


def _check_unicode_name(where: str, entry: Entry, local_extra: bytes) -> None:
    """Refuse a second name in an extra field: some readers would take it."""
    for extra in (entry.extra, local_extra):
        for number, content in zr.extra_fields(extra):
            if number == zr.EXTRA_UNICODE_NAME and content[5:] != entry.name.encode():
                raise DamagedFileError(f"{where}: has a second name {content[5:][:_SHOWN]!r}")


def _check_gap(file: Source, where: str, entry: Entry, data_end: int, end: int) -> None:
    """Between a member's bytes and the next header there may be its descriptor, nothing else."""
    gap = end - data_end
    if gap < 0:
        raise DamagedFileError(f"{where}: overlaps what follows it by {-gap} bytes")
    if not gap and not entry.flags & zr.DESCRIPTOR:
        return
    numbers = [number.to_bytes(4, "little") for number in (entry.crc, entry.packed, entry.size)
               if number <= zr.MASKED_32]  # fmt: skip
    crc = entry.crc.to_bytes(4, "little")
    wide = crc + entry.packed.to_bytes(8, "little") + entry.size.to_bytes(8, "little")
    forms = {wide, _DESCRIPTOR_MAGIC + wide}
    if len(numbers) == 3:  # noqa: PLR2004 - none of the three needs 64 bits
        forms |= {b"".join(numbers), _DESCRIPTOR_MAGIC + b"".join(numbers)}
    if not entry.flags & zr.DESCRIPTOR:
        raise DamagedFileError(f"{where}: {gap} hidden bytes behind it")
    if gap > _DESCRIPTOR_MAX or file.read_at(data_end, gap) not in forms:
        raise DamagedFileError(f"{where}: {gap} bytes behind it that are not its descriptor")
