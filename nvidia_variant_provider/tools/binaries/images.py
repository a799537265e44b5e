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

    # From a number of bytes to so many from the start of a payload.
    Payload = Callable[[int], bytes]

# Without a decoder: cubins below the first size had no kernels in any wheel examined. Header lines
# of PTX alone take less than the second.
_SURE_STUB: Final = {Kind.CUBIN: 1600, Kind.PTX: 400}
# How much of an image is looked at for kernels, by steps: names of sections, and the first function
# of PTX, are near the start unless names are very long or tables of constants come first.
_STEPS: Final = (1 << 10, 8 << 10, 64 << 10, 1 << 20)
# A zstd frame gives nothing before its first block is complete: 128 KB at most, and its header.
_FIRST_BLOCK: Final = (128 << 10) + 32
# Room for lengths and tokens beside the bytes that a block of LZ4 holds as they are; what counts is
# that of the first run, which may be as long as the image.
_LENGTHS: Final = 8 << 10
# What is looked at of a large image, in order to find the compiler's note.
_NOTE_LIMIT: Final = 512 * 1024
_SLOW_NOTE_LIMIT: Final = 32 * 1024
# In a library that has shown no toolkit yet: cubins of some MB have it behind their code.
_FAR_NOTE_LIMIT: Final = 32 << 20
_FAR_PACKED: Final = 8 << 20
# Where the first images keep their note out of reach, the others of a container do so too.
_DEEP_TRIES: Final = 3
# A concatenated entry is decoded whole only up to this size.
_CONCATENATED_LIMIT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class SizedImage:
    """An image with its sizes; ``toolkit`` where the cubin says it."""

    image: Image
    stored: int
    size: int
    toolkit: CudaVersion | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container that was read; ``damage`` says why reading it stopped early, if it did."""

    offset: int
    images: tuple[SizedImage, ...]
    damage: str = ""


def read_container(cursor: Cursor, size: int, *, far: bool = False) -> Container:
    """Read the container at the cursor, of ``size`` bytes after its header, and pass it.

    ``far`` looks for the compiler's note as far as it may be, which takes time.
    """
    offset = cursor.offset
    end = offset + fatbin.HEADER_SIZE + size
    cursor.skip(fatbin.HEADER_SIZE)
    images: list[SizedImage] = []
    damage = ""
    while cursor.offset < end and not damage:
        damage = _read_entry(cursor, end, images, far=far)
    return Container(offset, tuple(images), damage)


def _read_entry(cursor: Cursor, end: int, images: list[SizedImage], *, far: bool) -> str:
    """Read one entry and pass it; returns what is wrong with it, or nothing."""
    at, room = cursor.offset, end - cursor.offset
    entry = fatbin.parse_entry(cursor.peek(fatbin.ENTRY_SIZE))
    if entry is None or not fatbin.fits(entry, room):
        return f"no valid entry at offset {at}, {room} bytes before the end of the container"
    if len(images) >= _MAX_ENTRIES:
        return f"more than {_MAX_ENTRIES} entries"
    told = any(sized.toolkit and not sized.image.content.is_stub for sized in images)
    deep = 0 if told or len(images) >= _DEEP_TRIES else _FAR_NOTE_LIMIT if far else _NOTE_LIMIT

    def payload(length: int) -> bytes:
        """Return the first bytes of the payload: of a few images only are many ever wanted."""
        wanted = entry.header_size + min(length, entry.packed or entry.stored)
        return cursor.peek(wanted)[entry.header_size :]

    if entry.code == fatbin.CONCATENATED:
        header = cursor.peek(entry.header_size)
        images += _concatenated(entry, header, payload(_CONCATENATED_LIMIT))
    else:
        images.append(_image(entry, payload, deep=deep))
    length = entry.header_size + entry.stored
    if cursor.skip(length) < length:
        return f"cut off inside the entry at offset {at}"
    return ""


_MAX_ENTRIES: Final = 10_000


def _image(entry: fatbin.EntryHeader, payload: Payload, *, deep: int) -> SizedImage:
    start, content = _looked_into(entry, payload)
    toolkit = None
    if entry.kind is Kind.CUBIN:
        toolkit = _toolkit(entry, payload, start, deep=0 if content.is_stub else deep)
    isa = entry.version if entry.kind is Kind.PTX else None
    image = Image(entry.kind, entry.number, entry.suffix, isa, entry.compression, content)
    return SizedImage(image, entry.stored, entry.size, toolkit)


def _looked_into(entry: fatbin.EntryHeader, payload: Payload) -> tuple[bytes, Content]:
    """Decode as little of an image as tells whether it has kernels, whatever its size."""
    test, start = _TESTS.get(entry.kind), b""
    if test is None or _is_seen_packed(entry, payload):
        return start, Content.KERNELS
    for step in _STEPS:
        more = _decoded(entry, payload, min(step, entry.size))
        answer = test(more) if len(more) > len(start) else None
        start = max(start, more, key=len)
        if answer or (answer is False and (len(start) == entry.size or entry.kind is Kind.CUBIN)):
            return start, Content.KERNELS if answer else Content.STUB
        if len(more) < min(step, entry.size) or step >= entry.size:
            break
    is_small = entry.size < _SURE_STUB[entry.kind]
    return start, Content.PRESUMED_STUB if is_small else Content.PRESUMED_KERNELS


def _is_seen_packed(entry: fatbin.EntryHeader, payload: Payload) -> bool:
    """Tell whether PTX shows a function while packed: LZ4 leaves a word that is new as it is.

    Tables of constants can keep the first function far from the start, and decoding is slow.
    """
    if entry.kind is not Kind.PTX or entry.compression != "lz4":
        return False
    packed = payload(_STEPS[-1])
    return b".entry" in packed or b".func" in packed


def _decoded(entry: fatbin.EntryHeader, payload: Payload, limit: int) -> bytes:
    """Decode up to ``limit`` bytes; nothing when the payload is damaged."""
    if entry.compression == "none":
        return payload(limit)
    # Packed bytes are fewer than what comes of them, but for the lengths of long runs.
    longest = limit + _LENGTHS + (limit >> 7)
    packed = payload(longest if entry.compression == "lz4" else max(longest, _FIRST_BLOCK))
    try:
        if entry.compression == "lz4":
            return lz4.decode_block(packed, limit)
        return zstd.decode_start(packed, limit)
    except DamagedFileError:
        return b""


_TESTS: Final[dict[Kind, Callable[[bytes], bool | None]]] = {
    Kind.PTX: ptx.has_kernels,
    Kind.CUBIN: cubin.has_kernels,
}


def _toolkit(
    entry: fatbin.EntryHeader, payload: Payload, start: bytes, *, deep: int
) -> CudaVersion | None:
    """Find the toolkit that made a cubin, searching for a note in its first ``deep`` bytes."""
    header = cubin.parse_header(start)
    if header is None or header.toolkit or not deep:
        return header.toolkit if header else None
    note = _note(entry, payload, deep)
    return note.toolkit if note else None


def _note(entry: fatbin.EntryHeader, payload: Payload, deep: int) -> cubin.ToolNote | None:
    if entry.compression != "zstd":
        limit = deep if entry.compression == "none" else _SLOW_NOTE_LIMIT
        return cubin.find_tool_note(_decoded(entry, payload, limit))
    seen = b""
    try:
        packed = payload(_FIRST_BLOCK if deep <= _NOTE_LIMIT else _FAR_PACKED)
        for piece in zstd.decode_pieces(packed, deep):
            # The note may lie across two pieces.
            seen = seen[-4096:] + piece
            if note := cubin.find_tool_note(seen):
                return note
    except DamagedFileError:
        pass
    return None


def _concatenated(
    entry: fatbin.EntryHeader, header: bytes, packed: bytes
) -> tuple[SizedImage, ...]:
    """List the cubins of a concatenated entry; its stored bytes are shared out by their sizes."""
    nested = fatbin.parse_nested(header)
    if nested is None:
        image = Image(Kind.OTHER, entry.number, "", None, entry.compression)
        return (SizedImage(image, entry.stored, entry.size),)
    limit = min(entry.size, _CONCATENATED_LIMIT)
    blob = _decoded(entry, lambda length: packed[:length], limit)
    total = max(sum(inner.size for inner in nested), 1)
    return tuple(_nested(entry, inner, blob, total) for inner in nested)


def _nested(entry: fatbin.EntryHeader, inner: fatbin.Nested, blob: bytes, total: int) -> SizedImage:
    data = blob[inner.start : inner.start + inner.size]
    content = _content_of(data, inner.size)
    header = cubin.parse_header(data)
    note = cubin.find_tool_note(data) if header and not content.is_stub else None
    toolkit = (header.toolkit if header else None) or (note.toolkit if note else None)
    kind = inner.entry.kind
    image = Image(kind, inner.entry.number, inner.entry.suffix, None, entry.compression, content)
    share = entry.stored * inner.size // total
    return SizedImage(image, share, inner.size, None if content.is_stub else toolkit)


def _content_of(data: bytes, size: int) -> Content:
    """Judge a cubin by what there is of it, or by its size when that does not tell."""
    is_seen = len(data) == size or cubin.parse_header(data) is not None
    answer = cubin.has_kernels(data) if is_seen else None
    if answer is None:
        is_small = size < _SURE_STUB[Kind.CUBIN]
        return Content.PRESUMED_STUB if is_small else Content.PRESUMED_KERNELS
    return Content.KERNELS if answer else Content.STUB
