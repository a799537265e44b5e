"""Any program as a child process, on any system: what ``spawn.py`` is for our worker on POSIX.

For Windows, and for ``nvidia-smi`` in a program that embeds Python, where there is no worker.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from nvidia_variant_provider.detect.child import (
    ENDING_SHARE,
    GRACE,
    SIGKILL,
    TICK,
    ChildReply,
    Received,
    how_it_ended,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_program(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    seconds: float,
    stop_at: str = "",
    *,
    has_groups: bool = sys.platform != "win32",
) -> ChildReply:
    """Run a program for at most ``seconds`` and return its standard output and its end.

    Returns early once a line starts with ``stop_at``. Its working folder is the root, so that
    nothing relative counts; standard error leads nowhere, and standard input ends when the child
    is to end. ``has_groups`` says that the system ends a child with all that it started.
    """
    started = time.monotonic()
    grace = min(GRACE, seconds * ENDING_SHARE)
    try:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=os.path.abspath(os.sep),
            start_new_session=has_groups,
            bufsize=0,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return ChildReply("", f"not started: {error}", time.monotonic() - started)
    child = _Child(process, has_groups=has_groups)
    reader = _Reader(process, stop_at)
    end, code = "interrupted", 0
    try:
        end = reader.start() or _watch(child, reader, started + seconds - grace)
    finally:
        # Also when Ctrl-C arrives here: the child has a session of its own and would not see it.
        code = child.finish(grace, urgent=bool(end))
    # All that could write is gone, so what is still in the pipe is read to its end at once; on a
    # busy machine the reader may only now get its turn. A process that escaped may keep it open.
    reader.done.wait(max(0.0, started + seconds - time.monotonic()))
    return ChildReply(reader.received.text(), end or how_it_ended(code), time.monotonic() - started)


class _Reader:
    """Collects a child's output on a thread of its own: pipes cannot be polled on Windows."""

    def __init__(self, process: subprocess.Popen[bytes], stop_at: str) -> None:
        self.done = threading.Event()
        self.received = Received(stop_at)
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

    def _read(self) -> None:
        assert self._stream is not None  # noqa: S101 - for the type checker
        # A read that fails ends the output as an end does: what has come is what there is.
        with suppress(OSError):
            while self.received.take(os.read(self._stream.fileno(), 65536)):
                pass
        # Closed here and nowhere else: elsewhere its number could be reused under a read.
        _close(self._stream)
        self.done.set()


def _watch(child: _Child, reader: _Reader, deadline: float) -> str:
    """Wait for the output to end; return why the child must be stopped, else an empty text."""
    while True:
        left = deadline - time.monotonic()
        if reader.done.wait(max(0.0, min(TICK, left))):
            return "too much output" if reader.received.flooded else ""
        if child.has_exited():
            # Gone, though a process it left behind may hold the pipe open.
            reader.done.wait(TICK)
            return ""
        if left <= 0:
            return "timeout"


class _Child:
    """A process and, where the system has them, the group that it leads."""

    def __init__(self, process: subprocess.Popen[bytes], *, has_groups: bool) -> None:
        self._process = process
        self._has_groups = has_groups

    def has_exited(self) -> bool:
        """Tell whether the child has ended; its number stays its own while its group is needed."""
        if not self._has_groups:
            return self._process.poll() is not None
        try:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self._process.pid, flags) is not None
        except OSError:
            return True  # Someone else in this process reaps all children.

    def finish(self, grace: float, *, urgent: bool) -> int:
        """End the child and whatever it started, and return its exit code.

        A child of ours ends by itself, and everything below it, once its standard input does. The
        group is killed before the child is reaped: after that, its number could be another's.
        """
        process = self._process
        if urgent:
            _close(process.stdin)
        wait_until(self.has_exited, grace / 2 if urgent else GRACE)
        self._kill()
        wait_until(lambda: process.poll() is not None, grace / 2 if urgent else GRACE)
        # In uninterruptible sleep it has none. Popen would warn of that, to no one's use.
        process.returncode = -SIGKILL if process.returncode is None else process.returncode
        _close(process.stdin)
        return process.returncode

    def _kill(self) -> None:
        with suppress(OSError):  # Nothing is left of it.
            if self._has_groups:
                os.killpg(self._process.pid, SIGKILL)
            else:
                self._process.kill()


def _close(stream: IO[bytes] | None) -> None:
    assert stream is not None  # noqa: S101 - for the type checker
    with suppress(OSError):  # The other end is gone.
        stream.close()
