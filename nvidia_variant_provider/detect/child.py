"""A conversation with a child process: what was said, how it ended, and that nothing is left.

Driver libraries and ``nvidia-smi`` crash, hang, print, fork and sleep in the kernel where no
signal reaches them. So a child is asked to end, then killed once with its whole process group, and
waited for briefly; one that cannot die is left to the kernel. ``spawn.py`` starts our own worker on
POSIX, ``popen.py`` any program and on Windows.
"""

from __future__ import annotations

import errno
import re
import time
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

MAX_OUTPUT: Final = 1 << 18
SIGKILL: Final = 9
# How often a silent child is looked at, and how long an ended one may take to be gone: seconds.
TICK: Final = 0.02
GRACE: Final = 0.25
# The share of its time that a silent child may need to be ended.
ENDING_SHARE: Final = 0.1
# EAGAIN: as many processes as the user may have.
_WANTS: Final = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
# Shells and our own worker say 128 + N for a signal N.
_SIGNAL_CODES: Final = range(129, 160)


class Ending:
    """The ways in which a conversation with a child ends; the words are those of records.

    No enumeration: an installer would pay for making one.
    """

    EXIT: Final = "exit"
    SIGNAL: Final = "signal"
    TIMEOUT: Final = "timeout"
    FLOODED: Final = "too much output"
    NOT_STARTED: Final = "not started"


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended: ``exit 3``, ``signal 11``, ``timeout``, ``not started: No such file``.

    ``number`` is the exit code or the signal, ``detail`` why a child could not be started.
    """

    ending: str
    number: int = 0
    detail: str = ""

    @classmethod
    def of_code(cls, code: int) -> End:
        """Read an exit code as Python gives it, negative for a signal."""
        if code < 0:
            return cls(Ending.SIGNAL, -code)
        if code in _SIGNAL_CODES:
            return cls(Ending.SIGNAL, code - _SIGNAL_CODES[0] + 1)
        return cls(Ending.EXIT, code)

    @classmethod
    def parse(cls, text: str) -> End | None:
        """Read the text of an end as records hold it; ``None`` for any other text."""
        match = re.fullmatch(r"(exit|signal) (\d{1,10})", text, re.ASCII)
        if match is not None:
            return cls(match[1], int(match[2]))
        word, colon, detail = text.partition(": ")
        if colon and word == Ending.NOT_STARTED:
            return cls(Ending.NOT_STARTED, 0, detail)
        return next((end for end in (TIMEOUT, FLOODED) if str(end) == text), None)

    @property
    def timed_out(self) -> bool:
        """Whether the child was still silent at its deadline."""
        return self.ending == Ending.TIMEOUT

    @property
    def never_started(self) -> bool:
        """Whether there was no child at all."""
        return self.ending == Ending.NOT_STARTED

    @property
    def for_want(self) -> int:
        """The ``errno`` of what this process has too little of to start one: descriptors, memory.

        0 where something else is the reason, such as a sandbox that allows no child at all.
        """
        if not self.never_started:
            return 0
        return next((code for code in _WANTS if self.detail.startswith(f"[Errno {code}]")), 0)

    def __str__(self) -> str:
        if self.ending in {Ending.EXIT, Ending.SIGNAL}:
            return f"{self.ending} {self.number}"
        return f"{self.ending}: {self.detail}" if self.detail else self.ending


EXITED: Final = End(Ending.EXIT)
TIMEOUT: Final = End(Ending.TIMEOUT)
FLOODED: Final = End(Ending.FLOODED)


@dataclass(frozen=True, slots=True)
class ChildReply:
    """What a child wrote before its end, an unfinished last line included, and how it ended."""

    text: str
    end: End
    seconds: float = 0.0

    @classmethod
    def not_started(cls, why: object, seconds: float = 0.0) -> ChildReply:
        """Return the reply of a child that could not be started."""
        return cls("", End(Ending.NOT_STARTED, 0, str(why)), seconds)


class Received:
    """The output of a child so far; no more is wanted once a line starts with ``stop_at``."""

    def __init__(self, stop_at: str) -> None:
        self.bytes = bytearray()
        self._stop_at = b"\n" + stop_at.encode()

    @property
    def flooded(self) -> bool:
        """Whether the output is longer than any sound child writes."""
        return len(self.bytes) >= MAX_OUTPUT

    def take(self, chunk: bytes) -> bool:
        """Add what was read; return whether more is wanted: no end, no flood, no last line."""
        before = max(0, len(self.bytes) - len(self._stop_at))
        self.bytes += chunk
        stopped = len(self._stop_at) > 1 and self._stop_at in self.bytes[before:]
        return bool(chunk) and not stopped and not self.flooded

    def text(self) -> str:
        """Return all of it; bytes that are not UTF-8 come as replacement characters."""
        return self.bytes.decode("utf-8", "replace")


def converse(child: Child, seconds: float, received: Received) -> ChildReply:
    """Start a child, read what it says for at most ``seconds``, and end it.

    Whatever is raised meanwhile, such as the exception of a signal handler of the host, passes
    through and leaves neither a process nor a descriptor: the child has a session of its own, so
    that a terminal's Ctrl-C arrives here alone.
    """
    started = time.monotonic()
    grace = min(GRACE, seconds * ENDING_SHARE)
    try:
        why = child.start()
        if why:
            return ChildReply.not_started(why, time.monotonic() - started)
        end = child.watch(received, started + seconds - grace)
        code = child.finish(grace, urgent=end is not None)
        child.read_rest(received, started + seconds)
    finally:
        child.discard(grace)
    return ChildReply(received.text(), end or End.of_code(code), time.monotonic() - started)


def wait_until(is_over: Callable[[], bool], seconds: float) -> None:
    """Wait until something is over, for so many seconds at most."""
    limit = time.monotonic() + seconds
    while not is_over() and time.monotonic() < limit:
        time.sleep(0.001)


if TYPE_CHECKING:

    class Child(Protocol):
        """A child process and the pipes to it."""

        def start(self) -> str:
            """Start it; return why that cannot be, else an empty text."""
            ...

        def watch(self, received: Received, deadline: float) -> End | None:
            """Wait for the output to end; return why the child must be stopped, if it must."""
            ...

        def finish(self, grace: float, *, urgent: bool) -> int:
            """End the child and whatever it started, and return its exit code."""
            ...

        def read_rest(self, received: Received, deadline: float) -> None:
            """Read what the pipe still holds: all that could write is gone, or has escaped."""
            ...

        def discard(self, grace: float) -> None:
            """End what is still there and close what is still open; may be called at any time."""
            ...
