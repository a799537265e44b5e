"""From the entries of one container to images: targets, stubs, and the toolkit behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries import cubin, fatbin, lz4, ptx, zstd
from nvidia_variant_provider.tools.binaries.report import Content, Image, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvidia_variant_provider.model import CudaVersion
    from nvidia_variant_provider.tools.binaries.cursor import Cursor

# No image of this size or more was met that had no kernels; below, each one is looked into.
STUB_LIMIT: Final = 16 * 1024
# Without a decoder: cubins below the first size had no kernels in any wheel examined. Header lines
# of PTX alone take less than the second.
_SURE_STUB: Final = {Kind.CUBIN: 1600, Kind.PTX: 400}
# What is decoded of a small one at first.
_START: Final = 1024
# What is looked at of a large image, in order to find the compiler's note.
_PREFIX: Final = 64 * 1024
_NOTE_LIMIT: Final = 512 * 1024
_SLOW_NOTE_LIMIT: Final = 32 * 1024
# Where the first images keep their note out of reach, the others of a container do so too.
_DEEP_TRIES: Final = 3
# A concatenated entry is decoded whole only up to this size.
_CONCATENATED_LIMIT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """An image with its sizes; ``toolkit`` where the cubin says it."""

    image: Image
    stored: int
    size: int
    toolkit: CudaVersion | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container that was read; ``damage`` says why reading it stopped early, if it did."""

    offset: int
    found: tuple[Found, ...]
    damage: str = ""


def read_container(cursor: Cursor, size: int) -> Container:
    """Read the container at the cursor, of ``size`` bytes after its header, and pass it."""
    offset = cursor.offset
    end = offset + fatbin.HEADER_SIZE + size
    cursor.skip(fatbin.HEADER_SIZE)
    found: list[Found] = []
    damage = ""
    while cursor.offset < end and not damage:
        damage = _read_entry(cursor, end, found)
    return Container(offset, tuple(found), damage)


def _read_entry(cursor: Cursor, end: int, found: list[Found]) -> str:
    """Read one entry and pass it; returns what is wrong with it, or nothing."""
    at, room = cursor.offset, end - cursor.offset
    entry = fatbin.parse_entry(cursor.peek(fatbin.ENTRY_SIZE))
    if entry is None or not fatbin.fits(entry, room):
        return f"no valid entry at offset {at}, {room} bytes before the end of the container"
    if len(found) >= _MAX_ENTRIES:
        return f"more than {_MAX_ENTRIES} entries"
    deep = len(found) < _DEEP_TRIES and not any(one.toolkit for one in found)
    wanted = entry.header_size + _bytes_wanted(entry, deep=deep)
    data = cursor.peek(wanted)
    header, payload = data[: entry.header_size], data[entry.header_size :]
    found += _images(entry, header, payload, deep=deep)
    length = entry.header_size + entry.stored
    if cursor.skip(length) < length:
        return f"cut off inside the entry at offset {at}"
    return ""


_MAX_ENTRIES: Final = 10_000


def _bytes_wanted(entry: fatbin.EntryHeader, *, deep: bool) -> int:
    """Say how much of a payload is worth having in memory: never more than a few pieces."""
    if entry.code == fatbin.CONCATENATED:
        return min(entry.stored, _CONCATENATED_LIMIT)
    if entry.kind not in _TESTS:
        return 0
    if entry.size < STUB_LIMIT:
        return min(entry.stored, _PREFIX)
    if entry.kind is Kind.PTX:
        return 0
    return min(entry.stored, _PREFIX if deep else _START)


def _images(
    entry: fatbin.EntryHeader, header: bytes, payload: bytes, *, deep: bool
) -> tuple[Found, ...]:
    if entry.code == fatbin.CONCATENATED:
        return _concatenated(entry, header, payload)
    if entry.compression != "none":
        payload = payload[: entry.packed]
    start = _start(entry, payload, deep=deep)
    content = _content(entry, payload, start)
    toolkit = None
    if entry.kind is Kind.CUBIN and not content.is_stub:
        toolkit = _toolkit(entry, payload, start, deep=deep)
    isa = entry.version if entry.kind is Kind.PTX else None
    image = Image(entry.kind, entry.number, entry.suffix, isa, entry.compression, content)
    return (Found(image, entry.stored, entry.size, toolkit),)


