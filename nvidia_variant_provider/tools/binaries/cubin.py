"""What a cubin says of itself: the SM architecture, the toolkit, and whether it has kernels.

A cubin is a 64-bit ELF file for machine 190 in one of two layouts; docs/fatbin.md has both.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tables.sm_archs import FIRST_MAJOR_WITH_A

if TYPE_CHECKING:
    from collections.abc import Callable

MACHINE: Final = 190
HEADER_SIZE: Final = 64
# ELF, 64 bits, little-endian, version 1.
MAGIC: Final = b"\x7fELF\x02\x01\x01"
_OLD: Final = (0x33, 7)
_NEW: Final = (0x41, 8)
_SECTION_SIZE: Final = 64
_NAMES: Final = b"\0.shstrtab\0"
# A function has a section of code, and before it one of facts about it: among long names the first
# of these may be far ahead.
_CODE: Final = b"\0.text."
_FACTS: Final = b"\0.nv.info."

# A note of type 2000 by "NVIDIA Corp" holds the tool's name, release and command line.
_TOOL_NOTE: Final = b"\xd0\x07\x00\x00NVIDIA Corp\x00"
_RELEASE: Final = re.compile(rb"Cuda compilation tools, release (\d{1,3})\.(\d{1,3})")
_TARGET: Final = re.compile(rb"-arch[= ]+(?:sm|compute)_(\d{2,3})([af]?)(?![0-9a-z])")
_NOTE_SPAN: Final = 4096
_MAX_NAMES: Final = 16 << 20
# The form of an attribute whose value is a length, with that many bytes behind it.
_SIZED: Final = 4


@dataclass(frozen=True, slots=True)
class CubinHeader:
    """The facts in the first 64 bytes; ``toolkit`` only in the old layout.

    ``suffix`` is ``None`` where the layout can not tell an ordinary target from a family's.
    """

    number: int
    suffix: str | None
    toolkit: CudaVersion | None


@dataclass(frozen=True, slots=True)
class ToolNote:
    """What the compiler's note tells: the toolkit's version, and the suffix of the target."""

    toolkit: CudaVersion | None
    suffix: str | None


def parse_header(head: bytes) -> CubinHeader | None:
    """Read a cubin's header; ``None`` when the bytes do not start a cubin."""
    if len(head) < HEADER_SIZE or not head.startswith(MAGIC):
        return None
    _, machine, version = struct.unpack_from("<HHI", head, 16)
    if machine != MACHINE:
        return None
    flags = int.from_bytes(head[0x30:0x34], "little")
    layout = (head[7], head[8])
    if layout == _OLD:
        return _old_layout(flags, version)
    if layout == _NEW:
        return CubinHeader((flags >> 8) & 0xFFFF, "a" if flags & 0x8 else None, None)
    return None


def _old_layout(flags: int, version: int) -> CubinHeader:
    number = flags & 0xFF
    # Older toolkits use the bit of architecture-specific targets for something else.
    specific = bool(flags & 0x800) and number >= 10 * FIRST_MAJOR_WITH_A
    # e_version is ten times the toolkit's version: 124 is 12.4.
    toolkit = CudaVersion(version // 10, version % 10) if 40 <= version < 1000 else None  # noqa: PLR2004
    return CubinHeader(number, "a" if specific else "", toolkit)


def find_tool_note(data: bytes) -> ToolNote | None:
    """Search the start of a cubin of the new layout for the compiler's note."""
    at = data.find(_TOOL_NOTE)
    if at < 0 or len(data) < at + len(_TOOL_NOTE) + 24:
        return None
    note = data[at : at + _NOTE_SPAN]
    release = _RELEASE.search(note)
    target = _TARGET.search(note)
    return ToolNote(
        CudaVersion(int(release[1]), int(release[2])) if release else None,
        target[2].decode() if target else None,
    )


def place_of_note(head: bytes, read_at: Callable[[int, int], bytes]) -> tuple[int, int] | None:
    """Return offset and size of the section with the compiler's note, by the table of sections.

    ``read_at`` gives bytes of the whole file: long names keep the note far from the start.
    """
    start = int.from_bytes(head[0x28:0x30], "little")
    count = int.from_bytes(head[0x3C:0x3E], "little")
    names_at = int.from_bytes(head[0x3E:0x40], "little")
    table = read_at(start, count * _SECTION_SIZE)
    if names_at >= count or len(table) < count * _SECTION_SIZE:
        return None
    offset, size = struct.unpack_from("<QQ", table, names_at * _SECTION_SIZE + 0x18)
    names = read_at(offset, min(size, _MAX_NAMES))
    for at in range(0, len(table), _SECTION_SIZE):
        name = _text(names, int.from_bytes(table[at : at + 4], "little"))
        if name == b".note.nv.tkinfo":
            offset, size = struct.unpack_from("<QQ", table, at + 0x18)
            return offset, min(size, _NOTE_SPAN)
    return None


def section_names(data: bytes) -> tuple[bytes, ...] | None:
    """List the sections of a whole cubin; ``None`` when the table does not lie inside it."""
    start = int.from_bytes(data[0x28:0x30], "little")
    count = int.from_bytes(data[0x3C:0x3E], "little")
    names_at = int.from_bytes(data[0x3E:0x40], "little")
    if count == 0:
        return ()
    if start + count * _SECTION_SIZE > len(data) or names_at >= count:
        return None
    offset, size = struct.unpack_from("<QQ", data, start + names_at * _SECTION_SIZE + 0x18)
    names = data[offset : offset + size]
    return tuple(
        _text(names, int.from_bytes(data[at : at + 4], "little"))
        for at in range(start, start + count * _SECTION_SIZE, _SECTION_SIZE)
    )


def _text(names: bytes, at: int) -> bytes:
    end = names.find(b"\0", at)
    return names[at : end if end >= 0 else None]


def has_kernels(data: bytes) -> bool | None:
    """Tell whether a cubin has a code section, from its beginning alone if that shows it.

    ``None`` when so many bytes do not tell: more of them may.
    """
    if data.startswith(_NAMES, HEADER_SIZE):
        # The compiler writes the section names first. Two NULs, of padding or of the empty name
        # that the next table begins with, end them.
        end = data.find(b"\0\0", HEADER_SIZE)
        names = data[HEADER_SIZE : end if end >= 0 else len(data)]
        if end >= 0 or _FACTS in names or _CODE in names:
            return _FACTS in names or _CODE in names
    sections = section_names(data)
    return None if sections is None else any(name.startswith(b".text.") for name in sections)


def compat_suffix(data: bytes) -> str | None:
    """Read the suffix ``a`` from a whole cubin's ``.nv.compat`` attributes: number 9 is 1."""
    names = section_names(data) or ()
    if b".nv.compat" not in names:
        return None
    start = int.from_bytes(data[0x28:0x30], "little") + names.index(b".nv.compat") * _SECTION_SIZE
    offset, size = struct.unpack_from("<QQ", data, start + 0x18)
    return "a" if _attribute(data[offset : offset + min(size, _NOTE_SPAN)], 9) == 1 else None


def _attribute(data: bytes, wanted: int) -> int | None:
    """Find an attribute among records of four bytes: form, number, value or length."""
    at = 0
    while at + 4 <= len(data):
        form, number, value = struct.unpack_from("<BBH", data, at)
        if number == wanted:
            return int(value)
        at += 4 + (value if form == _SIZED else 0)
    return None
