"""Read many parts in a few threads, without queueing all of them at once."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from nvidia_variant_provider.tools.findings.model import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from nvidia_variant_provider.tools.binaries.report import Library

    Item = TypeVar("Item")
    Result = TypeVar("Result")

# A future weighs more than what most members need: 16,000 of them would take 20 MB.
_WAITING_PER_JOB: Final = 8


def mapped(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int
) -> Iterator[Result]:
    """Yield the results in the order of the items; inflating lets other threads run."""
    if jobs == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= jobs * _WAITING_PER_JOB:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def read_all(
    read: Callable[[Item], Library | Finding | None],
    parts: Iterable[Item],
    jobs: int,
    findings: list[Finding],
) -> Iterator[Library]:
    """Yield the libraries among the parts, in their order, and add what is off to ``findings``."""
    for result in mapped(read, parts, jobs):
        if isinstance(result, Finding):
            findings.append(result)
        elif result is not None:
            yield result
