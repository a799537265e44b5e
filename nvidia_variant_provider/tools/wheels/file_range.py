"""Ranges of bytes in files: read through one handle, copied inside the kernel where it can."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.wheels.source import FileSource

if TYPE_CHECKING:
    from typing import BinaryIO

_STEP: Final = 4 << 20


class OpenSource(FileSource):
    """A file that stays open: thousands of small reads would each open it again."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__(file.name, name)
        self._file = file

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        if offset < 0:
            return b""
        self._file.seek(offset)
        return self._file.read(length)


def copy_range(old: BinaryIO, new: BinaryIO, at: int, length: int) -> None:
    """Append ``length`` bytes of ``old``, from ``at`` on, to what was written to ``new``."""
    new.flush()
    done = _copy_in_kernel(old.fileno(), new.fileno(), at, length)
    while done < length:
        piece = read_range(old, at + done, min(_STEP, length - done))
        new.write(piece)
        done += len(piece)


def read_range(old: BinaryIO, at: int, length: int) -> bytes:
    """Read exactly these bytes; raises ``DamagedFileError`` when the file has become shorter."""
    old.seek(at)
    data = bytearray()
    while len(data) < length and (piece := old.read(length - len(data))):
        data += piece
    if len(data) < length:
        raise DamagedFileError(f"{old.name}: became shorter while it was read")
    return bytes(data)


def _copy_in_kernel(old: int, new: int, at: int, length: int) -> int:
    """Return how many bytes were copied: fewer where system or file systems do not do it."""
    if not hasattr(os, "copy_file_range"):
        return 0
    done = 0
    while done < length:
        try:
            count = os.copy_file_range(old, new, length - done, at + done)
        except OSError:
            return done
        if not count:
            return done
        done += count
    return done
