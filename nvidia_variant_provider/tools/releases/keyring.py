"""Credentials that a person keeps in a keyring, asked of the program ``keyring``.

As pip and uv have it: after the answer 401, for the address of the index and then for its host,
each host once. What the program prints is shown nowhere; its diagnostics are dropped, as some
backends repeat credentials there. Source: pip's and uv's documentation of keyring support.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIMEOUT_S: Final = 20.0
_MAX_BYTES: Final = 64 * 1024


class Keyring:
    """The programs to ask, the first that knows an answer counts: ``("/usr/bin/keyring",)``.

    ``timeout_s`` bounds all questions about one host together.
    """

    def __init__(
        self,
        programs: tuple[tuple[str, ...], ...],
        environ: Mapping[str, str],
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self.programs = programs
        self.environ = environ
        self.timeout_s = timeout_s
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def ask(self, services: Sequence[str], user: str) -> tuple[str, str] | None:
        """Return user name and password for the first service that has some.

        Services are addresses of indexes and hosts: ``https://index.example/simple/``. ``user``
        is the name that the address states, "" without one.
        """
        end = time.monotonic() + self.timeout_s
        for service in services:
            for program in self.programs:
                pair = self._ask(program, service, user, end - time.monotonic())
                if pair is not None:
                    return pair
        return None

    def close(self) -> None:
        """End the programs that run; they are in sessions of their own, which no Ctrl-C reaches."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                _kill(process)

    def _ask(
        self, program: tuple[str, ...], service: str, user: str, left_s: float
    ) -> tuple[str, str] | None:
        if left_s <= 0:
            return None
        # A name is understood by every version of the program, its absence from 25.2.1 on.
        words = (
            ["get", service, user] if user else ["--mode=creds", "--output=json", "get", service]
        )
        text = self._output_of([*program, *words], left_s)
        if text is None:
            return None
        if user:
            return user, text.rstrip("\r\n")
        return _pair_in(text)

    def _output_of(self, command: Sequence[str], left_s: float) -> str | None:
        """Return what a program prints; ``None`` if it fails or takes longer than ``left_s``."""
        try:
            process = self._started(command)
        except OSError:
            return None
        with process:
            try:
                output = process.communicate(timeout=left_s)[0]
            except subprocess.TimeoutExpired:
                _kill(process)
                return None
            finally:
                with self._lock:
                    self._running.discard(process)
        if process.returncode or len(output) > _MAX_BYTES:
            return None
        return output.decode("utf-8", "replace")

    def _started(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program; raises ``OSError``."""
        with self._lock:
            if self._is_closed:
                raise OSError("the command has ended")
            process = subprocess.Popen(
                command,
                env={**self.environ, "PYTHONIOENCODING": "utf-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # So that what it starts ends with it, and that it cannot ask at the terminal, which
                # is the installer's.
                start_new_session=True,
            )
            self._running.add(process)
        return process


def _pair_in(text: str) -> tuple[str, str] | None:
    try:
        answer = json.loads(text)
        user, password = answer["username"], answer["password"]
    except (ValueError, TypeError, KeyError):
        return None
    return (user, password) if isinstance(user, str) and isinstance(password, str) else None


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
