"""Another implementation as a child process: a line out, a line back, each within a deadline."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

# The longest answer of ours is some five thousand characters.
MAX_LINE: Final = 1 << 20
_ENDING_S: Final = 2.0


class PeerError(Exception):
    """The other implementation did not answer; the text says how that looked."""


class Peer:
    """A command that answers requests; started when first asked, and again after each failure.

    Once it failed to answer the same line is never waited for: what it may still say would be
    taken for the answer to the next question.
    """

    def __init__(self, command: Sequence[str], seconds: float) -> None:
        self._command = list(command)
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, line: str) -> str:
        """Send a line and return the one that comes back; raises ``PeerError``.

        Raises ``InvalidValueError`` if the command cannot be started at all.
        """
        process = self._process or self._start()
        answers: queue.SimpleQueue[bytes | OSError] = queue.SimpleQueue()
        threading.Thread(
            target=_exchange, args=(process, line.encode() + b"\n", answers), daemon=True
        ).start()
        try:
            answer = answers.get(timeout=self._seconds)
            return self._checked(process, answer)
        except queue.Empty:
            raise PeerError(f"no answer within {self._seconds:g} s") from None

    def close(self) -> None:
        """End the command and everything it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDING_S)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=sys.platform != "win32",
            )
        except (OSError, ValueError) as error:
            name = self._command[0] if self._command else ""
            raise InvalidValueError(f"the command {name!r} cannot be started: {error}") from error
        return self._process

    def _checked(self, process: subprocess.Popen[bytes], answer: bytes | OSError) -> str:
        if isinstance(answer, OSError) or not answer:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING_S)
            code = process.returncode
            closed = "input" if isinstance(answer, OSError) else "output"
            raise PeerError(
                f"closed its {closed}" if code is None else f"ended with exit code {code}"
            )
        if not answer.endswith(b"\n"):
            what = f"more than {MAX_LINE} bytes" if len(answer) >= MAX_LINE else "half a line"
            raise PeerError(f"answered with {what}")
        try:
            return answer.decode()
        except UnicodeDecodeError:
            raise PeerError(f"answered with bytes that are not UTF-8: {answer[:40]!r}") from None


def _exchange(
    process: subprocess.Popen[bytes], line: bytes, answers: queue.SimpleQueue[bytes | OSError]
) -> None:
    assert process.stdin is not None  # noqa: S101 - for the type checker
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(line)
        process.stdin.flush()
        answers.put(process.stdout.readline(MAX_LINE))
    except (OSError, ValueError) as error:
        # ValueError: the main thread gave up and closed the pipe.
        answers.put(error if isinstance(error, OSError) else OSError(str(error)))
