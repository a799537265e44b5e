"""The records of a zip archive: a member's two headers and the end of the archive, as bytes.

Source: APPNOTE 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
LOCAL_MAGIC: Final = b"PK\x03\x04"
CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
CENTRAL_MAGIC: Final = b"PK\x01\x02"
END: Final = struct.Struct("<4sHHHHIIH")
END_MAGIC: Final = b"PK\x05\x06"
END64: Final = struct.Struct("<4sQHHIIQQQQ")
END64_MAGIC: Final = b"PK\x06\x06"
LOCATOR: Final = struct.Struct("<4sIQI")
LOCATOR_MAGIC: Final = b"PK\x06\x07"

STORED: Final = 0
DEFLATED: Final = 8
ENCRYPTED: Final = 0x0001
DESCRIPTOR: Final = 0x0008
UTF8: Final = 0x0800

MASKED_16: Final = 0xFFFF
MASKED_32: Final = 0xFFFFFFFF
_EXTRA_ZIP64: Final = 1
EXTRA_UNICODE_NAME: Final = 0x7075
_VERSION_ZIP64: Final = 45
_VERSION: Final = 20
_UNIX: Final = 3 << 8


class RecordError(Exception):
    """A record is not what it should be; the reader knows which file and says so."""


class Entry(NamedTuple):
    """One member: what its headers say, and where its bytes lie.

    ``extra`` and ``local_extra`` are the extra fields of the two headers without those for large
    archives, which are written anew where needed.
    """

    raw_name: bytes
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    header_at: int = 0
    data_at: int = 0
    time: int = 0
    date: int = 0x21
    made_by: int = _UNIX | _VERSION
    needed: int = _VERSION
    internal: int = 0
    external: int = 0o100644 << 16
    extra: bytes = b""
    local_extra: bytes = b""
    comment: bytes = b""

    @property
    def name(self) -> str:
        """The member's name; without the mark for UTF-8 it is in the alphabet of MS-DOS."""
        return self.raw_name.decode("utf-8" if self.flags & UTF8 else "cp437", "replace")

    @property
    def is_folder(self) -> bool:
        """True for an entry that stands for a folder and has no bytes."""
        return self.raw_name.endswith(b"/")

    @property
    def is_readable(self) -> bool:
        """True when the method is one of the two that wheels may use, without encryption."""
        return self.method in {STORED, DEFLATED} and not self.flags & ENCRYPTED


class LocalHeader(NamedTuple):
    """What the header in front of a member's bytes says, and where these begin after it.

    Sizes and sum are 0 where a descriptor behind the bytes has them.
    """

    flags: int
    method: int
    crc: int
    packed: int
    size: int
    name_size: int
    length: int


def parse_local(head: bytes) -> LocalHeader:
    """Read the fixed part of a member's own header; raises ``RecordError``."""
    if len(head) < LOCAL.size or not head.startswith(LOCAL_MAGIC):
        raise RecordError("no member")
    fields = LOCAL.unpack_from(head)
    (flags, method), (crc, packed, size, name_size, extra_size) = fields[2:4], fields[6:]
    length = LOCAL.size + name_size + extra_size
    return LocalHeader(flags, method, crc, packed, size, name_size, length)


def parse_central(window: bytes, at: int) -> tuple[Entry, int]:
    """Read a member's record in the directory; also return the record's length."""
    if len(window) < at + CENTRAL.size or not window.startswith(CENTRAL_MAGIC, at):
        raise RecordError("the directory ends early or holds something else")
    (
        _, made_by, needed, flags, method, time, date, crc, packed, size,
        name_size, extra_size, comment_size, disk, internal, external, header_at,
    ) = CENTRAL.unpack_from(window, at)  # fmt: skip
    length = CENTRAL.size + name_size + extra_size + comment_size
    if len(window) < at + length or disk not in {0, MASKED_16}:
        raise RecordError("the directory ends inside a record, or names a second disk")
    name_at = at + CENTRAL.size
    extra_at = name_at + name_size
    extra, wide = split_extra(window[extra_at : extra_at + extra_size])
    size, packed, header_at = unmask(wide, (size, packed, header_at))
    entry = Entry(
        window[name_at:extra_at], method, flags, crc, packed, size, header_at,
        time=time, date=date, made_by=made_by, needed=needed, internal=internal,
        external=external, extra=extra, comment=window[extra_at + extra_size : at + length],
    )  # fmt: skip
    return entry, length


