"""Running a survey: in processes here, or on the workers of a Dask cluster.

Lines come as they are ready, in any order. Both engines hold only as much work as keeps their
workers busy, so that memory does not grow with the number of wheels.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError, ProviderError
from nvidia_variant_provider.tools.survey.child import Child
from nvidia_variant_provider.tools.survey.task import Task, failed
from nvidia_variant_provider.tools.survey.wheels import Wheel

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from distributed import Client, Future

# A batch is one message to a worker and one reader's life. Enough to make both cheap, few enough
# that little is done again when a machine is lost.
_BATCH_WHEELS: Final = 64
_BATCH_BYTES: Final = 1 << 30
_BATCHES_PER_THREAD: Final = 2
# How long a thread may take, in seconds, to notice that nobody reads its lines any more.
_PATIENCE: Final = 0.2


def examine_here(
    task: Task, wheels: Iterable[Wheel], jobs: int, seconds: float = 0.0
) -> Generator[str, None, None]:
    """Examine wheels in ``jobs`` child processes, each led by a thread."""
    crew = _Crew(task, wheels, jobs, seconds)
    try:
        yield from crew.run()
    finally:
        crew.stop()


class _Crew:
    """Threads that take wheels from one iterator and lead a child each."""

    def __init__(self, task: Task, wheels: Iterable[Wheel], jobs: int, seconds: float) -> None:
        self._wheels = iter(wheels)
        self._lock = threading.Lock()
        self._lines: queue.Queue[str | Exception | None] = queue.Queue(maxsize=2 * jobs)
        self._stopped = threading.Event()
        self._children = [Child(task, seconds) for _ in range(jobs)]

    def run(self) -> Iterator[str]:
        for child in self._children:
            threading.Thread(target=self._work, args=(child,), daemon=True).start()
        working = len(self._children)
        while working:
            line = self._lines.get()
            if isinstance(line, Exception):
                raise line
            if line is None:
                working -= 1
            else:
                yield line

    def stop(self) -> None:
        """End the children; the threads find out and end as well."""
        self._stopped.set()
        for child in self._children:
            child.kill()

    def _work(self, child: Child) -> None:
        try:
            with child:
                while (wheel := self._next()) is not None:
                    self._put(child.examine(wheel))
        except Exception as error:  # noqa: BLE001 - raised again where the lines are read
            self._put(error)
        self._put(None)

    def _next(self) -> Wheel | None:
        with self._lock:
            return None if self._stopped.is_set() else next(self._wheels, None)

    def _put(self, line: str | Exception | None) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._lines.put(line, timeout=_PATIENCE)
                return


def examine_with_dask(
    client: Client, task: Task, wheels: Sequence[Wheel], seconds: float = 0.0
) -> Generator[str, None, None]:
    """Examine wheels on a Dask cluster, whose workers must see them by the same paths.

    Batches of a lost worker are done again by another. One that takes several workers with it is
    done wheel by wheel, and what does so then becomes a result. Raises ``InvalidValueError`` when
    the cluster is lost or its workers lack this package.
    """
    from distributed import KilledWorker, as_completed

    batches = deque(_batches(wheels))
    running: dict[Future, list[Wheel]] = {}
    done = as_completed()

    def fill() -> None:
        room = max(1, sum(client.nthreads().values())) * _BATCHES_PER_THREAD
        while batches and len(running) < room:
            batch = batches.popleft()
            future = _submit(client, task, batch, seconds)
            running[future] = batch
            done.add(future)

    fill()
    try:
        for future in done:
            batch = running.pop(future)
            try:
                yield from _result(future)
            except KilledWorker as error:
                if len(batch) > 1:
                    batches.extendleft([wheel] for wheel in batch)
                else:
                    yield failed(task, batch[0], "worker-died", f"took its Dask worker: {error}")
            fill()
    finally:
        client.cancel(list(running))


def _batches(wheels: Iterable[Wheel]) -> Iterator[list[Wheel]]:
    batch: list[Wheel] = []
    room = _BATCH_BYTES
    for wheel in wheels:
        batch.append(wheel)
        room -= wheel.size or 0
        if room <= 0 or len(batch) == _BATCH_WHEELS:
            yield batch
            batch, room = [], _BATCH_BYTES
    if batch:
        yield batch


def _submit(client: Client, task: Task, batch: Sequence[Wheel], seconds: float) -> Future:
    # Named tuples and our classes would tie the workers to this very version: plain values go out.
    fields = [(wheel.path, wheel.size, wheel.mtime_ns, wheel.problem) for wheel in batch]
    return client.submit(examine_batch, tuple(task), fields, seconds, pure=False)


def _result(future: Future) -> list[str]:
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    try:
        lines: list[str] = future.result()
    except KilledWorker:
        raise
    except ProviderError as error:
        raise InvalidValueError(f"--dask: a worker says: {error}") from error
    except (CancelledError, OSError) as error:
        raise InvalidValueError(f"--dask: the cluster was lost: {error}") from error
    except ImportError as error:
        text = f"--dask: the workers need nvidia-variant-provider[dask], this version: {error}"
        raise InvalidValueError(text) from error
    return lines


def examine_batch(
    task: tuple[str, float],
    fields: Iterable[tuple[str, int | None, int | None, str]],
    seconds: float,
) -> list[str]:
    """Examine some wheels; this is what runs on a worker of an engine."""
    with Child(Task(*task), seconds) as child:
        return [child.examine(Wheel(*values)) for values in fields]
