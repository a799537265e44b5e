"""Write wheels: from nothing, or anew with some members changed and all others copied as they are.

What is written is the plainest form of the archive: each member's sizes in its own header,
nothing between members, nothing behind the end records.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import replacing
from nvidia_variant_provider.tools.wheels import zip_records as zr
from nvidia_variant_provider.tools.wheels.file_range import copy_range, read_range
from nvidia_variant_provider.tools.wheels.record import RecordFile, moved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
    from nvidia_variant_provider.tools.wheels.source import OpenFile
    from nvidia_variant_provider.tools.wheels.zip_records import Entry

# Up to this size a member goes through the write buffer together with its neighbours.
_SMALL: Final = 256 * 1024
_STEP: Final = 4 << 20


def new_wheel(dist_info: str, files: Mapping[str, bytes]) -> bytes:
    """Return an archive of the files in their order, and RECORD in the folder ``dist_info``."""
    path = f"{dist_info}/RECORD"
    rows = RecordFile(path, ()).amend(files, ()).to_bytes()
    archive, directory = bytearray(), bytearray()
    for name, data in {**files, path: rows}.items():
        entry = _stored(name, data)
        directory += zr.pack_central(entry, len(archive))
        archive += zr.pack_local(entry) + data
    return bytes(archive + directory + zr.pack_end(len(archive), len(directory), len(files) + 1))


def rewrite(
    wheel: OpenWheel,
    target: Path,
    replace: Mapping[str, bytes],
    remove: Collection[str] = (),
    *,
    folders: Mapping[str, str] | None = None,
    check: bool = True,
) -> None:
    """Write ``target`` from a wheel with members replaced, added or removed, and RECORD amended.

    ``folders`` gives folders at the top another name; ``replace`` and ``remove`` use the old ones.
    The new file appears under its name when it is complete, and may replace the wheel itself; the
    wheel is closed then. ``check`` reads every member that is copied, unless that was done before:
    without it a damaged wheel becomes another damaged wheel. Raises ``DamagedFileError`` for an
    archive that readers could disagree about, ``MetadataError`` for one that installers refuse, and
    ``InvalidValueError`` for a signed RECORD unless the signature is in ``remove``, or for a folder
    that is there under its new name already.
    """
    wheel.check()
    folders = folders or {}
    _check_wishes(wheel, replace, remove)
    _check_folders(wheel, folders)
    record = wheel.record.amend(replace, remove).moved(folders).to_bytes()
    contents = {**replace, wheel.record_path: record}
    plan = [(_moved(entry, folders), content) for entry, content in _plan(wheel, contents, remove)]
    if check:
        wheel.archive.confirm(entry for entry, content in plan if content is None)
    old = wheel.archive.file
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as new:
        # In one piece, not member by member: most wheels differ at their ends only.
        kept = _shared(old, plan)
        copy_range(old, new, 0, kept)
        _write(old, new, plan, kept)
        # Windows renames nothing over a file that is open.
        wheel.close()


def _check_wishes(wheel: OpenWheel, replace: Mapping[str, bytes], remove: Collection[str]) -> None:
    name = wheel.path.name
    if signed := [member for member in wheel.signatures if member not in remove]:
        raise InvalidValueError(f"{name}: {signed[0]} signs RECORD, which would change: remove it")
    if wheel.record_path in {*replace, *remove}:
        raise InvalidValueError(f"{name}: {wheel.record_path} follows from the other members")
    if unknown := [member for member in remove if member not in wheel.archive]:
        raise InvalidValueError(f"{name}: has no {unknown[0]!r:.200} to remove")


def _check_folders(wheel: OpenWheel, folders: Mapping[str, str]) -> None:
    there = {entry.name.partition("/")[0] for entry in wheel.archive.entries}
    if taken := sorted(there & set(folders.values())):
        raise InvalidValueError(f"{wheel.path.name}: has a folder {taken[0]!r:.200} already")


def _moved(entry: Entry, folders: Mapping[str, str]) -> Entry:
    """Return the entry under the new name of its folder."""
    name = moved(entry.name, folders)
    if name == entry.name:
        return entry
    return entry._replace(raw_name=name.encode("utf-8" if entry.flags & zr.UTF8 else "cp437"))


def _plan(
    wheel: OpenWheel, contents: Mapping[str, bytes], remove: Collection[str]
) -> Iterator[tuple[Entry, bytes | None]]:
    """Yield every member of the new archive, with its content where that is new."""
    entries = wheel.archive.layout
    for entry in entries:
        if entry.name == wheel.record_path:
            for name in sorted(set(contents) - {other.name for other in entries}):
                yield _fresh(name, contents[name], entry), contents[name]
        if entry.name in contents:
            yield _fresh(entry.name, contents[entry.name], entry), contents[entry.name]
        elif entry.name not in remove:
            yield entry, None


def _fresh(name: str, data: bytes, model: Entry) -> Entry:
    """Describe a new content: stored, since no two versions of zlib promise the same bytes.

    Date and permissions are those of the member it replaces, or of RECORD.
    """
    stored = _stored(name, data)
    return stored._replace(
        time=model.time, date=model.date, made_by=model.made_by, needed=model.needed,
        internal=model.internal, external=model.external,
    )  # fmt: skip


def _stored(name: str, data: bytes) -> Entry:
    raw = name.encode()
    flags = 0 if raw.isascii() else zr.UTF8
    return zr.Entry(raw, zr.STORED, flags, zlib.crc32(data), len(data), len(data))


def _shared(old: OpenFile, plan: Iterable[tuple[Entry, bytes | None]]) -> int:
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
    old: OpenFile, new: BinaryIO, plan: Iterable[tuple[Entry, bytes | None]], kept: int
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
