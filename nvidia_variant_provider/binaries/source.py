"""Bytes of a file or of a compressed member, as a stream and, later, at chosen offsets."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from nvidia_variant_provider.errors import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

READ: Final = 64 * 1024
# A small piece of input can inflate a thousandfold, so the output of each step is capped.
STEP: Final = 256 * 1024
# A deflate stream can only be entered where the state of the inflater was kept: about 45 KB each.
CHECKPOINTS: Final = 96
FIRST_SPACING: Final = 256 << 10
_BLOCK: Final = 16 * 1024
_SMALL: Final = 4096


class Source(Protocol):
    """Bytes with a name; ``read_at`` may return less than asked at the end, never more."""

    name: str
    size: int

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes in order, in bounded pieces."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        ...


class BytesSource:
    """Bytes already in memory, for small pieces and tests."""

    def __init__(self, name: str, data: bytes, step: int = STEP) -> None:
        self.name = name
        self.size = len(data)
        self._data = data
        self._step = step

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces of the chosen step."""
        for start in range(0, self.size, self._step):
            yield self._data[start : start + self._step]

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        return self._data[offset : offset + length] if offset >= 0 else b""


class FileSource:
    """A file on disk, or the part of it that a stored zip member occupies."""

    def __init__(self, path: str, name: str, start: int = 0, size: int | None = None) -> None:
        self._path = path
        self._start = start
        self.name = name
        self.size = os.stat(path).st_size - start if size is None else size

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the file in pieces."""
        with open(self._path, "rb", buffering=0) as file:
            file.seek(self._start)
            left = self.size
            while left > 0 and (data := file.read(min(STEP, left))):
                left -= len(data)
                yield data

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        with open(self._path, "rb", buffering=0) as file:
            file.seek(self._start + offset)
            return file.read(length)


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """Where an inflater stood: output and input offsets, and a copy of its state."""

    out: int
    consumed: int
    state: zlib._Decompress


class InflatedSource:
    """A deflated zip member.

    Reading it through once leaves checkpoints behind, from which ``read_at`` inflates only a
    small part again. ``size`` is what the archive claims; a stream that goes on is an error.
    """

    def __init__(self, path: str, name: str, start: int, packed: int, size: int) -> None:
        self.name = name
        self.size = size
        self._path = path
        self._start = start
        self._packed = packed
        self._checkpoints = [_Checkpoint(0, 0, zlib.decompressobj(-zlib.MAX_WBITS))]
        self._spacing = FIRST_SPACING
        self._block: tuple[int, bytes] = (0, b"")

    def chunks(self) -> Iterator[bytes]:
        """Inflate the whole member in bounded pieces."""
        return self._inflate(self._checkpoints[0], self.size + 1)

    def read_at(self, offset: int, length: int) -> bytes:
        """Inflate from the nearest checkpoint up to the bytes asked for."""
        at, block = self._block
        if at <= offset and offset + length <= at + len(block):
            return block[offset - at : offset - at + length]
        block = self._reach(offset, max(length, _BLOCK))
        if len(block) <= 4 * _BLOCK:
            self._block = (offset, block)
        return block[:length]

    def _reach(self, offset: int, length: int) -> bytes:
        if not 0 <= offset < self.size:
            return b""
        near = max((c for c in self._checkpoints if c.out <= offset), key=lambda c: c.out)
        at, pieces = near.out, []
        for piece in self._inflate(near, min(offset + length, self.size + 1)):
            if at + len(piece) > offset:
                pieces.append(piece[max(offset - at, 0) :])
            at += len(piece)
        return b"".join(pieces)

    def _inflate(self, begin: _Checkpoint, until: int) -> Iterator[bytes]:
        """Inflate from a checkpoint up to an offset; only past the end is the size checked."""
        inflater, out, consumed = begin.state.copy(), begin.out, begin.consumed
        with open(self._path, "rb", buffering=0) as file:
            file.seek(self._start + consumed)
            while not inflater.eof and out < until:
                data = file.read(min(READ, self._packed - consumed, max(until - out, _SMALL)))
                consumed += len(data)
                for piece in self._drain(inflater, data, until - out):
                    out += len(piece)
                    yield piece
                if not data and not inflater.eof:
                    break
                self._remember(inflater, out, consumed)
        if out != self.size and until > min(out, self.size):
            seen = "more than" if out > self.size else f"{out} bytes,"
            raise DamagedFileError(f"{self.name}: inflates to {seen} the {self.size} announced")

    def _drain(self, inflater: zlib._Decompress, data: bytes, limit: int) -> Iterator[bytes]:
        """Inflate one piece of input step by step, up to the limit or until it is used up."""
        while limit > 0:
            step = min(STEP, limit)
            try:
                piece = inflater.decompress(data, step)
            except zlib.error as error:
                raise DamagedFileError(f"{self.name}: not a deflate stream: {error}") from error
            limit -= len(piece)
            if piece:
                yield piece
            data = inflater.unconsumed_tail
            if inflater.eof or (not data and len(piece) < step):
                return

    def _remember(self, inflater: zlib._Decompress, out: int, consumed: int) -> None:
        """Keep a checkpoint now and then; thin them out when there are too many."""
        # The copy would hold on to input that has not been used yet, so wait until there is none.
        if inflater.unconsumed_tail or out - self._checkpoints[-1].out < self._spacing:
            return
        self._checkpoints.append(_Checkpoint(out, consumed, inflater.copy()))
        if len(self._checkpoints) > CHECKPOINTS:
            self._checkpoints = self._checkpoints[::2]
            self._spacing *= 2
