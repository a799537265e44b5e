"""Write a wheel anew with some members changed; all others are copied as they are compressed.

What is written is the plainest form of the archive: each member's sizes in its own header,
nothing between members, nothing behind the end records.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import replace as changed
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError, InvalidValueError
from nvidia_variant_provider.tools.files import replacing
from nvidia_variant_provider.tools.wheels import zip_records as zr
from nvidia_variant_provider.tools.wheels.file_range import OpenSource, copy_range, read_range
from nvidia_variant_provider.tools.wheels.record import SIGNATURES, WheelRecord
from nvidia_variant_provider.tools.wheels.source import FileSource
from nvidia_variant_provider.tools.wheels.zip_layout import read_entries, read_member

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from nvidia_variant_provider.tools.wheels.zip_records import Entry

_DIST_INFO: Final = re.compile(r"([^/]+\.dist-info)/RECORD")
# Up to this size a member goes through the write buffer together with its neighbours.
_SMALL: Final = 256 * 1024
_STEP: Final = 4 << 20


class WheelArchive:
    """A wheel's archive, its layout and RECORD checked; the bytes stay on disk.

    ``dist_info`` is the folder's name, for example ``torch-2.14.1.dist-info``.
    """

    def __init__(self, path: Path) -> None:
        """Read the layout; raises ``DamagedFileError``, and ``OSError`` for a missing file."""
        self.path = path
        self._file = FileSource(str(path), path.name)
        with open(path, "rb", buffering=0) as file:
            self.entries = read_entries(OpenSource(file, path.name))
        self._by_name = {entry.name: entry for entry in self.entries}
        records = [match for name in self._by_name if (match := _DIST_INFO.fullmatch(name))]
        if len(records) != 1:
            raise DamagedFileError(f"{path.name}: {len(records)} files RECORD, expected one")
        self.dist_info = records[0][1]
        self.record_path = records[0][0]
        self.record = WheelRecord.parse(self.record_path, self.read(self.record_path), path.name)
        sizes = {one.name: one.size for one in self.entries if not one.name.endswith("/")}
        self.record.check(sizes, path.name)

    @property
    def signatures(self) -> tuple[str, ...]:
        """The signatures of RECORD in this wheel; no change leaves them valid."""
        names = (f"{self.dist_info}/{name}" for name in SIGNATURES)
        return tuple(name for name in names if name in self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def read(self, name: str) -> bytes:
        """Return the content of a small member; raises ``DamagedFileError`` if it is not there."""
        if name not in self._by_name:
            raise DamagedFileError(f"{self.path.name}: has no {name}")
        return read_member(self._file, self._by_name[name])


def rewrite(
    source: Path,
    target: Path,
    replace: Mapping[str, bytes],
    remove: Collection[str] = (),
) -> None:
    """Write ``target`` from ``source`` with members replaced, added or removed, and RECORD mended.

    The new file appears under its name when it is complete; ``source`` may be that same file.
    Raises ``DamagedFileError`` for an archive that readers could disagree about, and
    ``InvalidValueError`` for a signed RECORD unless the signature is in ``remove``.
    """
    archive = WheelArchive(source)
    _check_wishes(archive, replace, remove)
    record = archive.record.amend(replace, remove).to_bytes()
    contents = {**replace, archive.record_path: record}
    plan = list(_plan(archive, contents, remove))
    with open(source, "rb", buffering=0) as old, replacing(target) as new:
        # In one piece, not member by member: most wheels differ at their ends only.
        kept = _shared(old, plan)
        copy_range(old, new, 0, kept)
        _write(old, new, plan, kept)


def _check_wishes(
    archive: WheelArchive, replace: Mapping[str, bytes], remove: Collection[str]
) -> None:
    name = archive.path.name
    if signed := [one for one in archive.signatures if one not in remove]:
        raise InvalidValueError(f"{name}: {signed[0]} signs RECORD, which would change: remove it")
    if archive.record_path in {*replace, *remove}:
        raise InvalidValueError(f"{name}: {archive.record_path} follows from the other members")
    if unknown := [one for one in remove if one not in archive]:
        raise InvalidValueError(f"{name}: has no {unknown[0]!r:.200} to remove")


def _plan(
    archive: WheelArchive, contents: Mapping[str, bytes], remove: Collection[str]
) -> Iterator[tuple[Entry, bytes | None]]:
    """Yield every member of the new archive, with its content where that is new."""
    for entry in archive.entries:
        if entry.name == archive.record_path:
            for name in sorted(set(contents) - {one.name for one in archive.entries}):
                yield _fresh(name, contents[name], entry), contents[name]
        if entry.name in contents:
            yield _fresh(entry.name, contents[entry.name], entry), contents[entry.name]
        elif entry.name not in remove:
            yield entry, None


def _fresh(name: str, data: bytes, model: Entry) -> Entry:
    """Describe a new content: stored, since no two versions of zlib promise the same bytes.

    Date and permissions are those of the member it replaces, or of RECORD.
    """
    raw = name.encode()
    return changed(
        model, raw_name=raw, method=zr.STORED, flags=0 if raw.isascii() else zr.UTF8,
        crc=zlib.crc32(data), packed=len(data), size=len(data), extra=b"", local_extra=b"",
        comment=b"",
    )  # fmt: skip


def _shared(old: BinaryIO, plan: Iterable[tuple[Entry, bytes | None]]) -> int:
    """Return how many bytes from the start are the same in both archives."""
    at = 0
    for entry, content in plan:
        head = zr.pack_local(entry)
        moved = content is not None or entry.header_at != at
        if moved or read_range(old, at, len(head)) != head:
            break
        at += len(head) + entry.packed
    return at


def _write(
    old: BinaryIO, new: BinaryIO, plan: Iterable[tuple[Entry, bytes | None]], kept: int
) -> None:
    at, pending, directory = 0, bytearray(), bytearray()
    count = 0
    for entry, content in plan:
        head = zr.pack_local(entry)
        directory += zr.pack_central(entry, at)
        count += 1
        at += len(head) + entry.packed
        if at <= kept:
            continue
        pending += head
        if content is not None:
            pending += content
        elif entry.packed <= _SMALL:
            pending += read_range(old, entry.data_at, entry.packed)
        else:
            new.write(pending)
            pending.clear()
            copy_range(old, new, entry.data_at, entry.packed)
        if len(pending) > _STEP:
            new.write(pending)
            pending.clear()
    new.write(pending)
    new.write(directory)
    new.write(zr.pack_end(at, len(directory), count))
