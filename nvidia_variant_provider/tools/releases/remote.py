"""A wheel of an index, opened without being fetched: its end is read, and the members asked for.

Nothing of what is read is held to the hash that the page names: that is of the whole file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError, InvalidValueError
from nvidia_variant_provider.tools.releases.files import WheelFile
from nvidia_variant_provider.tools.releases.http import UpstreamError
from nvidia_variant_provider.tools.wheels.dist_info import (
    VARIANT_JSON,
    check_metadata,
    find_dist_info,
)
from nvidia_variant_provider.tools.wheels.source import Checksum
from nvidia_variant_provider.tools.wheels.zip_directory import (
    find_directory,
    open_member,
    read_directory,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.tools.releases.http import Fetcher, Part
    from nvidia_variant_provider.tools.wheels.name import WheelName
    from nvidia_variant_provider.tools.wheels.zip_records import Entry

# The end of most wheels holds their directory and .dist-info; of the rest as much more is asked.
_STEP: Final = 128 * 1024
# A server without ranges may send this much at once, and the directory of a wheel is shorter.
_MOST: Final = 32 << 20
_MOST_MEMBER: Final = 4 << 20
_MOST_PARTS: Final = 64


class RemoteFile:
    """The bytes of a file at an address, in as few requests as its reader allows."""

    def __init__(self, url: str, fetcher: Fetcher) -> None:
        """Ask for the end of the file, which tells its size; raises ``UpstreamError``."""
        self.name = url.rpartition("/")[2]
        self._url, self._fetcher = url, fetcher
        self._parts: list[Part] = []
        self.size = self._ask(f"-{_STEP}").size

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes in pieces."""
        for start in range(0, self.size, _STEP):
            yield self.read_at(start, _STEP)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; raises ``UpstreamError``."""
        end = min(offset + length, self.size)
        if offset < 0 or offset >= end:
            return b""
        for part in self._parts:
            if part.start <= offset and end <= part.start + len(part.body):
                return part.body[offset - part.start : end - part.start]
        part = self._ask(f"{offset}-{max(end, min(offset + _STEP, self.size)) - 1}")
        return part.body[offset - part.start : end - part.start] if part.start <= offset else b""

    def keep(self, start: int, end: int) -> None:
        """Do nothing: parts are kept, or asked for again."""

    def _ask(self, wanted: str) -> Part:
        if len(self._parts) == _MOST_PARTS:
            raise UpstreamError(f"{self.name}: not read in {_MOST_PARTS} parts")
        part = self._fetcher.get_part(self._url, wanted, _MOST)
        self._parts.append(part)
        return part


def read_remote_wheel(url: str, name: WheelName, fetcher: Fetcher) -> WheelFile:
    """Read what a wheel of an index says of itself, as ``read_wheel_file`` does of one here.

    Other members and RECORD are not looked at. ``unread`` says why it cannot be read.
    """
    try:
        file = RemoteFile(url, fetcher)
        members = {entry.name: entry for entry in read_directory(file, find_directory(file))}
        folder = find_dist_info(members, name, str(name))
        metadata = _read(file, members, f"{folder}/METADATA")
        check_metadata(metadata, name, f"{name}!{folder}/METADATA")
        path = f"{folder}/{VARIANT_JSON}"
        variant = _read(file, members, path) if path in members else None
    except UpstreamError as error:
        return WheelFile(url, name, unread=str(error))
    except InvalidValueError as error:
        return WheelFile(url, name, fault=str(error).removeprefix(f"{name}: "))
    return WheelFile(url, name, metadata, variant, f"{name}!{path}")


def _read(file: RemoteFile, members: Mapping[str, Entry], name: str) -> bytes:
    entry = members[name]
    if not entry.is_readable or max(entry.size, entry.packed) > _MOST_MEMBER:
        raise DamagedFileError(f"{name}: encrypted, packed otherwise, or over {_MOST_MEMBER} bytes")
    return b"".join(open_member(file, entry, Checksum(entry.crc)).chunks())