def _start(entry: fatbin.EntryHeader, payload: bytes, *, deep: bool) -> bytes:
    """Decode the first bytes of an image: more of a small one, for the test for kernels."""
    if entry.compression == "none":
        return payload
    if entry.size < STUB_LIMIT:
        return _decoded(entry.compression, payload, _START)
    is_wanted = entry.kind is Kind.CUBIN and (deep or entry.compression == "lz4")
    return _decoded(entry.compression, payload, cubin.HEADER_SIZE) if is_wanted else b""


def _decoded(compression: str, payload: bytes, limit: int) -> bytes:
    """Decode up to ``limit`` bytes; nothing when the payload is damaged."""
    try:
        if compression == "lz4":
            return lz4.decode_block(payload, limit)
        return zstd.decode_start(payload, limit)
    except DamagedFileError:
        return b""


def _content(entry: fatbin.EntryHeader, payload: bytes, start: bytes) -> Content:
    """Tell whether an image has kernels, by its first bytes if they show one already."""
    if entry.size >= STUB_LIMIT or entry.kind not in _TESTS:
        return Content.KERNELS
    # In cubins the section names come first, in PTX a kernel follows the header.
    if (b".entry" if entry.kind is Kind.PTX else b"\0.text.") in start[:_START]:
        return Content.KERNELS
    whole = start
    if entry.compression != "none":
        whole = _decoded(entry.compression, payload, entry.size)
    return _judged(entry.kind, whole if len(whole) == entry.size else None, entry.size)


def _judged(kind: Kind, whole: bytes | None, size: int) -> Content:
    """Judge a small image by all its bytes, or by its size when they cannot be had."""
    if size >= STUB_LIMIT:
        return Content.KERNELS
    answer = _TESTS[kind](whole) if whole is not None else None
    if answer is None:
        return Content.PRESUMED_STUB if size < _SURE_STUB[kind] else Content.PRESUMED_KERNELS
    return Content.KERNELS if answer else Content.STUB


_TESTS: Final[dict[Kind, Callable[[bytes], bool | None]]] = {
    Kind.PTX: ptx.has_kernels,
    Kind.CUBIN: cubin.has_kernels,
}


def _toolkit(
    entry: fatbin.EntryHeader, payload: bytes, start: bytes, *, deep: bool
) -> CudaVersion | None:
    """Find the toolkit that made a cubin, searching far into it only where ``deep``."""
    header = cubin.parse_header(start)
    if header is None or header.toolkit or not deep:
        return header.toolkit if header else None
    note = _note(entry, payload)
    return note.toolkit if note else None


def _note(entry: fatbin.EntryHeader, payload: bytes) -> cubin.ToolNote | None:
    if entry.compression == "none":
        return cubin.find_tool_note(payload)
    if entry.compression == "lz4":
        return cubin.find_tool_note(_decoded("lz4", payload, _SLOW_NOTE_LIMIT))
    seen = b""
    try:
        for piece in zstd.decode_pieces(payload, _NOTE_LIMIT):
            # The note may lie across two pieces.
            seen = seen[-4096:] + piece
            if note := cubin.find_tool_note(seen):
                return note
    except DamagedFileError:
        pass
    return None


def _concatenated(entry: fatbin.EntryHeader, header: bytes, payload: bytes) -> tuple[Found, ...]:
    """List the cubins of a concatenated entry; its stored bytes are shared out by their sizes."""
    nested = fatbin.parse_nested(header)
    if nested is None:
        image = Image(Kind.OTHER, entry.number, "", None, entry.compression)
        return (Found(image, entry.stored, entry.size),)
    limit = min(entry.size, _CONCATENATED_LIMIT)
    packed = payload[: entry.packed or None]
    blob = payload if entry.compression == "none" else _decoded(entry.compression, packed, limit)
    total = max(sum(one.size for one in nested), 1)
    return tuple(_nested(entry, one, blob, total) for one in nested)


def _nested(entry: fatbin.EntryHeader, one: fatbin.Nested, blob: bytes, total: int) -> Found:
    data = blob[one.start : one.start + one.size]
    content = _judged(Kind.CUBIN, data if len(data) == one.size else None, one.size)
    header = cubin.parse_header(data)
    note = cubin.find_tool_note(data) if header and not content.is_stub else None
    toolkit = (header.toolkit if header else None) or (note.toolkit if note else None)
    kind = one.entry.kind
    image = Image(kind, one.entry.number, one.entry.suffix, None, entry.compression, content)
    share = entry.stored * one.size // total
    return Found(image, share, one.size, None if content.is_stub else toolkit)
