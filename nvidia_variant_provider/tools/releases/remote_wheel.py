"""METADATA out of a wheel on a server, by requests for ranges: for indexes without PEP 658.

Some hundred kilobytes of a wheel of half a gigabyte are read: its directory, and the one member.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.http import UpstreamError, redacted
from nvidia_variant_provider.tools.wheels.dist_info import find_dist_info
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.releases.http import Fetcher
    from nvidia_variant_provider.tools.releases.pages import PageFile

_PARTIAL: Final = 206
_STEP: Final = 64 * 1024
_MOST: Final = 16 * 1024 * 1024
_LARGEST: Final = 4 * 1024 * 1024
_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


def read_remote_metadata(file: PageFile, fetcher: Fetcher) -> bytes:
    """Return METADATA of a wheel that lies on a server.

    Raises ``InvalidValueError`` for a server that sends no ranges and for what is no wheel.
    """
    try:
        with zipfile.ZipFile(io.BufferedReader(_Ranges(file.url, fetcher), _STEP)) as archive:
            folder = find_dist_info(archive.namelist(), WheelName.parse(file.name), file.url)
            member = archive.getinfo(f"{folder}/METADATA")
            if member.file_size > _LARGEST:
                raise InvalidValueError(f"METADATA of {member.file_size} bytes")
            return archive.read(member)
    except UpstreamError as error:
        raise InvalidValueError(str(error)) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise InvalidValueError(f"{redacted(file.url)}: not a wheel: {error}") from error


class _Ranges(io.RawIOBase):
    """A file on a server as a file that can be read at any place; ``_MOST`` bytes altogether."""

    def __init__(self, url: str, fetcher: Fetcher) -> None:
        super().__init__()
        self._url, self._fetcher = url, fetcher
        self._at = self._taken = 0
        # What is asked for first anyway: the end, which says where the directory is.
        self._tail, self._size = self._ask(f"bytes=-{_STEP}")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub's Buffer is of Python 3.12
        end = min(self._at + len(buffer), self._size)
        if self._at >= end:
            return 0
        tail_at = self._size - len(self._tail)
        if self._at >= tail_at:
            data = self._tail[self._at - tail_at : end - tail_at]
        else:
            data, _ = self._ask(f"bytes={self._at}-{end - 1}")
            data = data[: end - self._at]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _ask(self, wanted: str) -> tuple[bytes, int]:
        """Return the bytes of a range, and the size of the whole file."""
        headers = {"Range": wanted, "Accept-Encoding": "identity"}
        with self._fetcher.open(self._url, headers) as answer:
            stated = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
            if answer.status != _PARTIAL or stated is None:
                raise InvalidValueError("neither METADATA beside it nor ranges of it are served")
            length = int(stated[2]) - int(stated[1]) + 1
            self._taken += length
            if length < 1 or self._taken > _MOST:
                raise InvalidValueError(f"METADATA is not within {_MOST} bytes of it")
            data = answer.read(length)
        if len(data) != length:
            raise InvalidValueError(f"ended after {len(data)} bytes of {length}")
        return data, int(stated[3])
