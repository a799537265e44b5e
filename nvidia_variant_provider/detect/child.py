"""A child process that cannot hurt its parent: bounded in time, output and memory.

Driver libraries and ``nvidia-smi`` crash, hang, print, fork and sleep in the kernel where no
signal reaches them. So a child is killed once, with its whole process group, and then waited for
briefly; one that cannot die is left to the kernel.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import subprocess
    import threading
    from collections.abc import Mapping, Sequence

MAX_OUTPUT: Final = 1 << 18
# libcuda needs a few hundred MB on a machine with eight GPUs.
MAX_RESIDENT: Final = 2 << 30
SIGKILL: Final = 9
_TICK: Final = 0.02
_GRACE: Final = 0.25


@dataclass(frozen=True, slots=True)
class ChildReply:
    """What a child wrote before its end, and how it ended.

    ``end`` is ``exit N``, ``signal N``, ``timeout``, ``too much output``, ``too much memory`` or
    ``not started: ...``; the text of an unfinished last line is kept.
    """

    text: str
    end: str
    seconds: float = 0.0

    @property
    def exit_code(self) -> int | None:
        """The exit code, if the child came to its own end."""
        word, _, number = self.end.partition(" ")
        return int(number) if word == "exit" else None


def run_child(
    arguments: Sequence[str], environment: Mapping[str, str], seconds: float, stop_at: str = ""
) -> ChildReply:
    """Run a program for at most ``seconds`` and return its standard output and its end.

    Returns early once a line starts with ``stop_at``. Its working folder is the root, so that
    nothing relative counts; standard input and error lead nowhere.
    """
    import subprocess

    started = time.monotonic()
    try:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=os.path.abspath(os.sep),
            start_new_session=sys.platform != "win32",
            bufsize=0,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return ChildReply("", f"not started: {error}", time.monotonic() - started)
    end, code = "interrupted", 0
    try:
        reader = _Reader(process, stop_at)
        end = _watch(process, reader, started + seconds)
    finally:
        # Also when Ctrl-C arrives here: the child has a session of its own and would not see it.
        code = _finish(process, patience=0.0 if end else _GRACE)
    if not end:
        end = f"signal {-code}" if code < 0 else f"exit {code}"
    return ChildReply(reader.text(), end, time.monotonic() - started)


class _Reader:
    """Collects a child's output on a thread of its own: pipes cannot be polled on Windows."""

    def __init__(self, process: subprocess.Popen[bytes], stop_at: str) -> None:
        import threading

        self.done: threading.Event = threading.Event()
        self.flooded = False
        self._received = bytearray()
        self._stop_at = b"\n" + stop_at.encode() if stop_at else b""
        self._stream = process.stdout
        threading.Thread(target=self._read, daemon=True).start()

    def text(self) -> str:
        return self._received.decode("utf-8", "replace")

    def _read(self) -> None:
        try:
            while self._stream is not None and not self.flooded and self._read_chunk():
                self.flooded = len(self._received) >= MAX_OUTPUT
        except (OSError, ValueError):
            pass  # The pipe was closed under the reader: what has come is what there is.
        finally:
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
        if _resident_bytes(process.pid) > MAX_RESIDENT:
            return "too much memory"


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether the child has ended, without reaping it: its number must stay its own."""
    if sys.platform == "win32":
        return process.poll() is not None
    try:
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, flags) is not None
    except OSError:
        return True  # Someone else in this process reaps all children.


def _resident_bytes(pid: int) -> int:
    """Return how much memory a process holds, 0 where the kernel does not say."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read(256).split()[1]) * 4096
    except (OSError, ValueError, IndexError):
        return 0


def _finish(process: subprocess.Popen[bytes], patience: float) -> int:
    """End the child and whatever it started, and return its exit code.

    The group is killed before the child is reaped: after that, its number could be another's.
    """
    limit = time.monotonic() + patience
    while not _has_exited(process) and time.monotonic() < limit:
        time.sleep(0.001)
    _kill_group(process)
    limit = time.monotonic() + _GRACE
    while process.poll() is None and time.monotonic() < limit:
        time.sleep(0.001)
    if process.returncode is None:
        # In uninterruptible sleep. Popen would warn when it is collected, to no one's use.
        process.returncode = -SIGKILL
    elif process.stdout is not None:
        process.stdout.close()
    return process.returncode


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, SIGKILL)
    except OSError:
        pass  # Nothing is left of it.
