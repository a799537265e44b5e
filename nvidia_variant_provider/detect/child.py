"""A child process that cannot hurt its parent: bounded in time and output.

Driver libraries and ``nvidia-smi`` crash, hang, print, fork and sleep in the kernel where no
signal reaches them. So a child is asked to end, then killed once with its whole process group, and
waited for briefly; one that cannot die is left to the kernel.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.values import dataclass

if TYPE_CHECKING:
    import subprocess
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

MAX_OUTPUT: Final = 1 << 18
SIGKILL: Final = 9
_TICK: Final = 0.02
_GRACE: Final = 0.25
# The share of its time that a silent child may need to be ended.
_ENDING_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class ChildReply:
    """What a child wrote before its end, and how it ended.

    ``end`` is ``exit N``, ``signal N``, ``timeout``, ``too much output`` or ``not started: ...``;
    the text of an unfinished last line is kept.
    """

    text: str
    end: str
    seconds: float = 0.0


def run_child(
    arguments: Sequence[str], environment: Mapping[str, str], seconds: float, stop_at: str = ""
) -> ChildReply:
    """Run a program for at most ``seconds`` and return its standard output and its end.

    Returns early once a line starts with ``stop_at``. Its working folder is the root, so that
    nothing relative counts; standard error leads nowhere, and standard input ends when the child
    is to end.
    """
    import subprocess

    started = time.monotonic()
    grace = min(_GRACE, seconds * _ENDING_SHARE)
    try:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=os.path.abspath(os.sep),
            start_new_session=sys.platform != "win32",
            bufsize=0,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return ChildReply("", f"not started: {error}", time.monotonic() - started)
    reader = _Reader(process, stop_at)
    end, code = "interrupted", 0
    try:
        end = reader.start() or _watch(process, reader, started + seconds - grace)
    finally:
        # Also when Ctrl-C arrives here: the child has a session of its own and would not see it.
        code = _finish(process, grace, urgent=bool(end))
    # All that could write is gone, so what is still in the pipe is read to its end at once; on a
    # busy machine the reader may only now get its turn. A process that escaped may keep it open.
    reader.done.wait(max(0.0, started + seconds - time.monotonic()))
    return ChildReply(reader.text(), end or _how_it_ended(code), time.monotonic() - started)


class _Reader:
    """Collects a child's output on a thread of its own: pipes cannot be polled on Windows."""

    def __init__(self, process: subprocess.Popen[bytes], stop_at: str) -> None:
        import threading

        self.done: threading.Event = threading.Event()
        self.flooded = False
        self._received = bytearray()
        self._stop_at = b"\n" + stop_at.encode() if stop_at else b""
        self._stream = process.stdout
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> str:
        """Begin to read; return why that cannot be, else an empty text."""
        try:
            self._thread.start()
        except RuntimeError as error:
            _close(self._stream)
            self.done.set()
            return f"not started: {error}"
        return ""

    def text(self) -> str:
        return self._received.decode("utf-8", "replace")

    def _read(self) -> None:
        try:
            while self._stream is not None and not self.flooded and self._read_chunk():
                self.flooded = len(self._received) >= MAX_OUTPUT
        except OSError:
            pass  # What has come is what there is.
        finally:
            # Closed here and nowhere else: elsewhere its number could be reused under a read.
            _close(self._stream)
            self.done.set()

    def _read_chunk(self) -> bool:
        """Take what the pipe has; return whether more is wanted."""
        assert self._stream is not None  # noqa: S101 - for the type checker
        chunk = os.read(self._stream.fileno(), 65536)
        seen = len(self._received)
        self._received += chunk
        wanted_before = max(0, seen - len(self._stop_at))
        return bool(chunk) and not (
            self._stop_at and self._stop_at in self._received[wanted_before:]
        )


def _watch(process: subprocess.Popen[bytes], reader: _Reader, deadline: float) -> str:
    """Wait for the output to end; return why the child must be stopped, else an empty text."""
    while True:
        left = deadline - time.monotonic()
        if reader.done.wait(max(0.0, min(_TICK, left))):
            return "too much output" if reader.flooded else ""
        if _has_exited(process):
            # Gone, though a process it left behind may hold the pipe open.
            reader.done.wait(_TICK)
            return ""
        if left <= 0:
            return "timeout"


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether the child has ended, without reaping it: its number must stay its own."""
    if sys.platform == "win32":
        return process.poll() is not None
    try:
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, flags) is not None
    except OSError:
        return True  # Someone else in this process reaps all children.


def _finish(process: subprocess.Popen[bytes], grace: float, *, urgent: bool) -> int:
    """End the child and whatever it started, and return its exit code.

    A child of ours ends by itself, and everything below it, once its standard input does. The
    group is killed before the child is reaped: after that, its number could be another's.
    """
    if urgent:
        _close(process.stdin)
    _wait(lambda: _has_exited(process), grace / 2 if urgent else _GRACE)
    _kill_group(process)
    _wait(lambda: process.poll() is not None, grace / 2 if urgent else _GRACE)
    if process.returncode is None:
        # In uninterruptible sleep. Popen would warn when it is collected, to no one's use.
        process.returncode = -SIGKILL
    _close(process.stdin)
    return process.returncode


def _how_it_ended(code: int) -> str:
    """Read an exit code; shells and our own worker say 128 + N for a signal N."""
    if code < 0:
        return f"signal {-code}"
    return f"signal {code - 128}" if 128 < code < 160 else f"exit {code}"  # noqa: PLR2004


def _wait(is_over: Callable[[], bool], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while not is_over() and time.monotonic() < limit:
        time.sleep(0.001)


def _close(stream: IO[bytes] | None) -> None:
    try:
        if stream is not None:
            stream.close()
    except OSError:
        pass  # The other end is gone.


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, SIGKILL)
    except OSError:
        pass  # Nothing is left of it.