def split_extra(extra: bytes) -> tuple[bytes, bytes]:
    """Split extra fields into all others and the content of the one for large archives."""
    others: list[bytes] = []
    wide: list[bytes] = []
    at = 0
    while at + 4 <= len(extra):
        number, length = struct.unpack_from("<HH", extra, at)
        end = at + 4 + length
        if end > len(extra):
            raise RecordError("an extra field is longer than the place it has")
        (wide if number == _EXTRA_ZIP64 else others).append(extra[at:end])
        at = end
    if len(wide) > 1:
        raise RecordError("the sizes are stated twice")
    # Up to three trailing bytes are padding of tools that align the data.
    return b"".join(others), wide[0][4:] if wide else b""


def extra_fields(extra: bytes) -> list[tuple[int, bytes]]:
    """List the fields of an extra that ``split_extra`` has returned."""
    at, fields = 0, []
    while at + 4 <= len(extra):
        number, length = struct.unpack_from("<HH", extra, at)
        fields.append((number, extra[at + 4 : at + 4 + length]))
        at += 4 + length
    return fields


def unmask(wide: bytes, values: tuple[int, ...]) -> list[int]:
    """Put in the values that did not fit into 32 bits, in the order of the specification."""
    real = []
    for value in values:
        if value == MASKED_32 and len(wide) >= 8:  # noqa: PLR2004 - a 64-bit number
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]  # noqa: PLW2901
        real.append(value)
    return real


def pack_local(entry: Entry) -> bytes:
    """Write the header in front of a member's bytes, with its sizes: no descriptor follows."""
    large = max(entry.packed, entry.size) >= MASKED_32
    # In a local header both sizes are masked or neither is.
    wide = _pack_wide(entry.size, entry.packed) if large else b""
    extra = wide + entry.local_extra
    head = LOCAL.pack(
        LOCAL_MAGIC, _version(entry, large=large), entry.flags & ~DESCRIPTOR, entry.method,
        entry.time, entry.date, entry.crc, MASKED_32 if large else entry.packed,
        MASKED_32 if large else entry.size, len(entry.raw_name), len(extra),
    )  # fmt: skip
    return head + entry.raw_name + extra


def pack_central(entry: Entry, header_at: int) -> bytes:
    """Write the member's record in the directory; ``header_at`` is where it lies now."""
    values = (entry.size, entry.packed, header_at)
    large = [value for value in values if value >= MASKED_32]
    extra = (_pack_wide(*large) if large else b"") + entry.extra
    size, packed, start = (min(value, MASKED_32) for value in values)
    head = CENTRAL.pack(
        CENTRAL_MAGIC, entry.made_by, _version(entry, large=bool(large)), entry.flags & ~DESCRIPTOR,
        entry.method, entry.time, entry.date, entry.crc, packed, size, len(entry.raw_name),
        len(extra), len(entry.comment), 0, entry.internal, entry.external, start,
    )  # fmt: skip
    return head + entry.raw_name + extra + entry.comment


def pack_end(start: int, size: int, count: int) -> bytes:
    """Write the end of an archive whose directory has these bounds and this many members."""
    end = END.pack(
        END_MAGIC, 0, 0, min(count, MASKED_16), min(count, MASKED_16),
        min(size, MASKED_32), min(start, MASKED_32), 0,
    )  # fmt: skip
    if count < MASKED_16 and max(start, size) < MASKED_32:
        return end
    end64 = END64.pack(
        END64_MAGIC, END64.size - 12, _UNIX | _VERSION_ZIP64, _VERSION_ZIP64, 0, 0,
        count, count, size, start,
    )  # fmt: skip
    return end64 + LOCATOR.pack(LOCATOR_MAGIC, 0, start + size, 1) + end


def _pack_wide(*values: int) -> bytes:
    return struct.pack(f"<HH{len(values)}Q", _EXTRA_ZIP64, 8 * len(values), *values)


def _version(entry: Entry, *, large: bool) -> int:
    return max(entry.needed, _VERSION_ZIP64) if large else entry.needed
