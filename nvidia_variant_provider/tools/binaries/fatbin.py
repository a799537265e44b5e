"""The fatbin container: its header, its entries, and the nested entries of concatenated ones.

The fields, with their evidence, are described in docs/fatbin.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries.report import Kind

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.binaries.cursor import Cursor

# The magic number, version 1 and the header's size: four bytes alone also occur in machine code.
MAGIC: Final = b"\x50\xed\x55\xba"
HEADER: Final = MAGIC + b"\x01\x00\x10\x00"
HEADER_SIZE: Final = 16
ENTRY_SIZE: Final = 64
# The header of an entry holds names and options; the longest one met has a few hundred bytes.
MAX_ENTRY_HEADER: Final = 64 * 1024
_ENTRY_VERSION: Final = 0x0101
_ENTRY: Final = struct.Struct("<HHIQIIHHIIIQQQ")

CONCATENATED: Final = 0x100
_KINDS: Final = {1: Kind.PTX, 2: Kind.CUBIN, 8: Kind.LTO, 0x80: Kind.TILE}
_KNOWN: Final = frozenset({*_KINDS, 4, 0x10, 0x20, 0x40, CONCATENATED})

_LZ4: Final = 0x2000
_ZSTD: Final = 0x8000
_SPECIFIC: Final = 0x100000
_FAMILY: Final = 0x200000


@dataclass(frozen=True, slots=True)
class EntryHeader:
    """The header in front of one image.

    ``stored`` is the padded size of the payload, ``packed`` the exact size of a compressed one
    and ``unpacked`` its size after decompression; both are 0 where nothing is compressed.
    """

    code: int
    header_size: int
    stored: int
    packed: int
    options_at: int
    version: tuple[int, int]
    number: int
    name_at: int
    name_length: int
    flags: int
    unpacked: int

    @property
    def kind(self) -> Kind:
        """What the image is; kinds that no known tool packs any more are OTHER."""
        return _KINDS.get(self.code, Kind.OTHER)

    @property
    def suffix(self) -> str:
        """The suffix of the target, which stands in the flags."""
        if self.flags & _SPECIFIC:
            return "a"
        return "f" if self.flags & _FAMILY else ""

    @property
    def compression(self) -> str:
        """The compression of the payload: "none", "lz4" or "zstd"."""
        if self.flags & _LZ4:
            return "lz4"
        return "zstd" if self.flags & _ZSTD else "none"

    @property
    def size(self) -> int:
        """The size of the image itself."""
        return self.unpacked if self.compression != "none" else self.stored


def parse_container(head: bytes) -> int | None:
    """Return the size of what follows a container's header; ``None`` when it is none."""
    if len(head) < HEADER_SIZE or not head.startswith(HEADER):
        return None
    return int.from_bytes(head[8:16], "little")


def parse_entry(head: bytes) -> EntryHeader | None:
    """Read an entry's header; ``None`` when the bytes cannot be one."""
    if len(head) < ENTRY_SIZE:
        return None
    fields = _ENTRY.unpack_from(head)
    (code, form, header, stored, packed, options, minor, major, number) = fields[:9]
    name_at, name_length, flags, _, unpacked = fields[9:]
    if form != _ENTRY_VERSION or code not in _KNOWN:
        return None
    return EntryHeader(
        code, header, stored, packed, options, (major, minor), number, name_at, name_length,
        flags, unpacked,
    )  # fmt: skip


def fits(entry: EntryHeader, room: int) -> bool:
    """Tell whether an entry's sizes are possible with ``room`` bytes left in its container."""
    return (
        ENTRY_SIZE <= entry.header_size <= MAX_ENTRY_HEADER
        and entry.header_size + entry.stored <= room
        and entry.packed <= entry.stored
    )


def is_container(cursor: Cursor) -> int | None:
    """Return the size of the container at the cursor, ``None`` unless it is believable.

    Believable is one that is empty, or whose first entry has a known kind and fits in.
    """
    head = cursor.peek(HEADER_SIZE + ENTRY_SIZE)
    size = parse_container(head)
    if size is None or size == 0:
        return size
    entry = parse_entry(head[HEADER_SIZE:])
    return size if entry is not None and fits(entry, size) else None


@dataclass(frozen=True, slots=True)
class Nested:
    """A cubin inside a concatenated entry: its header, and its place once decompressed."""

    entry: EntryHeader
    start: int
    size: int


def parse_nested(header: bytes) -> tuple[Nested, ...] | None:
    """Read the table in the header of a concatenated entry; ``None`` when it does not add up."""
    if len(header) < ENTRY_SIZE + 8:
        return None
    count, length = struct.unpack_from("<II", header, ENTRY_SIZE)
    table = header[ENTRY_SIZE + 8 : ENTRY_SIZE + length]
    entries, at = [], 0
    for _ in range(min(count, MAX_ENTRY_HEADER // ENTRY_SIZE)):
        entry = parse_entry(table[at : at + ENTRY_SIZE])
        if entry is None:
            return None
        # In a nested header these two fields are place and size in the decompressed bytes.
        entries.append(Nested(entry, entry.header_size, entry.stored))
        at += _nested_length(entry, table[at:])
    return tuple(entries) if len(entries) == count else None


def _nested_length(entry: EntryHeader, rest: bytes) -> int:
    """Return the length of a nested header with the identifier and options behind it."""
    length = ENTRY_SIZE
    if entry.name_at:
        length += _padded(entry.name_length + 1)
    if entry.options_at:
        text = int.from_bytes(rest[length + 4 : length + 8], "little")
        length += 8 + _padded(text + 1)
    return length


def _padded(length: int) -> int:
    return (length + 7) & ~7
