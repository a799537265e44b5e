"""Our worker as a child process on POSIX: spawned, polled and ended without ``subprocess``.

Importing ``subprocess`` and ``threading`` costs a third of an interpreter start, which is paid on
every machine with a GPU. What they would do besides, the worker does for itself: it leaves the
caller's folder and closes what it inherits. So any other program goes through ``popen.py``.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING

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


def run_worker(
    arguments: Sequence[str], environment: Mapping[str, str], seconds: float, stop_at: str = ""
) -> ChildReply:
    """Run a program for at most ``seconds`` and return its standard output and its end.

    Returns early once a line starts with ``stop_at``. Standard error leads nowhere, and standard
    input ends when the child is to end.
    """
    started = time.monotonic()
    grace = min(GRACE, seconds * ENDING_SHARE)
    try:
        child = _Child(arguments, environment)
    except (OSError, ValueError) as error:
        return ChildReply("", f"not started: {error}", time.monotonic() - started)
    received = Received(stop_at)
    end, code = "interrupted", 0
    try:
        end = child.watch(received, started + seconds - grace)
    finally:
        # Also when Ctrl-C arrives here: the child has a session of its own and would not see it.
        code = child.finish(grace, urgent=bool(end))
    child.read_rest(received)
    return ChildReply(received.text(), end or how_it_ended(code), time.monotonic() - started)


class _Child:
    """A running child, the pipe to its standard input and the one from its standard output."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        ends: list[int] = []
        try:
            ends += map(_above_standard, os.pipe())
            ends += map(_above_standard, os.pipe())
            self.pid = _spawn(arguments, environment, standard_input=ends[0], output=ends[3])
        except BaseException:
            _close(*ends)
            raise
        _close(ends[0], ends[3])
        self._stdin, self._stdout = ends[1], ends[2]
        # What it is left with in uninterruptible sleep, when it is left to the kernel.
        self._status = SIGKILL
        self._poll = select.poll()
        self._poll.register(self._stdout, select.POLLIN)

    def watch(self, received: Received, deadline: float) -> str:
        """Wait for the output to end; return why the child must be stopped, else an empty text."""
        while (left := deadline - time.monotonic()) > 0:
            if self._poll.poll(min(TICK, left) * 1000):
                if not received.take(os.read(self._stdout, 65536)):
                    return "too much output" if received.flooded else ""
            elif self._has_exited():
                return ""  # Though a process it left behind may hold the pipe open.
        return "timeout"

    def finish(self, grace: float, *, urgent: bool) -> int:
        """End the child and whatever it started, and return its exit code.

        It ends by itself, and everything below it, once its standard input does. The group is
        killed before the child is reaped: after that, its number could be another's.
        """
        if urgent:
            _close(self._stdin)
        wait_until(self._has_exited, grace / 2 if urgent else GRACE)
        with suppress(OSError):  # Nothing is left of it.
            os.killpg(self.pid, SIGKILL)
        wait_until(self._reap, grace / 2 if urgent else GRACE)
        if not urgent:
            _close(self._stdin)
        return os.waitstatus_to_exitcode(self._status)

    def read_rest(self, received: Received) -> None:
        """Read what the pipe still holds: all that could write is gone, or has escaped."""
        while not received.flooded and self._poll.poll(0):
            if not received.take(os.read(self._stdout, 65536)):
                break
        _close(self._stdout)

    def _has_exited(self) -> bool:
        """Tell whether the child has ended, without reaping it: its number must stay its own."""
        try:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self.pid, flags) is not None
        except ChildProcessError:
            return True  # Someone else in this process reaps all children.

    def _reap(self) -> bool:
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, 0  # As subprocess counts one that someone else has reaped.
        self._status = status if pid else self._status
        return bool(pid)


def _spawn(
    arguments: Sequence[str], environment: Mapping[str, str], *, standard_input: int, output: int
) -> int:
    """Start a program in a session of its own; every other descriptor of ours closes on its way."""
    streams = (
        (os.POSIX_SPAWN_DUP2, standard_input, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    )
    command = list(arguments)
    try:
        return os.posix_spawn(command[0], command, environment, file_actions=streams, setsid=True)
    except NotImplementedError:
        # Python built with the headers of a C library from before 2017 (glibc 2.26), to run on old
        # systems too. A group of its own does: it can be killed, and a terminal's Ctrl-C passes it.
        return os.posix_spawn(command[0], command, environment, file_actions=streams, setpgroup=0)


def _above_standard(descriptor: int) -> int:
    """Move a descriptor away from the standard streams: a caller may have closed its own."""
    if descriptor > 2:  # noqa: PLR2004 - standard error
        return descriptor
    moved = _above_standard(os.dup(descriptor))
    os.close(descriptor)
    return moved


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
