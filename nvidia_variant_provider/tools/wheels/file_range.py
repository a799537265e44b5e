"""Ranges of bytes in files: read whole, copied inside the kernel where it can."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError

if TYPE_CHECKING:
    from typing import BinaryIO

    from nvidia_variant_provider.tools.wheels.source import OpenFile

_STEP: Final = 4 << 20


def copy_range(old: OpenFile, new: BinaryIO, at: int, length: int) -> None:
    """Append ``length`` bytes of ``old``, from ``at`` on, to what was written to ``new``."""
    new.flush()
    done = _copy_in_kernel(old.fileno(), new.fileno(), at, length)
    while done < length:
        piece = read_range(old, at + done, min(_STEP, length - done))
        new.write(piece)
        done += len(piece)


def read_range(old: OpenFile, at: int, length: int) -> bytes:
    """Read exactly these bytes; raises ``DamagedFileError`` when the file has become shorter."""
    data = bytearray()
    while len(data) < length and (piece := old.read_at(at + len(data), length - len(data))):
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
