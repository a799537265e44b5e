"""Bytes of a file or of a compressed member, as a stream and, later, at chosen offsets."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.files import open_regular
from nvidia_variant_provider.tools.wheels import inflate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Self

    from nvidia_variant_provider.tools.wheels.inflate import Inflater

READ: Final = 64 * 1024
# A small piece of input can inflate a thousandfold, so the output of each step is capped.
STEP: Final = 256 * 1024
# A deflate stream can only be entered where the state of the inflater was kept: about 45 KB each.
CHECKPOINTS: Final = 96
FIRST_SPACING: Final = 256 << 10
_BLOCK: Final = 16 * 1024
_SMALL: Final = 4096
_MAX_KEPT: Final = 4
_MAX_RANGE: Final = 128 * 1024
# Stands for the end of a range that is an answer given before, and takes in nothing more.
_ANSWER: Final = -1


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

    def keep(self, start: int, end: int) -> None:
        """Announce that a range will be asked for after the stream was read."""
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

    def keep(self, start: int, end: int) -> None:
        """Do nothing: all bytes are at hand."""


class OpenFile:
    """A regular file that is open once and read at any place, by several threads too.

    ``name`` is for messages. Close it, or use it in ``with``.
    """

    def __init__(self, path: str | Path, name: str = "") -> None:
        """Open the file; raises ``InvalidValueError`` for a pipe or a device, and ``OSError``."""
        self.name = name or str(path)
        self._file = open_regular(path)
        self.size = os.fstat(self._file.fileno()).st_size
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; its sources cannot be read any more."""
        self._file.close()

    def fileno(self) -> int:
        """Return the descriptor, for copies inside the kernel."""
        return self._file.fileno()

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the file in pieces."""
        return _pieces(self, 0, self.size)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; raises ``OSError`` naming the file."""
        # Files state sizes and places of 64 bits, which systems do not take.
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        try:
            if hasattr(os, "pread"):
                return os.pread(self._file.fileno(), length, offset)
            with self._lock:
                self._file.seek(offset)
                return self._file.read(length)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.name) from error

    def keep(self, start: int, end: int) -> None:
        """Do nothing: the file can be read again."""


class Checksum:
    """The CRC-32 that some bytes should have; ``is_confirmed`` once all of them were seen."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.is_confirmed = False

    def over(self, pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
        """Hand on the pieces; raises ``DamagedFileError`` at their end if the sum is another."""
        seen = 0
        for piece in pieces:
            seen = inflate.crc32(piece, seen)
            yield piece
        if seen != self.expected:
            raise DamagedFileError(
                f"{name}: damaged: its checksum is {seen:08x}, the archive states"
                f" {self.expected:08x}"
            )
        self.is_confirmed = True


class PartSource:
    """A range of other bytes, such as the place of a stored member in its archive."""

    def __init__(
        self, whole: Source, name: str, start: int, size: int, checksum: Checksum | None = None
    ) -> None:
        self._whole = whole
        self._start = start
        self._checksum = checksum
        self.name = name
        self.size = size

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the range in pieces, and check their sum where one is known."""
        pieces = _pieces(self._whole, self._start, self.size)
        return self._checksum.over(pieces, self.name) if self._checksum else pieces

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        length = min(length, self.size - offset)
        return self._whole.read_at(self._start + offset, length) if offset >= 0 < length else b""

    def keep(self, start: int, end: int) -> None:
        """Do nothing: the range can be read again."""


def _pieces(whole: Source, start: int, size: int) -> Iterator[bytes]:
    at, end = start, start + size
    while at < end and (data := whole.read_at(at, min(STEP, end - at))):
        at += len(data)
        yield data


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """Where an inflater stood: output and input offsets, and a copy of its state."""

    out: int
    consumed: int
    state: Inflater


@dataclass(slots=True)
class _Kept:
    """A range copied out of the stream as it passes by."""

    start: int
    end: int
    data: bytearray

    def feed(self, at: int, piece: bytes) -> None:
        """Take over what a piece of the stream has of the range, the pieces coming in order."""
        if at < self.end and at + len(piece) > self.start + len(self.data):
            wanted = self.start + len(self.data) - at
            if wanted >= 0:
                self.data += piece[wanted : self.end - at]

    def get(self, start: int, end: int) -> bytes | None:
        """Return a part of the range, ``None`` unless all of it is there."""
        if self.start <= start and end <= self.start + len(self.data):
            return bytes(self.data[start - self.start : end - self.start])
        return None


class InflatedSource:
    """A deflated zip member.

    Reading it through once leaves checkpoints behind, from which ``read_at`` inflates only a
    small part again. ``size`` is what the archive claims; a stream that goes on is an error.
    """

    def __init__(
        self,
        whole: Source,
        name: str,
        start: int,
        packed: int,
        size: int,
        checksum: Checksum | None = None,
    ) -> None:
        self.name = name
        self.size = size
        self._whole = whole
        self._start = start
        self._packed = packed
        self._checksum = checksum
        self._checkpoints = [_Checkpoint(0, 0, inflate.inflater())]
        self._spacing = FIRST_SPACING
        self._kept: list[_Kept] = []

    def keep(self, start: int, end: int) -> None:
        """Copy this range out of the stream when it passes by, instead of inflating it again."""
        if len(self._kept) < _MAX_KEPT and 0 <= start < end <= start + _MAX_RANGE:
            self._kept.append(_Kept(start, min(end, self.size), bytearray()))

    def chunks(self) -> Iterator[bytes]:
        """Inflate the whole member in bounded pieces, and check their sum where one is known."""
        pieces = self._inflate(self._checkpoints[0], self.size + 1)
        at = 0
        for piece in self._checksum.over(pieces, self.name) if self._checksum else pieces:
            for kept in self._kept:
                kept.feed(at, piece)
            at += len(piece)
            yield piece

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes that were kept, or inflate again from the nearest checkpoint."""
        end = min(offset + length, self.size)
        for kept in self._kept:
            held = kept.get(offset, end)
            if held is not None:
                return held
        block = self._reach(offset, max(length, _BLOCK))
        if len(block) <= 4 * _BLOCK:
            # The next question is mostly about the same place.
            self._kept = [kept for kept in self._kept if kept.end != _ANSWER]
            self._kept.append(_Kept(offset, _ANSWER, bytearray(block)))
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
        while not inflater.eof and out < until:
            length = min(READ, self._packed - consumed, max(until - out, _SMALL))
            data = self._whole.read_at(self._start + consumed, length)
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

    def _drain(self, inflater: Inflater, data: bytes, limit: int) -> Iterator[bytes]:
        """Inflate one piece of input step by step, up to the limit or until it is used up."""
        while limit > 0:
            step = min(STEP, limit)
            try:
                piece = inflater.decompress(data, step)
            except inflate.ERRORS as error:
                raise DamagedFileError(f"{self.name}: not a deflate stream: {error}") from error
            limit -= len(piece)
            if piece:
                yield piece
            data = inflater.unconsumed_tail
            if inflater.eof or (not data and len(piece) < step):
                return

    def _remember(self, inflater: Inflater, out: int, consumed: int) -> None:
        """Keep a checkpoint now and then; thin them out when there are too many."""
        # The copy would hold on to input that has not been used yet, so wait until there is none.
        if inflater.unconsumed_tail or out - self._checkpoints[-1].out < self._spacing:
            return
        self._checkpoints.append(_Checkpoint(out, consumed, inflater.copy()))
        if len(self._checkpoints) > CHECKPOINTS:
            self._checkpoints = self._checkpoints[::2]
            self._spacing *= 2
