"""Files of this machine: read within bounds, and written so that nobody ever sees half of one.

Every tool that writes a file writes it here. docs/security.md says what is kept of a file that is
replaced, and what happens to links and devices.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from io import FileIO
    from types import FrameType
    from typing import BinaryIO

_ENDING: Final = ("SIGTERM", "SIGHUP")
_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# Without it, opening a pipe waits until somebody writes to it.
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)
# What replaces a file may be as private as that file; until that is known, nobody else reads it.
_PRIVATE: Final = 0o600
_USUAL: Final = 0o666
# So many names are listed where one was not found.
_SHOWN: Final = 5
# So much is read at a time of a file that is only hashed.
_BLOCK: Final = 1 << 20


def open_regular(path: str | Path) -> FileIO:
    """Open a regular file for reading, unbuffered.

    Raises ``InvalidValueError`` for a pipe, a device or a folder, which could be read for ever, and
    ``OSError`` for a file that cannot be opened.
    """
    # Before the file is opened: opening some devices does something.
    _check_kind(path, os.stat(path).st_mode)
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE | _BINARY)
    try:
        _check_kind(path, os.fstat(descriptor).st_mode)
        return open(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def open_log(path: str | Path) -> BinaryIO:
    """Open a file that is added to, unbuffered, with what it holds readable; made if missing.

    A log keeps its name while it grows: whoever reads it meanwhile sees whole lines and perhaps the
    beginning of one. Raises ``InvalidValueError`` for a pipe, a device or a folder, which keep
    nothing to go on from, and ``OSError`` naming ``path``.
    """
    with contextlib.suppress(FileNotFoundError):
        _check_kind(path, os.stat(path).st_mode)
    try:
        descriptor = os.open(
            path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _AT_ONCE | _BINARY, _USUAL
        )
    except OSError as error:
        raise _named(error, Path(path)) from error
    try:
        _check_kind(path, os.fstat(descriptor).st_mode)
        return open(descriptor, "a+b", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def append(file: BinaryIO, data: bytes, path: str | Path) -> None:
    """Add all of the data to an unbuffered file; raises ``OSError`` naming ``path``."""
    left = memoryview(data)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise _named(error, Path(path)) from error


def _check_kind(path: str | Path, mode: int) -> None:
    for is_kind, words in _KINDS:
        if is_kind(mode):
            raise InvalidValueError(f"{path}: is {words}; expected a regular file")


def read_bounded(path: str | Path, limit: int) -> bytes:
    """Return the content of a regular file, but never more than ``limit`` bytes and one.

    The caller refuses what is longer than the limit, in its own words. Raises as ``open_regular``.
    """
    with open_regular(path) as file:
        pieces, left = [], limit + 1
        while left and (piece := file.read(left)):
            pieces.append(piece)
            left -= len(piece)
    return b"".join(pieces)


def make_folder_of(path: str | Path) -> None:
    """Create the folder of a file that is about to be written, as every ``-o`` does.

    Raises ``OSError`` naming the folder.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def sha256_of(path: str | Path, progress: Callable[[int], None] | None = None) -> str:
    """Return the SHA-256 of a file in hexadecimal; ``progress`` is told of all bytes read.

    Raises as ``open_regular``.
    """
    import hashlib

    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_BLOCK))
    with open_regular(path) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            if progress is not None:
                progress(count)
    return digest.hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file; whoever reads it meanwhile sees the old content or the new one, whole.

    Raises ``OSError`` naming ``path``.
    """
    with replacing(path) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``path`` once the block has ended well.

    The file lies beside its target until then and is on the disk before it gets the name. Mode,
    owner and group of a file that is replaced are kept. A link stays, and the file that the link
    means is replaced. A pipe, a device or standard output is written to, never replaced. Nothing is
    left behind when the block fails or the process is asked to end. Raises ``OSError`` naming
    ``path``.
    """
    try:
        special = _open_special(path)
        if special is not None:
            with special as file:
                yield file
            return
        mode = _PRIVATE if path.exists() else _USUAL
        with taking_the_name_of(path) as part, open(part, "xb+", opener=_creating(mode)) as file:
            yield file
            file.flush()
            _adopt(file.fileno(), path)
            os.fsync(file.fileno())
    except OSError as error:
        raise _named(error, path) from error


