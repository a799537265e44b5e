"""Threads that keep no command from ending."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from nvidia_variant_provider.tools.views.daemons import map_at_once, start

WAITS = """
import threading
from nvidia_variant_provider.tools.views.daemons import start
start(threading.Event().wait)
"""


def test_results_stand_in_the_order_of_the_items() -> None:
    barrier = threading.Barrier(2, timeout=60)

    def last_first(number: int) -> int:
        barrier.wait()
        return -number

    assert map_at_once(last_first, [1, 2, 3, 4], 2) == [-1, -2, -3, -4]


def test_what_the_first_of_the_items_raises_is_raised() -> None:
    def fail(number: int) -> int:
        raise ValueError(f"item {number}")

    with pytest.raises(ValueError, match="item 1"):
        map_at_once(fail, [1, 2], 1)
    with pytest.raises(ValueError, match="item 3"):
        start(lambda: fail(3)).result()


def test_a_thread_that_waits_for_ever_keeps_no_interpreter() -> None:
    done = subprocess.run([sys.executable, "-c", WAITS], timeout=60, check=False)

    assert done.returncode == 0
