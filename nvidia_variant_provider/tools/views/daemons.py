"""Work in threads that nobody waits for when the command ends.

The threads of ``concurrent.futures`` are joined by an interpreter that ends: one that waits for a
network would keep it for a minute.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
R = TypeVar("R")


def start(function: Callable[[], R]) -> Future[R]:
    """Call a function in a thread of its own."""
    future: Future[R] = Future()
    threading.Thread(target=_settle, args=(function, future), daemon=True).start()
    return future


def map_at_once(function: Callable[[T], R], items: Sequence[T], most: int) -> list[R]:
    """Return what a function returns for each item, up to ``most`` at the same time.

    Raises what the function has raised for the first item of those that failed.
    """
    futures: list[Future[R]] = [Future() for _ in items]
    left = iter(zip(items, futures, strict=True))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                item, future = next(left, (None, None))
            if future is None:
                return
            _settle(lambda item=item: function(item), future)  # type: ignore[misc]

    for _ in range(min(most, len(items))):
        threading.Thread(target=work, daemon=True).start()
    return [future.result() for future in futures]


def _settle(function: Callable[[], R], future: Future[R]) -> None:
    try:
        future.set_result(function())
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
        future.set_exception(error)
