"""A wheel of an index, opened without being fetched: its end is read, and the members asked for.

A megabyte or two of a wheel of half a gigabyte is read. Nothing of it is held to the hash that the
page names: that is of the whole file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.files import WheelFile
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.wheels.dist_info import (
    VARIANT_JSON,
    check_metadata,
    find_dist_info,
)
from nvidia_variant_provider.tools.wheels.source import Checksum
from nvidia_variant_provider.tools.wheels.zip_directory import content_of
from nvidia_variant_provider.tools.wheels.zip_layout import members_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.tools.releases.http import Fetcher, Part
    from nvidia_variant_provider.tools.wheels.name import WheelName
    from nvidia_variant_provider.tools.wheels.source import Source
    from nvidia_variant_provider.tools.wheels.zip_records import Entry

# Requests cost more than bytes.
_STEP: Final = 1024 * 1024
# A server without ranges may send this much at once; of others as much is read altogether.
_MOST: Final = 16 * 1024 * 1024
_LARGEST: Final = 4 * 1024 * 1024


def read_remote_wheel(url: str, name: WheelName, fetcher: Fetcher) -> WheelFile:
    """Read what a wheel of an index says of itself, as ``read_wheel_file`` does of one here.

    Other members and RECORD are not looked at. ``unread`` says why it cannot be read.
    """
    try:
        file = RemoteFile(url, fetcher)
        members = members_of(file)
        folder = find_dist_info(members, name, str(name))
        metadata = read_member(file, members, f"{folder}/METADATA")
        check_metadata(metadata, name, f"{name}!{folder}/METADATA")
        path = f"{folder}/{VARIANT_JSON}"
        variant = read_member(file, members, path) if path in members else None
    except UpstreamError as error:
        return WheelFile(url, name, unread=str(error))
    except InvalidValueError as error:
        return WheelFile(url, name, fault=str(error).removeprefix(f"{name}: "))
    return WheelFile(url, name, metadata, variant, f"{name}!{path}")


class RemoteFile:
    """A file on a server as a ``Source``; at most ``most`` bytes are asked for altogether."""

    def __init__(self, url: str, fetcher: Fetcher, most: int = _MOST) -> None:
        """Ask for the end of the file, which tells its size; raises ``UpstreamError``."""
        self.name = redacted(url)
        self._url, self._fetcher = url, fetcher
        self._taken = 0
        self._most = most
        # What is asked for first anyway: the end, which says where the directory is.
        self._tail = self._last = self._ask(f"-{_STEP}")
        self.size = self._tail.size

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes in order."""
        for start in range(0, self.size, _STEP):
            yield self.read_at(start, _STEP)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; raises ``UpstreamError``."""
        end = min(offset + length, self.size)
        if offset < 0 or offset >= end:
            return b""
        for part in (self._tail, self._last):
            if part.start <= offset and end <= part.start + len(part.body):
                return part.body[offset - part.start : end - part.start]
        ahead = min(max(end, offset + _STEP), self.size)
        self._last = self._ask(f"{offset}-{ahead - 1}")
        return self._last.body[: end - offset] if self._last.start == offset else b""

    def keep(self, start: int, end: int) -> None:
        """Do nothing: the range can be asked for again."""

    def _ask(self, wanted: str) -> Part:
        part = self._fetcher.get_part(self._url, wanted, self._most)
        self._taken += len(part.body)
        if self._taken > self._most:
            words = f"{self.name}: what is asked for is not within {self._most} bytes of it"
            raise UpstreamError(words)
        return part


def read_member(file: Source, members: Mapping[str, Entry], name: str) -> bytes:
    """Return a small member of a wheel; raises ``DamagedFileError``."""
    entry = members[name]
    return content_of(file, entry, Checksum(entry.crc), _LARGEST)
