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
import time
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIMEOUT_S: Final = 20.0
_MAX_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Keyring:
    """The programs to ask, the first that knows an answer counts: ``("/usr/bin/keyring",)``.

    ``timeout_s`` bounds all questions about one host together.
    """

    programs: tuple[tuple[str, ...], ...]
    environ: Mapping[str, str]
    timeout_s: float = _TIMEOUT_S

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

    def _ask(
        self, program: tuple[str, ...], service: str, user: str, left_s: float
    ) -> tuple[str, str] | None:
        if left_s <= 0:
            return None
        # A name is understood by every version of the program, its absence from 25.2.1 on.
        words = (
            ["get", service, user] if user else ["--mode=creds", "--output=json", "get", service]
        )
        text = _output_of([*program, *words], self.environ, left_s)
        if text is None:
            return None
        if user:
            return user, text.rstrip("\r\n")
        return _pair_in(text)


def _pair_in(text: str) -> tuple[str, str] | None:
    try:
        answer = json.loads(text)
        user, password = answer["username"], answer["password"]
    except (ValueError, TypeError, KeyError):
        return None
    return (user, password) if isinstance(user, str) and isinstance(password, str) else None


def _output_of(command: Sequence[str], environ: Mapping[str, str], left_s: float) -> str | None:
    """Return what a program prints; ``None`` if it fails or takes longer than ``left_s``."""
    try:
        process = subprocess.Popen(
            command,
            env={**environ, "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # So that what it starts ends with it, and that it cannot ask at the terminal, which
            # is the installer's.
            start_new_session=True,
        )
    except OSError:
        return None
    with process:
        try:
            output = process.communicate(timeout=left_s)[0]
        except subprocess.TimeoutExpired:
            _kill(process)
            return None
    if process.returncode or len(output) > _MAX_BYTES:
        return None
    return output.decode("utf-8", "replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
