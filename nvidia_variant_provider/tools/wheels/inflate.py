"""Inflater and checksum: zlib-ng's where the extra ``fast`` is installed, else those of Python.

Both can be copied, which is what reading a member again from the middle needs; ISA-L's cannot.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from types import ModuleType

    from typing_extensions import Self

library: ModuleType
try:
    from zlib_ng import zlib_ng as library
except ImportError:
    library = zlib  # the extra is not installed

# What an inflater raises for bytes that are no deflate stream.
ERRORS: Final[tuple[type[Exception], ...]] = (zlib.error, library.error)


class Inflater(Protocol):
    """The state of inflating one stream."""

    @property
    def eof(self) -> bool:
        """True once the stream has ended."""
        ...

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that was not used because the output was limited."""
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Inflate up to ``max_length`` bytes; raises one of ``ERRORS``."""
        ...

    def copy(self) -> Self:
        """Return a copy that goes on by itself."""
        ...


def inflater() -> Inflater:
    """Return an inflater for a bare deflate stream, as zip members are."""
    fresh: Inflater = library.decompressobj(-zlib.MAX_WBITS)
    return fresh


def crc32(data: bytes, before: int = 0) -> int:
    """Return the CRC-32 of bytes that follow others of the sum ``before``."""
    return int(library.crc32(data, before))
