"""One thread that ends what takes too long, for all that is bounded at once.

A timer of its own for every request takes as much processor time as the request.
"""

from __future__ import annotations

import math
import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Bounded(Protocol):
        """What has an end: ``ends_at`` on the monotonic clock, ``end`` to be called then."""

        @property
        def ends_at(self) -> float:
            """The moment, in seconds."""

        def end(self) -> None:
            """Do what ends it; returns at once, and raises nothing."""


class Watch:
    """Calls ``end`` of everything that is added and not removed in time."""

    def __init__(self) -> None:
        self._forget()
        if hasattr(os, "register_at_fork"):
            # Threads do not live on in a forked child, and it has nothing that is waited for.
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._changed = threading.Condition()
        self._bounded: set[Bounded] = set()
        self._wakes_at = math.inf
        self._is_running = False

    def add(self, bounded: Bounded) -> None:
        """Watch it from now on."""
        with self._changed:
            self._bounded.add(bounded)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
            elif bounded.ends_at < self._wakes_at:
                self._changed.notify()

    def remove(self, bounded: Bounded) -> None:
        """Watch it no longer."""
        with self._changed:
            self._bounded.discard(bounded)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                late = [bounded for bounded in self._bounded if bounded.ends_at <= now]
                for bounded in late:
                    self._bounded.discard(bounded)
                    bounded.end()
                # What is over in time is not told: the thread wakes once too often, and looks.
                self._wakes_at = min(
                    (bounded.ends_at for bounded in self._bounded), default=math.inf
                )
                left_s = self._wakes_at - time.monotonic()
                self._changed.wait(None if left_s == math.inf else left_s)
