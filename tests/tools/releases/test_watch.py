"""What takes too long is ended by one thread, whatever else is waited for."""

from __future__ import annotations

import os
import threading
import time

import pytest

from nvidia_variant_provider.tools.releases.watch import Watch


class Waited:
    """Something that ends ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.has_ended = threading.Event()

    def end(self) -> None:
        self.has_ended.set()


def test_what_ends_sooner_is_ended_although_it_came_later() -> None:
    watch = Watch()
    late, soon = Waited(3600), Waited(0.01)

    watch.add(late)
    watch.add(soon)

    assert soon.has_ended.wait(60)
    assert not late.has_ended.is_set()


def test_what_was_removed_is_left_alone() -> None:
    watch = Watch()
    removed, after = Waited(0.01), Waited(0.05)

    watch.add(removed)
    watch.remove(removed)
    watch.add(after)

    assert after.has_ended.wait(60)
    assert not removed.has_ended.is_set()


def test_one_thread_watches_everything() -> None:
    watch = Watch()
    before = threading.active_count()

    for _ in range(20):
        watch.add(Waited(3600))

    assert threading.active_count() == before + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_watches_by_itself() -> None:
    watch = Watch()
    watch.add(Waited(3600))
    child = os.fork()
    if not child:
        waited = Waited(0.01)
        watch.add(waited)
        os._exit(0 if waited.has_ended.wait(60) else 1)

    assert os.waitpid(child, 0)[1] == 0
