"""The body of an answer: in pieces, whole within a limit, unpacked."""

from __future__ import annotations

import http.client
import time
import zlib
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.releases.upstream_error import cut_short, unusable, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP: Final = 256 * 1024
_PIECE: Final = 512 * 1024
_SOON_S: Final = 0.1


def pieces_of(answer: http.client.HTTPResponse, url: str) -> Iterator[bytes]:
    """Yield the body of an answer in pieces; raises ``UpstreamError`` if it is cut short.

    Over TLS a single read gives 16 KB at most: a large file goes on in larger pieces. What comes
    slowly goes on as it comes, as whoever waits for it gives up after a while.
    """
    size = 0
    while piece := gathered(answer, url):
        size += len(piece)
        yield piece
    check_length(answer, size, url)


def gathered(answer: http.client.HTTPResponse, url: str) -> bytes:
    """Return a piece of the body, b"" at the end; raises ``UpstreamError`` if it breaks off."""
    parts, size = [], 0
    until = time.monotonic() + _SOON_S
    while size < _PIECE and (part := _read(answer, url)):
        parts.append(part)
        size += len(part)
        if time.monotonic() > until:
            break
    return b"".join(parts)


def read_whole(answer: http.client.HTTPResponse, url: str, limit: int) -> bytes:
    """Return the body of an answer; raises ``UpstreamError`` if it is larger than the limit."""
    pieces, size = [], 0
    for piece in pieces_of(answer, url):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise unusable(url, f"more than {limit} bytes")
    return b"".join(pieces)


def unpacked(body: bytes, packing: str, limit: int, url: str) -> bytes:
    """Return the body as it was meant: some servers pack whether they are asked to or not.

    Raises ``UpstreamError``.
    """
    if packing in {"", "identity"}:
        return body
    if packing not in {"gzip", "x-gzip"}:
        raise unusable(url, f"packed as {packing[:20]!r}, which was not asked for")
    # 16 is added for the header of gzip.
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise unusable(url, str(error)) from error
    if len(plain) > limit:
        raise unusable(url, f"more than {limit} bytes")
    if not decoder.eof:
        raise cut_short(url, "ended in the middle of packed data")
    return plain


def _read(answer: http.client.HTTPResponse, url: str) -> bytes:
    try:
        return answer.read1(_STEP)
    except (OSError, http.client.HTTPException) as error:
        raise cut_short(url, f"broke off: {words_of(error)}") from error


def check_length(answer: http.client.HTTPResponse, size: int, url: str) -> None:
    """Raise ``UpstreamError`` if an answer was announced with another size."""
    stated = answer.headers.get("Content-Length", "")
    if stated.isdecimal() and int(stated) != size:
        raise cut_short(url, f"ended after {size} bytes of {stated}")
