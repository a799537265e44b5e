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
from typing import IO, TYPE_CHECKING, Final

from nvidia_variant_provider.detect.child import (
    ENDING_SHARE,
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
from nvidia_variant_provider.detect.files import is_foreign, raise_foreign

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CANNOT_START: Final = (OSError, ValueError, subprocess.SubprocessError)


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
    received = Received(stop_at)
    child = _Program(arguments, environment, received, seconds, has_groups=has_groups)
    return converse(child, seconds, received)


class _Program:
    """A child of ``subprocess`` and, where the system has them, the group that it leads.

    A thread starts it and collects its output. Pipes cannot be polled on Windows, and Python calls
    a host's signal handlers on the main thread only: an exception of theirs never comes between the
    start of the child and our knowing of it.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        received: Received,
        seconds: float,
        *,
        has_groups: bool,
    ) -> None:
        self._command = list(arguments)
        self._environment = dict(environment)
        self._has_groups = has_groups
        self._received = received
        self._seconds_to_start = seconds * (1 - ENDING_SHARE)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._failure: BaseException | None = None
        self._started = threading.Event()
        self._is_unwanted = False
        self._done = threading.Event()

    def start(self) -> str:
        """Start it and read its output; return why that cannot be, else an empty text."""
        try:
            threading.Thread(target=self._start_and_read, daemon=True).start()
        except RuntimeError as error:
            raise_foreign(error)
            self._started.set()
            return str(error)
        if not self._started.wait(self._seconds_to_start):
            return "it takes too long to start"
        failure = self._failure
        if failure is None:
            return ""
        if not isinstance(failure, _CANNOT_START) or is_foreign(failure):
            raise failure
        return str(failure)

    def _start_and_read(self) -> None:
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment,
                cwd=os.path.abspath(os.sep),
                start_new_session=self._has_groups,
                bufsize=0,
            )
        except BaseException as error:  # noqa: BLE001 - raised again by start()
            self._failure = error
            self._started.set()
            return
        self._processes.append(process)
        if self._is_unwanted:
            self.finish(GRACE, urgent=True)  # Nobody waited: it took too long to start.
        self._started.set()
        self._read(process.stdout)

    def watch(self, received: Received, deadline: float) -> End | None:
        """Wait for the output to end; return why the child must be stopped, if it must."""
        while True:
            left = deadline - time.monotonic()
            if self._done.wait(max(0.0, min(TICK, left))):
                return FLOODED if received.flooded else None
            if self._has_exited():
                # Gone, though a process it left behind may hold the pipe open.
                self._done.wait(TICK)
                return None
            if left <= 0:
                return TIMEOUT

    def finish(self, grace: float, *, urgent: bool) -> int:
        """End the child and whatever it started, and return its exit code.

        A child of ours ends by itself, and everything below it, once its standard input does. The
        group is killed before the child is reaped: after that, its number could be another's.
        """
        process = self._processes[0]
        if urgent:
            _close(process.stdin)
        wait_until(self._has_exited, grace / 2 if urgent else GRACE)
        self._kill()
        wait_until(lambda: process.poll() is not None, grace / 2 if urgent else GRACE)
        # In uninterruptible sleep it has none. Popen would warn of that, to no one's use.
        process.returncode = -SIGKILL if process.returncode is None else process.returncode
        _close(process.stdin)
        self._processes.clear()
        return process.returncode

    def read_rest(self, _: Received, deadline: float) -> None:
        """Wait for the rest of the output; on a busy machine the reader may only now run.

        A process that escaped may keep the pipe open.
        """
        self._done.wait(max(0.0, deadline - time.monotonic()))

    def discard(self, grace: float) -> None:
        """End what is still there; its reader closes the pipe from it."""
        # Ctrl-C may come while it is being started; if that takes long, the thread ends it.
        self._is_unwanted = True
        if self._started.wait(grace) and self._processes:
            self.finish(grace, urgent=True)

    def _read(self, stream: IO[bytes] | None) -> None:
        assert stream is not None  # noqa: S101 - for the type checker
        # A read that fails ends the output as an end does: what has come is what there is.
        with suppress(OSError):
            while self._received.take(os.read(stream.fileno(), 65536)):
                pass
        # Closed here and nowhere else: elsewhere its number could be reused under a read.
        _close(stream)
        self._done.set()

    def _has_exited(self) -> bool:
        """Tell whether the child has ended; its number stays its own while its group is needed."""
        process = self._processes[0]
        if not self._has_groups:
            return process.poll() is not None
        try:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, process.pid, flags) is not None
        except OSError as error:
            raise_foreign(error)
            return True  # Someone else in this process reaps all children.

    def _kill(self) -> None:
        process = self._processes[0]
        try:
            if self._has_groups:
                os.killpg(process.pid, SIGKILL)
            else:
                process.kill()
        except OSError as error:
            raise_foreign(error)  # Else nothing is left of it.


def _close(stream: IO[bytes] | None) -> None:
    assert stream is not None  # noqa: S101 - for the type checker
    with suppress(BrokenPipeError):  # The other end is gone.
        stream.close()
