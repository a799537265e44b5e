"""METADATA out of a wheel on a server, by requests for ranges: for indexes without PEP 658.

A megabyte or two of a wheel of half a gigabyte is read: its directory, and the one member.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.http import UpstreamError, redacted
from nvidia_variant_provider.tools.wheels.dist_info import find_dist_info
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.tools.wheels.source import Checksum
from nvidia_variant_provider.tools.wheels.zip_directory import (
    find_directory,
    open_member,
    read_directory,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.releases.http import Fetcher
    from nvidia_variant_provider.tools.releases.pages import PageFile

_PARTIAL: Final = 206
# Requests cost more than bytes.
_STEP: Final = 1024 * 1024
_MOST: Final = 16 * 1024 * 1024
_LARGEST: Final = 4 * 1024 * 1024
_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


def read_remote_metadata(file: PageFile, fetcher: Fetcher) -> bytes:
    """Return METADATA of a wheel that lies on a server.

    Raises ``InvalidValueError`` for a server that sends no ranges and for what is no wheel.
    """
    try:
        source = _Ranges(file.url, fetcher)
        entries = {it.name: it for it in read_directory(source, find_directory(source))}
        folder = find_dist_info(entries, WheelName.parse(file.name), source.name)
        entry = entries[f"{folder}/METADATA"]
        if entry.size > _LARGEST or not entry.is_readable:
            raise InvalidValueError(f"METADATA of {entry.size} bytes that cannot be read")
        return b"".join(open_member(source, entry, Checksum(entry.crc)).chunks())
    except UpstreamError as error:
        raise InvalidValueError(str(error)) from error


class _Ranges:
    """A file on a server as a ``Source``; at most ``_MOST`` bytes are asked for altogether."""

    def __init__(self, url: str, fetcher: Fetcher) -> None:
        self.name = redacted(url)
        self._url, self._fetcher = url, fetcher
        self._taken = 0
        # What is asked for first anyway: the end, which says where the directory is.
        tail, self.size = self._ask(f"bytes=-{_STEP}")
        self._tail = self.size - len(tail), tail
        self._last = self._tail

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes in order."""
        for start in range(0, self.size, _STEP):
            yield self.read_at(start, _STEP)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        end = min(offset + length, self.size)
        if offset < 0 or offset >= end:
            return b""
        for start, data in (self._tail, self._last):
            if start <= offset and end <= start + len(data):
                return data[offset - start : end - start]
        ahead = min(max(end, offset + _STEP), self.size)
        data, _ = self._ask(f"bytes={offset}-{ahead - 1}")
        self._last = offset, data
        return data[: end - offset]

    def keep(self, start: int, end: int) -> None:
        """Do nothing: the range can be asked for again."""

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
