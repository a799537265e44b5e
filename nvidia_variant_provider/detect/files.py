"""The files of the machine, or of a folder that stands for one; the only ``open`` of detection.

This module is loaded on every machine, also where there is no NVIDIA hardware: it imports
nothing that a starting interpreter has not already paid for.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

# Type checkers know the name; importing it from typing would cost half a bare interpreter start.
TYPE_CHECKING = False

# Nothing that detection reads is longer; a hostile file may be endless.
MAX_BYTES = 65536
# A server with thousands of virtual functions has as many PCI devices.
MAX_NAMES = 16384
_MAX_LINKS = 40
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


_PACKAGE = __name__.partition(".")[0]

# No descriptor is left, to this process or to the machine: then nothing found means nothing.
NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})


def raise_foreign(error: BaseException) -> None:
    """Raise ``error`` again unless a call of ours failed, and failed because of the machine.

    A signal handler of the host may raise anything at any moment, its own ``TimeoutError`` too,
    which is an ``OSError``: what passes through a frame of someone else is not ours to catch. And a
    file that could not be opened for want of a descriptor is no file that is missing.
    """
    here = error.__traceback__
    # Nearly always a call of C failed right where it is caught, and nobody's frame is in between.
    passed = here is not None and here.tb_next is not None
    if getattr(error, "errno", None) in NO_DESCRIPTOR or (passed and is_foreign(error)):
        raise error


def is_foreign(error: BaseException) -> bool:
    """Tell whether an exception came through a frame that is neither ours nor Python's."""
    step = error.__traceback__
    while step is not None:
        name = str(step.tb_frame.f_globals.get("__name__")).partition(".")[0]
        if name != _PACKAGE and name not in sys.stdlib_module_names:
            return True
        step = step.tb_next
    return False


def close_all(descriptors: list[int]) -> None:
    """Close the descriptors and forget them.

    A number leaves the list and is closed within one call of C: no signal handler runs between the
    two, so that none is closed twice and, if this is called again, none stays open.
    """
    while descriptors:
        any(map(os.close, map(descriptors.pop, range(len(descriptors) - 1, -1, -1))))


class Files:
    """Read-only, bounded and non-blocking access to files below a root folder."""

    def __init__(self, root: str = "/") -> None:
        self.root = root

    @property
    def is_real(self) -> bool:
        """Whether the paths are those of this machine, not of a folder that stands for one."""
        return self.root == "/"

    def locate(self, path: str) -> str:
        """Return where ``path`` lies on this machine, with links followed inside the root.

        Raises ``OSError`` where links go round in circles.
        """
        if self.is_real:
            return path
        return self._resolve(path)

    def read_bytes(self, path: str, limit: int = MAX_BYTES) -> bytes:
        """Return the first ``limit`` bytes of a regular file; raises ``OSError``.

        Opened without blocking and without becoming its terminal, so that a FIFO or a device in a
        file's place costs nothing.
        """
        opened: list[int] = []
        try:
            # Opened and kept within one call of C: see ``close_all``.
            opened.extend(map(os.open, (self.locate(path),), (_READ,)))
            is_regular = stat.S_ISREG(os.fstat(opened[0]).st_mode)
            content = _read_up_to(opened[0], limit) if is_regular else b""
            close_all(opened)
        finally:
            close_all(opened)
        if not is_regular:
            raise OSError(errno.EINVAL, "not a regular file", path)
        return content

    def read_text(self, path: str, limit: int = MAX_BYTES) -> str:
        """Return the text of a file; bytes that are not UTF-8 come as replacement characters."""
        return self.read_bytes(path, limit).decode("utf-8", "replace")

    def list_names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a folder, empty if it cannot be listed."""
        try:
            with os.scandir(self.locate(path)) as entries:
                names = [entry.name for entry, _ in zip(entries, range(MAX_NAMES))]  # noqa: B905
        except OSError as error:
            raise_foreign(error)
            return ()
        return tuple(sorted(names))

    def read_link(self, path: str) -> str:
        """Return what a symbolic link says, not followed; empty if there is none."""
        try:
            folder, name = os.path.split(path)
            return os.readlink(os.path.join(self.locate(folder), name))
        except OSError as error:
            raise_foreign(error)
            return ""

    def exists(self, path: str) -> bool:
        """Tell whether anything is at a path, links followed."""
        try:
            os.stat(self.locate(path))
        except OSError as error:
            raise_foreign(error)
            return False
        return True

    def size(self, path: str) -> int:
        """Return the size of a regular file in bytes; -1 if there is none."""
        try:
            status = os.stat(self.locate(path))
        except OSError as error:
            raise_foreign(error)
            return -1
        return status.st_size if stat.S_ISREG(status.st_mode) else -1

    def _resolve(self, path: str) -> str:
        """Follow links as if the root were ``/``: an absolute link must not leave the folder."""
        waiting = _parts(path)
        done: list[str] = []
        links = 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                del done[-1:]
                continue
            target = self._link_at([*done, part])
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if target.startswith("/"):
                done.clear()
            waiting += _parts(target)
        return "/".join((self.root, *done))

    def _link_at(self, parts: list[str]) -> str | None:
        try:
            return os.readlink("/".join((self.root, *parts)))
        except (OSError, ValueError) as error:
            raise_foreign(error)
            return None


def _parts(path: str) -> list[str]:
    """Return the parts of a path, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in {"", "."}]


def _read_up_to(descriptor: int, limit: int) -> bytes:
    chunks = []
    while limit > 0:
        chunk = os.read(descriptor, limit)
        if not chunk:
            break
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)


if TYPE_CHECKING:
    from typing import Protocol

    class FileView(Protocol):
        """The files of a machine; see ``Files`` for what each member does."""

        @property
        def is_real(self) -> bool: ...  # noqa: D102
        def read_bytes(self, path: str, limit: int = ...) -> bytes: ...  # noqa: D102
        def read_text(self, path: str, limit: int = ...) -> str: ...  # noqa: D102
        def list_names(self, path: str) -> tuple[str, ...]: ...  # noqa: D102
        def read_link(self, path: str) -> str: ...  # noqa: D102
        def exists(self, path: str) -> bool: ...  # noqa: D102
        def size(self, path: str) -> int: ...  # noqa: D102
        def locate(self, path: str) -> str: ...  # noqa: D102
