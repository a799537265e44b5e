"""Our worker as a child process on POSIX: spawned, polled and ended without ``subprocess``.

Importing ``subprocess`` and ``threading`` costs a third of an interpreter start, which is paid on
every machine with a GPU. What they would do besides, the worker does for itself: it leaves the
caller's folder and closes what it inherits. So any other program goes through ``popen.py``.

What the kernel hands out, a descriptor or a process, is put on a list within the same call of C:
between two calls a signal handler of the host may raise, and nobody would know of it any more.
"""

from __future__ import annotations

import os
import select
import time
from functools import partial
from itertools import chain, starmap
from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider.detect.child import (
    FLOODED,
    GRACE,
    SIGKILL,
    TICK,
    TIMEOUT,
    ChildReply,
    End,
    Received,
    converse,
    wait_until,
)
from nvidia_variant_provider.detect.files import close_all, is_foreign, raise_foreign

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STANDARD_ERROR: Final = 2
# The list of descriptors ends with: its standard input, ours to it, ours from it, its standard
# output; once it has its own two, with ours.
_ITS_INPUT, _ITS_OUTPUT = -4, -1
_BOTH_OF_ITS: Final = (_ITS_OUTPUT, _ITS_INPUT + 1)
_TO_IT, _FROM_IT = -2, -1


def run_worker(
    arguments: Sequence[str], environment: Mapping[str, str], seconds: float, stop_at: str = ""
) -> ChildReply:
    """Run a program for at most ``seconds`` and return its standard output and its end.

    Returns early once a line starts with ``stop_at``. Standard error leads nowhere, and standard
    input ends when the child is to end.
    """
    return converse(_Spawned(arguments, environment), seconds, Received(stop_at))


class _Spawned:
    """A child of ``posix_spawn``, the pipe to its standard input and the one from its output."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = (arguments[0], list(arguments), environment)
        self._descriptors: list[int] = []
        self._pids: list[int] = []
        self._told_to_end = False
        # What it is left with in uninterruptible sleep, when it is left to the kernel.
        self._status = SIGKILL
        self._poll = select.poll()

    def start(self) -> str:
        """Start it in a session of its own; every other descriptor of ours closes on its way."""
        try:
            self._add_pipe()
            self._add_pipe()
            self._spawn()
        except (OSError, ValueError) as error:
            if is_foreign(error):
                raise
            return str(error)
        any(map(os.close, map(self._descriptors.pop, _BOTH_OF_ITS)))
        self._poll.register(self._descriptors[_FROM_IT], select.POLLIN)
        return ""

    def watch(self, received: Received, deadline: float) -> End | None:
        """Wait for the output to end; return why the child must be stopped, if it must."""
        while (left := deadline - time.monotonic()) > 0:
            if self._poll.poll(min(TICK, left) * 1000):
                if not received.take(os.read(self._descriptors[_FROM_IT], 65536)):
                    return FLOODED if received.flooded else None
            elif self._has_exited():
                return None  # Though a process it left behind may hold the pipe open.
        return TIMEOUT

    def finish(self, grace: float, *, urgent: bool) -> int:
        """End the child and whatever it started, and return its exit code.

        It ends by itself, and everything below it, once its standard input does. The group is
        killed before the child is reaped: after that, its number could be another's.
        """
        if urgent and not self._told_to_end:
            self._told_to_end = True
            any(map(os.close, map(self._descriptors.pop, (_TO_IT,))))
        wait_until(self._has_exited, grace / 2 if urgent else GRACE)
        try:
            os.killpg(self._pids[0], SIGKILL)
        except OSError as error:
            raise_foreign(error)  # Else nothing is left of it.
        wait_until(self._reap, grace / 2 if urgent else GRACE)
        self._pids.clear()
        return os.waitstatus_to_exitcode(self._status)

    def read_rest(self, received: Received, _: float) -> None:
        """Read what the pipe still holds: all that could write is gone, or has escaped."""
        while not received.flooded and self._poll.poll(0):
            if not received.take(os.read(self._descriptors[_FROM_IT], 65536)):
                break
        close_all(self._descriptors)

    def discard(self, grace: float) -> None:
        """End what is still there and close what is still open."""
        self._told_to_end = True
        close_all(self._descriptors)
        if self._pids:
            self.finish(grace, urgent=True)

    def _add_pipe(self) -> None:
        """Make a pipe above the standard streams: a caller may have closed its own."""
        while True:
            self._descriptors.extend(chain.from_iterable(starmap(os.pipe, ((),))))
            if min(self._descriptors[-2:]) > _STANDARD_ERROR:
                return

    def _spawn(self) -> None:
        streams = (
            (os.POSIX_SPAWN_DUP2, self._descriptors[_ITS_INPUT], 0),
            (os.POSIX_SPAWN_DUP2, self._descriptors[_ITS_OUTPUT], 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        )
        try:
            self._spawn_with(file_actions=streams, setsid=True)
        except NotImplementedError:
            # Python built with the headers of a C library from before 2017 (glibc 2.26), to run on
            # old systems too. A group of its own does: it can be killed, and a terminal's Ctrl-C
            # passes it.
            self._spawn_with(file_actions=streams, setpgroup=0)

    def _spawn_with(self, **settings: Any) -> None:  # noqa: ANN401 - those of posix_spawn
        self._pids.extend(starmap(partial(os.posix_spawn, **settings), (self._command,)))

    def _has_exited(self) -> bool:
        """Tell whether the child has ended, without reaping it: its number must stay its own."""
        try:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self._pids[0], flags) is not None
        except ChildProcessError as error:
            raise_foreign(error)
            return True  # Someone else in this process reaps all children.

    def _reap(self) -> bool:
        try:
            pid, status = os.waitpid(self._pids[0], os.WNOHANG)
        except ChildProcessError as error:
            raise_foreign(error)
            pid, status = self._pids[0], 0  # As subprocess counts one that someone else has reaped.
        self._status = status if pid else self._status
        return bool(pid)
