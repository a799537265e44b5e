"""A reader over a stream of chunks: look ahead a little, skip a lot, search for byte patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Cursor:
    """A position in a stream. Bytes are held only from it up to the end of the current chunk."""

    __slots__ = ("_at", "_base", "_buffer", "_chunks", "_seen")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._buffer = b""
        self._base = 0
        self._at = 0
        # Per pattern: where it was last found, or -1 and up to where it is not to be found.
        self._seen: dict[bytes, tuple[int, int]] = {}

    @property
    def offset(self) -> int:
        """The offset of the position from the start of the stream."""
        return self._base + self._at

    @property
    def ahead(self) -> tuple[int, int]:
        """The range of offsets that is in memory from the position on."""
        return self.offset, self._base + len(self._buffer)

    def peek(self, length: int) -> bytes:
        """Return the next bytes without moving; fewer at the end of the stream."""
        while len(self._buffer) - self._at < length and self._more():
            pass
        return self._buffer[self._at : self._at + length]

    def skip(self, length: int) -> int:
        """Move forward, dropping what is passed; returns how far it went."""
        left = length
        while left > (held := len(self._buffer) - self._at):
            left -= held
            self._at = len(self._buffer)
            if not self._more():
                return length - left
        self._at += left
        return length

    def load(self) -> bool:
        """Make sure that a byte is in memory at the position; False at the end."""
        return self._at < len(self._buffer) or self._more()

    def search(self, patterns: Sequence[bytes]) -> bytes | None:
        """Move to the next of the patterns within the bytes in memory, and return it.

        Without one, move so near to the end of them that a pattern lying across is not missed,
        and load more. ``None`` then means "ask again", or the end: see ``load``.
        """
        best, hit = self._base + len(self._buffer), None
        for pattern in patterns:
            # Behind the nearest hit nothing is of interest yet: a container is passed as a whole.
            if (at := self._next(pattern, best)) >= 0:
                best, hit = at, pattern
        if hit is not None:
            self._at = best - self._base
            return hit
        overlap = max(map(len, patterns)) - 1
        self._at = max(self._at, len(self._buffer) - overlap)
        if not self._more():
            self._at = len(self._buffer)
        return None

    def _next(self, pattern: bytes, end: int) -> int:
        """Return the offset of the pattern's next place in memory before ``end``, or -1."""
        at, until = self._seen.get(pattern, (-1, 0))
        if at >= self.offset:
            return at if at < end else -1
        start = max(self.offset, until if at < 0 else 0)
        index = self._buffer.find(pattern, start - self._base, end - self._base + len(pattern) - 1)
        at = -1 if index < 0 else self._base + index
        # Places too near to the end of the buffer are looked at again when there is more.
        whole = self._base + len(self._buffer) - len(pattern) + 1
        self._seen[pattern] = (at, min(end, whole))
        return at

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        if not chunk:
            return False
        rest = self._buffer[self._at :]
        self._base += self._at
        self._buffer = rest + chunk if rest else chunk
        self._at = 0
        return True