@contextlib.contextmanager
def taking_the_name_of(path: Path) -> Iterator[Path]:
    """Give a free name beside a file; what has that name afterwards replaces the file.

    Links are followed. What was made under the free name is removed when the block fails, and when
    the process gets SIGTERM or SIGHUP.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name[:200]}.{os.urandom(4).hex()}.part")
    with _removed_on_signals(part):
        try:
            yield part
            os.replace(part, target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    _sync_folder(target.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where that cannot be done; a file there is replaced.

    A link is followed: a relative one would mean nothing in another folder.
    """
    with contextlib.suppress(FileNotFoundError):
        if target.samefile(source):
            return
    real = os.path.realpath(source)
    with taking_the_name_of(target) as part:
        try:
            os.link(real, part)
        except OSError:
            shutil.copyfile(real, part)


def _open_special(path: Path) -> BinaryIO | None:
    """Open what is there unless it is an ordinary file, or nothing."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        with contextlib.suppress(OSError):
            # Opened anew, /dev/stdout would start at the beginning of the file that it means.
            if os.path.samestat(status, os.fstat(descriptor)):
                stream.flush()
                return open(os.dup(descriptor), "wb")
    if stat.S_ISREG(status.st_mode):
        return None
    return open(os.open(path, os.O_WRONLY | _BINARY), "wb")


def _creating(mode: int) -> Callable[[str, int], int]:
    def create(name: str, flags: int) -> int:
        return os.open(name, flags, mode)

    return create


def _adopt(descriptor: int, path: Path) -> None:
    """Give the new file the owner and the mode of the one that it is going to replace."""
    try:
        old = os.stat(path)
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(old.st_mode)
    if hasattr(os, "fchown"):
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            try:
                os.fchown(descriptor, old.st_uid, old.st_gid)
            except OSError:
                # Only root gives files away. Nobody else's rights go to who runs this.
                mode &= ~(stat.S_ISUID | stat.S_ISGID)
        os.fchmod(descriptor, mode)


@contextlib.contextmanager
def _removed_on_signals(part: Path) -> Iterator[None]:
    """Remove a file before a signal ends the process as it would have done."""

    def end(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            part.unlink()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    # A thread cannot set handlers; a handler of the caller knows better what to do.
    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _sync_folder(folder: Path) -> None:
    """Bring a new name to the disk, where the system can."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _named(error: OSError, path: Path) -> OSError:
    """Return an error that names the file that was asked for; errors of other files stay."""
    own = error.filename is None or os.fspath(error.filename).endswith(".part")
    if not own and os.fspath(error.filename) != os.fspath(path):
        return error
    return OSError(error.errno, f"cannot be written: {error.strerror}", str(path))


def missing(path: str) -> str:
    """Say that a path does not exist, and what there is in its place.

    ``no such file or folder; did you mean dist/demo-1.0-py3-none-any.whl?``
    """
    import difflib

    folder, name = os.path.split(path.rstrip(os.sep))
    try:
        names = sorted(name for name in os.listdir(folder or ".") if not name.startswith("."))
    except OSError:
        return f"no such file or folder; neither is there a folder {folder}"
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.85)
    if near:
        return f"no such file or folder; did you mean {os.path.join(folder, near[0])}?"
    ending = os.path.splitext(name)[1]
    alike = [name for name in names if ending and name.endswith(ending)] or names
    there = f"{folder or 'the current folder'} has {some(alike) or 'no files'}"
    return f"no such file or folder; {there}"


def some(names: Sequence[str]) -> str:
    """List the first names, and how many more there are: ``a.whl, b.whl and 3 more``."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
