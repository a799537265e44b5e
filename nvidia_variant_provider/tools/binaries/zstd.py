"""Decode the start of a zstd frame, the compression of containers since CUDA 13.

The decoder is the standard library's (Python 3.14) or the package ``backports.zstd``. Without
either, ``is_available`` is False and callers say what they could not see.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol, cast

from nvidia_variant_provider.errors import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC: Final = b"\x28\xb5\x2f\xfd"
_STEP: Final = 16 * 1024
# A frame header of ours: no content size, no checksum, a window of 1 MB.
_HEADER: Final = MAGIC + bytes([0x00, 0x50])
_SMALL_WINDOW: Final = 1 << 20
_DICTIONARY_BYTES: Final = (0, 1, 2, 4)
_SIZE_BYTES: Final = (0, 2, 4, 8)


class _Decoder(Protocol):
    eof: bool

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Module(Protocol):
    ZstdError: type[Exception]

    def ZstdDecompressor(self) -> _Decoder: ...  # noqa: N802 - the library's name


@cache
def _module() -> _Module | None:
    # The two modules have one interface and no common type.
    with suppress(ImportError):
        return cast("_Module", importlib.import_module("compression.zstd"))
    with suppress(ImportError):
        return cast("_Module", importlib.import_module("backports.zstd"))
    return None


def is_available() -> bool:
    """Tell whether a zstd decoder is there."""
    return _module() is not None


def decode_pieces(data: bytes, limit: int) -> Iterator[bytes]:
    """Yield up to ``limit`` bytes of what a frame decodes to, in small pieces; it may be cut off.

    A limit above 1 MB takes as much memory as the frame asks for, if that is no more than the
    limit. Raises ``DamagedFileError`` when the bytes are not a zstd frame.
    """
    module = _module()
    if module is None:
        return
    decoder = module.ZstdDecompressor()
    feed = data if _SMALL_WINDOW < limit >= window_of(data) else _with_small_window(data)
    limit = limit if feed is data else min(limit, _SMALL_WINDOW)
    done = 0
    while done < limit:
        try:
            piece = decoder.decompress(feed, min(_STEP, limit - done))
        except module.ZstdError as error:
            raise DamagedFileError(f"not a zstd frame: {error}") from error
        feed = b""
        if not piece:
            return
        done += len(piece)
        yield piece
        if decoder.eof:
            return


def decode_start(data: bytes, limit: int) -> bytes:
    """Return up to ``limit`` bytes of what a frame decodes to."""
    return b"".join(decode_pieces(data, limit))


def window_of(data: bytes) -> int:
    """Return how many bytes a frame asks its decoder to hold; raises ``DamagedFileError``."""
    if data[:4] != MAGIC or len(data) < len(_HEADER) + max(_SIZE_BYTES):
        raise DamagedFileError(f"not a zstd frame: starts with {data[:4].hex()}")
    descriptor = data[4]
    if not descriptor & 0x20:
        base = 1 << (10 + (data[5] >> 3))
        return base + base // 8 * (data[5] & 7)
    start = 5 + _DICTIONARY_BYTES[descriptor & 3]
    size = _SIZE_BYTES[descriptor >> 6] or 1
    return int.from_bytes(data[start : start + size], "little") + 256 * (size == 2)  # noqa: PLR2004 - RFC 8878


def _with_small_window(data: bytes) -> bytes:
    """Return the frame under a header that asks for little memory.

    A frame may claim a window as large as its content, and decoders allocate that at once. Only
    the first bytes are decoded here, so no match can reach back further than a small window.
    """
    if data[:4] != MAGIC or len(data) < len(_HEADER):
        raise DamagedFileError(f"not a zstd frame: starts with {data[:4].hex()}")
    descriptor = data[4]
    single = bool(descriptor & 0x20)
    size = _SIZE_BYTES[descriptor >> 6] or int(single)
    return _HEADER + data[5 + (not single) + _DICTIONARY_BYTES[descriptor & 3] + size :]
