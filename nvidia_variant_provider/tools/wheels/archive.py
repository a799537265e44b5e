"""A zip archive that is opened once: its directory, its members as streams, its layout."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.wheels.source import Checksum, OpenFile
from nvidia_variant_provider.tools.wheels.zip_directory import (
    content_of,
    find_directory,
    open_member,
    read_directory,
)
from nvidia_variant_provider.tools.wheels.zip_layout import check_layout

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from typing_extensions import Self

    from nvidia_variant_provider.tools.wheels.source import Source
    from nvidia_variant_provider.tools.wheels.zip_records import Entry

# What is read into memory is RECORD, METADATA and the like.
MAX_READ: Final = 32 << 20
_SHOWN: Final = 120
_MOST_JOBS: Final = 4


class Archive:
    """An archive whose file stays open and whose directory has been read; close it when done.

    ``entries`` are in the order of the directory, believed as far as it can be read. ``layout``
    checks them against the members' own headers.
    """

    def __init__(self, file: OpenFile | str | Path) -> None:
        """Read the directory of a file, which is opened here or was before.

        Raises ``DamagedFileError`` for what is no archive, ``InvalidValueError`` for what is no
        regular file, and ``OSError``.
        """
        self.file = file if isinstance(file, OpenFile) else OpenFile(file)
        try:
            self._directory = find_directory(self.file)
            self.entries = tuple(read_directory(self.file, self._directory))
            self._check_total()
        except BaseException:
            self.file.close()
            raise
        self._by_name = {entry.name: entry for entry in self.entries}
        self._checksums: dict[int, Checksum] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @cached_property
    def layout(self) -> tuple[Entry, ...]:
        """The members in the order of their bytes, every byte of the file accounted for.

        Raises ``DamagedFileError`` for an archive that readers could disagree about.
        """
        return check_layout(self.file, self._directory, self.entries)

    def open(self, entry: Entry) -> Source:
        """Return the bytes of a member; read to its end, the stream checks the member's sum.

        Raises ``DamagedFileError`` when the member is not there.
        """
        return open_member(self.file, entry, self._checksum(entry))

    def read(self, name: str) -> bytes:
        """Return the content of a small member.

        Raises ``DamagedFileError`` if the member is absent, there twice, large or damaged.
        """
        entry = self._by_name.get(name)
        if entry is None:
            raise DamagedFileError(f"{self.file.name}: has no {name[:_SHOWN]}")
        if len(self._by_name) < len(self.entries) and self._is_repeated(name):
            raise DamagedFileError(f"{self.file.name}: {name[:_SHOWN]}: there are two of them")
        return content_of(self.file, entry, self._checksum(entry), MAX_READ)

    def confirm(self, entries: Iterable[Entry]) -> None:
        """Read the members whose sums nobody has checked yet, several at a time.

        Raises ``DamagedFileError`` naming the first that is not what the archive states.
        """
        unread = [entry for entry in entries if not self._is_confirmed(entry)]
        with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_JOBS)) as pool:
            for damage in pool.map(self._damage, unread):
                if damage is not None:
                    pool.shutdown(cancel_futures=True)
                    raise DamagedFileError(f"{self.file.name}: {damage}") from damage

    def _checksum(self, entry: Entry) -> Checksum:
        return self._checksums.setdefault(entry.header_at, Checksum(entry.crc))

    def _is_repeated(self, name: str) -> bool:
        return sum(entry.name == name for entry in self.entries) > 1

    def _is_confirmed(self, entry: Entry) -> bool:
        checksum = self._checksums.get(entry.header_at)
        return checksum is not None and checksum.is_confirmed

    def _damage(self, entry: Entry) -> DamagedFileError | None:
        try:
            for _ in self.open(entry).chunks():
                pass
        except DamagedFileError as error:
            return error
        return None

    def _check_total(self) -> None:
        """Refuse members that share their bytes: that is how small archives become huge."""
        total = sum(entry.packed for entry in self.entries)
        if total > self.file.size:
            raise DamagedFileError(
                f"{self.file.name}: its members have {total} packed bytes, the file only"
                f" {self.file.size}"
            )
