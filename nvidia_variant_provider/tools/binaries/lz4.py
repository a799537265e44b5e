"""Decode the start of a raw LZ4 block, the compression of containers before CUDA 13.

Pure Python: only small images and the first bytes of larger ones are ever decoded.
"""

from __future__ import annotations

from typing import Final

from nvidia_variant_provider.errors import DamagedFileError

# The smallest match; the token's low half counts what goes beyond it.
_MIN_MATCH: Final = 4
_LONG: Final = 15


def decode_block(data: bytes, limit: int) -> bytes:
    """Return at most ``limit`` bytes of what the block decodes to.

    A block that is cut off gives what can be decoded of it; raises ``DamagedFileError`` for a
    match that points before the start.
    """
    out = bytearray()
    at, end = 0, len(data)
    while at < end and len(out) < limit:
        token = data[at]
        # Most lengths fit in the token: calls for these would cost more than the copying.
        literals, match = token >> 4, token & _LONG
        at += 1
        if literals == _LONG:
            literals, at = _length(data, at)
        out += data[at : at + literals]
        at += literals
        if at + 2 > end:
            break
        distance = data[at] | data[at + 1] << 8
        at += 2
        if match == _LONG:
            match, at = _length(data, at)
        length, start = match + _MIN_MATCH, len(out) - distance
        # The common case is written out: a call would cost more than the copying.
        if length <= distance <= len(out):
            out += out[start : start + length]
        else:
            _repeat(out, distance, min(length, limit))
    return bytes(out[:limit])


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Return a length that did not fit into the token, and where the reading goes on."""
    total = _LONG
    while at < len(data):
        total += data[at]
        at += 1
        if data[at - 1] != 0xFF:  # noqa: PLR2004 - the format's sign for "one more byte"
            break
    return total, at


def _repeat(out: bytearray, distance: int, length: int) -> None:
    """Append ``length`` bytes from ``distance`` back, fewer than that: they are repeated."""
    if not 0 < distance <= len(out):
        raise DamagedFileError(f"LZ4 match {distance} bytes back, only {len(out)} decoded")
    piece = bytes(out[len(out) - distance :])
    out += (piece * (length // distance + 1))[:length]
