"""A machine that was recorded: a ``Host`` that answers from a record and touches nothing.

What was not recorded is absent. Time is the record's own: the clock moves by what each child
process took, so that a recorded hang costs nothing and is cut off at the same place.
docs/records.md describes the format.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.child import EXITED, TIMEOUT, ChildReply, End
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.json_fields import field, mapping, number, rows, texts
from nvidia_variant_provider.model import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.detect.files import FileView

_MAX_LINKS: Final = 40
_NOT_FOUND: Final = "cannot open shared object file: No such file or directory"

_ENTRY_KINDS: Final[dict[str, type]] = {"size": int, "link": str, "error": str, "present": bool}


class ReplayHost:
    """The machine behind the ``observed`` part of a record."""

    def __init__(self, observed: object) -> None:
        top = mapping(observed, "observed")
        platform = mapping(top.get("platform"), "platform")
        self.platform = Platform(
            field(platform, "system", str),
            field(platform, "architecture", str),
            field(platform, "libc", str, ""),
        )
        self.environ: Mapping[str, str] = texts(top.get("environment", {}), "environment")
        files = mapping(top.get("files", {}), "files")
        self.files: FileView = ReplayFiles(
            files, is_real=not field(top, "forged", bool, default=False)
        )
        self._registry = tuple(map(_device_id, field(top, "registry", list, [])))
        self._libraries = {
            (field(row, "api", str), field(row, "path", str)): _reply(row)
            for row in rows(top, "libraries")
        }
        self._programs = {
            tuple(map(str, field(row, "arguments", list))): _reply(row)
            for row in rows(top, "programs")
        }
        self._now = 0.0

    def windows_pci_ids(self) -> tuple[int, ...]:
        """Return the recorded device ids."""
        return self._registry

    def monotonic(self) -> float:
        """Return the time that the recorded children have taken so far."""
        return self._now

    def ask_library(self, api: str, path: str, seconds: float) -> ChildReply:
        """Return what the library said; one that was not recorded cannot be loaded."""
        # A backslash is written as the worker writes one.
        named = path.replace("\\", "\\\\")
        absent = ChildReply(f"unloadable\t{named}: {_NOT_FOUND}", EXITED)
        return self._take(self._libraries.get((api, path), absent), seconds)

    def run_program(self, arguments: Sequence[str], seconds: float) -> ChildReply:
        """Return what the program printed; one that was not recorded is absent."""
        absent = ChildReply.not_started(f"No such file or directory: {arguments[0]!r}")
        return self._take(self._programs.get(tuple(arguments), absent), seconds)

    def _take(self, reply: ChildReply, seconds: float) -> ChildReply:
        if reply.end.timed_out:
            self._now += seconds
            return ChildReply(reply.text, reply.end, seconds)
        if reply.seconds > seconds:
            # When each line came is not recorded, so a reply that is too late says nothing.
            self._now += seconds
            return ChildReply("", TIMEOUT, seconds)
        self._now += reply.seconds
        return reply


class ReplayFiles:
    """A tree of files out of a record: path to text, or to a mapping that says what is there."""

    def __init__(self, entries: Mapping[str, object], *, is_real: bool) -> None:
        self.is_real = is_real
        self._entries = {path: _entry(path, entry) for path, entry in entries.items()}
        self._folders = _folders_of(self._entries)

    def locate(self, path: str) -> str:
        """Return the path itself: nothing of a record lies on this machine."""
        return path

    def read_bytes(self, path: str, limit: int = 65536) -> bytes:
        """Return the first ``limit`` recorded bytes of a file; raises ``OSError``."""
        entry = self._follow(path)
        if entry is None:
            kind = errno.EISDIR if path in self._folders else errno.ENOENT
            raise OSError(kind, os.strerror(kind), path)
        if "error" in entry:
            number = getattr(errno, str(entry["error"]), errno.EIO)
            raise OSError(number, os.strerror(number), path)
        if "text" in entry:
            return str(entry["text"]).encode()[:limit]
        if "size" not in entry:
            raise OSError(errno.EINVAL, "not a regular file", path)
        return bytes.fromhex(str(entry.get("head", "")))[:limit]

    def read_text(self, path: str, limit: int = 65536) -> str:
        """Return the recorded text of a file."""
        return self.read_bytes(path, limit).decode("utf-8", "replace")

    def list_names(self, path: str) -> tuple[str, ...]:
        """Return the sorted recorded names in a folder."""
        return tuple(sorted(self._folders.get(path, ())))

    def read_link(self, path: str) -> str:
        """Return what a recorded link says; empty if there is none."""
        return str(self._entries.get(path, {}).get("link", ""))

    def exists(self, path: str) -> bool:
        """Tell whether anything was recorded at a path or below it."""
        return self._follow(path) is not None or path in self._folders

    def size(self, path: str) -> int:
        """Return the recorded size of a regular file; -1 if there is none."""
        entry = self._follow(path)
        if entry is None or not {"text", "size"} & entry.keys():
            return -1
        return int(str(entry["size"])) if "size" in entry else len(str(entry["text"]).encode())

    def _follow(self, path: str) -> Mapping[str, object] | None:
        """Return what is at a path once its own links are followed."""
        for _ in range(_MAX_LINKS):
            entry = self._entries.get(path)
            # A recorded link that was also looked through says what is at its end.
            if entry is None or "link" not in entry or "size" in entry:
                return entry
            path = os.path.normpath(os.path.join(os.path.dirname(path), str(entry["link"])))
        return None


def _reply(row: Mapping[str, object]) -> ChildReply:
    lines = field(row, "lines", list, [])
    text = field(row, "end", str, str(EXITED))
    end = End.parse(text)
    if end is None:
        raise InvalidValueError(
            f"end: expected 'exit 0', 'signal 11', 'timeout' ..., seen {text!r}"
        )
    return ChildReply("\n".join(map(str, lines)), end, number(row, "seconds", 0.0))


def _device_id(text: object) -> int:
    try:
        return int(str(text), 16)
    except ValueError as error:
        raise InvalidValueError(f"registry: not a device id: {text!r:.60}") from error


def _entry(path: str, value: object) -> Mapping[str, object]:
    """Return what is at a path, with every field of the kind it should be."""
    if isinstance(value, str):
        return {"text": value}
    row = mapping(value, f"files[{path!r}]")
    for key, kind in _ENTRY_KINDS.items():
        if key in row:
            field(row, key, kind)
    try:
        bytes.fromhex(field(row, "head", str, ""))
    except ValueError as error:
        raise InvalidValueError(f"files[{path!r}]: head: {error}") from error
    return row


def _folders_of(entries: Mapping[str, object]) -> dict[str, set[str]]:
    """Return every folder that the paths imply, with the names in it."""
    folders: dict[str, set[str]] = {}
    for path, entry in entries.items():
        separator = "\\" if path[1:3] == ":\\" else "/"
        if isinstance(entry, dict) and entry.get("present"):
            folders.setdefault(path, set())
        rest = path
        while separator in rest:
            parent, _, name = rest.rpartition(separator)
            folders.setdefault(parent or separator, set()).add(name)
            rest = parent
    return folders
