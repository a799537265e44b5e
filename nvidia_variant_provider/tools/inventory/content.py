"""Opens an inventory by its content: gzip, zstd, PowerShell's UTF-16, or plain UTF-8.

What a file is called does not matter: a pipe has no name, and ``nodes.json`` may be compressed.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import os
import sys
import zlib
from typing import TYPE_CHECKING, Final, Protocol, cast

from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.tools.files import missing
from nvidia_variant_provider.tools.installers.ourselves import install_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import WriteableBuffer

STDIN: Final = "-"
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# The start of a file that tells what it is.
_HEAD: Final = 1 << 16


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class Content:
    """The decoded bytes of an inventory, and their start, which tells the format."""

    def __init__(self, stream: io.BufferedReader, *, plain: bool) -> None:
        self.stream = stream
        self.is_plain = plain

    def head(self) -> str:
        """Return the start as text, without taking it from the stream."""
        return self.stream.peek(_HEAD)[:_HEAD].decode("utf-8-sig", "replace")


def source_name(path: str) -> str:
    """Return how errors call a file."""
    return "standard input" if path == STDIN else os.path.basename(path)


@contextlib.contextmanager
def opened(path: str) -> Iterator[Content]:
    """Open a file or standard input (``-``); raises ``FleetError`` for what cannot be read."""
    source = source_name(path)
    try:
        with contextlib.ExitStack() as stack:
            if path == STDIN:
                yield _decoded(_buffered(sys.stdin.buffer), source, plain=False)
            else:
                file = stack.enter_context(open(path, "rb", buffering=_HEAD))
                yield _decoded(cast("io.BufferedReader", file), source, plain=True)
    except FileNotFoundError as error:
        raise InvalidValueError(f"{path}: {missing(path)}") from error
    except OSError as error:
        # A damaged gzip file is an OSError without a number.
        reason = error.strerror or str(error) or type(error).__name__
        raise FleetError(path, "", "", reason, "a readable file") from error
    except (EOFError, zlib.error) as error:
        raise FleetError(source, "", "", f"damaged data: {error}", "a whole file") from error


def _decoded(stream: io.BufferedReader, source: str, *, plain: bool) -> Content:
    start = stream.peek(4)[:4]
    if start.startswith(_GZIP):
        return _decoded(_buffered(gzip.GzipFile(fileobj=stream)), source, plain=False)
    if start.startswith(_ZSTD):
        return _decoded(_buffered(_zstd(source)(stream)), source, plain=False)
    if start.startswith(_UTF16):
        return Content(io.BufferedReader(_Recoded(stream), _HEAD), plain=False)
    return Content(stream, plain=plain)


def _buffered(stream: _Readable) -> io.BufferedReader:
    return io.BufferedReader(_Raw(stream), _HEAD)


def _zstd(source: str) -> Callable[[io.BufferedReader], _Readable]:
    import importlib

    for name in ("compression.zstd", "backports.zstd"):
        with contextlib.suppress(ModuleNotFoundError):
            opener: Callable[[io.BufferedReader], _Readable] = importlib.import_module(
                name
            ).ZstdFile
            return opener
    raise FleetError(source, "", "", "zstd", install_line("tools"))


class _Raw(io.RawIOBase):
    """Any readable as raw bytes, so that it can be buffered and peeked into."""

    def __init__(self, source: _Readable) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._source.read(len(view))
        view[: len(data)] = data
        return len(data)


class _Recoded(io.RawIOBase):
    """UTF-16 with a byte order mark, read as UTF-8."""

    def __init__(self, source: _Readable) -> None:
        self._source = source
        self._decode = codecs.getincrementaldecoder("utf-16")("replace")
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        while not self._waiting:
            data = self._source.read(len(view))
            self._waiting = self._decode.decode(data, final=not data).encode()
            if not data:
                break
        piece, self._waiting = self._waiting[: len(view)], self._waiting[len(view) :]
        view[: len(piece)] = piece
        return len(piece)
