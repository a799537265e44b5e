"""A child process that reads wheels, so that one that kills its reader costs one result.

The same child serves a thread here and a thread of a Dask worker: those are daemonic processes,
which ``multiprocessing`` does not let have children.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import ProviderError
from nvidia_variant_provider.tools.survey.child_main import READY
from nvidia_variant_provider.tools.survey.task import failed

if TYPE_CHECKING:
    from typing import IO

    from typing_extensions import Self

    from nvidia_variant_provider.tools.survey.task import Task
    from nvidia_variant_provider.tools.survey.wheels import Wheel

# Isolated (-I), so that no module beside the wheels is taken for a library; then the parent's path.
_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "from nvidia_variant_provider.tools.survey.child_main import main;"
    "main(sys.argv[2], float(sys.argv[3]))"
)
_WORDS: Final = 400


class Child:
    """A reader in a process of its own, started when the first wheel comes and after each death.

    ``seconds`` is what one wheel may take, 0 for no limit. It belongs to one thread; only ``kill``
    may come from another.
    """

    def __init__(self, task: Task, seconds: float = 0.0) -> None:
        self._task = task
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def examine(self, wheel: Wheel) -> str:
        """Return the line about a wheel, its reader's death included.

        Raises ``ProviderError`` when no reader can be started at all.
        """
        if wheel.problem:
            return failed(self._task, wheel, "unreadable", wheel.problem)
        request = json.dumps([wheel.path, wheel.size, wheel.mtime_ns]).encode() + b"\n"
        process = self._process or self._start()
        late = threading.Event()
        timer = self._timer(process, late)
        try:
            answer = _ask(process, request)
        finally:
            timer.cancel()
        if answer.endswith(b"\n"):
            return answer.decode("ascii")
        how = self._reap()
        if late.is_set():
            text = f"not done after {self._seconds:g} seconds"
            return failed(self._task, wheel, "timeout", text)
        return failed(self._task, wheel, "worker-died", f"its reader {how}")

    def kill(self) -> None:
        """End the process at once, and let none be started again."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process and wait for its end."""
        self.kill()
        self._reap()

    def _timer(self, process: subprocess.Popen[bytes], late: threading.Event) -> threading.Timer:
        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._seconds or threading.TIMEOUT_MAX, end)
        timer.daemon = True
        if self._seconds:
            timer.start()
        return timer

    def _start(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise ProviderError("stopped")
        path = json.dumps([os.path.abspath(folder) for folder in sys.path])
        arguments = (self._task.command, repr(self._task.threshold))
        # Its last words are wanted should it die; a pipe that nobody reads would stop it.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, path, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except OSError as error:
            raise ProviderError(f"no reader can be started: {error.strerror}") from error
        if _ask(self._process, b"") != READY:
            raise ProviderError(f"no reader can be started: it {self._reap()}")
        return self._process

    def _reap(self) -> str:
        """Take leave of a process that has ended or is about to; says how it ended."""
        process, errors = self._process, self._errors
        self._process = self._errors = None
        if process is None or errors is None:
            return "was ended"
        code = process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                # What could not be sent is of no use now.
                with contextlib.suppress(OSError):
                    stream.close()
        with errors:
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - _WORDS))
            words = " ".join(errors.read().decode("utf-8", "replace").split())
        return _how(code) + (f": {words}" if words else "")


def _ask(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    """Send a request and return the answer, cut short if the process ends."""
    if process.stdin is None or process.stdout is None:
        return b""
    try:
        process.stdin.write(request)
        process.stdin.flush()
        return process.stdout.readline()
    except (OSError, ValueError):
        return b""


def _how(code: int) -> str:
    """Say how a process ended, such as ``was killed by SIGKILL (out of memory?)``."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
