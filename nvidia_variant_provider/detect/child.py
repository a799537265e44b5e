"""What a child process said, and how it ended: the same words whichever way it was started.

Driver libraries and ``nvidia-smi`` crash, hang, print, fork and sleep in the kernel where no
signal reaches them. So a child is asked to end, then killed once with its whole process group, and
waited for briefly; one that cannot die is left to the kernel. ``spawn.py`` does that for our own
worker on POSIX, ``popen.py`` for any program and on Windows.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_OUTPUT: Final = 1 << 18
SIGKILL: Final = 9
# How often a silent child is looked at, and how long an ended one may take to be gone: seconds.
TICK: Final = 0.02
GRACE: Final = 0.25
# The share of its time that a silent child may need to be ended.
ENDING_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class ChildReply:
    """What a child wrote before its end, and how it ended.

    ``end`` is ``exit N``, ``signal N``, ``timeout``, ``too much output`` or ``not started: ...``;
    the text of an unfinished last line is kept.
    """

    text: str
    end: str
    seconds: float = 0.0


class Received:
    """The output of a child so far."""

    def __init__(self, stop_at: str) -> None:
        self.bytes = bytearray()
        self._stop_at = b"\n" + stop_at.encode()

    @property
    def flooded(self) -> bool:
        """Whether it is more than any sound child writes."""
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


def how_it_ended(code: int) -> str:
    """Read an exit code; shells and our own worker say 128 + N for a signal N."""
    if code < 0:
        return f"signal {-code}"
    return f"signal {code - 128}" if 128 < code < 160 else f"exit {code}"  # noqa: PLR2004


def wait_until(is_over: Callable[[], bool], seconds: float) -> None:
    """Wait until something is over, for so many seconds at most."""
    limit = time.monotonic() + seconds
    while not is_over() and time.monotonic() < limit:
        time.sleep(0.001)
