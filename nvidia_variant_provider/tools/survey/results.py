"""The file of results: lines are only ever added, by one run at a time."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import append, open_log, open_regular
from nvidia_variant_provider.tools.survey.stored import is_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from nvidia_variant_provider.tools.survey.task import Task
    from nvidia_variant_provider.tools.survey.wheels import Wheel

_START: Final = b'{"schema_version":1,"provider_version":'


class State(NamedTuple):
    """How a wheel stands: what it was when it was read, and what came of it.

    ``is_worse`` marks wheels in which ``verify`` found errors or warnings.
    """

    size: int | None
    mtime_ns: int | None
    outcome: str
    is_worse: bool = False


class Results:
    """An open results file, with what earlier runs left in it.

    A last line that a killed run left half-written is cut off.
    """

    def __init__(self, path: str, task: Task) -> None:
        """Open and lock the file; raises ``InvalidValueError`` if it holds something else."""
        self._path = path
        self._states: dict[str, State] = {}
        try:
            self._file = open_log(path)
        except OSError as error:
            raise InvalidValueError(f"{path}: {error.strerror}") from error
        try:
            _lock(self._file, path)
            self._recover(task)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def state_of(self, wheel: Wheel) -> State | None:
        """Return how a wheel stands; ``None`` if it was not read yet, or has changed since."""
        state = self._states.get(wheel.name)
        return state if state and state[:2] == (wheel.size, wheel.mtime_ns) else None

    def append(self, line: str) -> State:
        """Add a line, which ends in a line feed."""
        self._write(line.encode("ascii"))
        return self._take(json.loads(line))

    def _write(self, data: bytes) -> None:
        try:
            # Unbuffered: a run that is killed has written all that it reported.
            append(self._file, data, self._path)
        except OSError as error:
            raise InvalidValueError(f"{self._path}: {error.strerror}") from error

    def _take(self, result: dict[str, Any]) -> State:
        findings = (result.get("verification") or {}).get("findings", ())
        is_worse = any(finding.get("severity") != "note" for finding in findings)
        state = State(result["size"], result["mtime_ns"], result["outcome"], is_worse)
        self._states[result["path"]] = state
        return state

    def _recover(self, task: Task) -> None:
        """Take in what is there, and make the file end with a whole line."""
        whole, is_ended = 0, True
        for result, whole, is_ended in _read(self._path):  # noqa: B007 - used after the loop
            _check_same(self._path, result, task)
            self._take(result)
        if not is_ended:
            self._write(b"\n")
        elif os.fstat(self._file.fileno()).st_size > whole:
            self._file.truncate(whole)


def read_results(path: str) -> Iterator[dict[str, Any]]:
    """Yield every line of a results file, cutting off a last line that is half-written.

    Raises ``InvalidValueError`` naming the line that is no result.
    """
    for result, _, _ in _read(path):
        yield result


def _read(path: str) -> Iterator[tuple[dict[str, Any], int, bool]]:
    """Yield each result, where it ends in the file, and whether a line feed follows it.

    A last line without a line feed that is no result was cut off, and is left out.
    """
    try:
        with io.BufferedReader(open_regular(path)) as file:
            # Before whole lines are read: a wheel given by mistake has one line of gigabytes.
            head = file.read(len(_START))
            if not _START.startswith(head):
                raise InvalidValueError(f"{path}: line 1: not a result of 'survey'")
            file.seek(0)
            end = 0
            for number, line in enumerate(file, 1):
                end += len(line)
                is_whole = line.endswith(b"\n")
                result = _parse(line)
                if result is not None:
                    yield result, end, is_whole
                elif is_whole:
                    raise InvalidValueError(f"{path}: line {number}: not a result of 'survey'")
    except OSError as error:
        raise InvalidValueError(f"{path}: {error.strerror}") from error


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        result: dict[str, Any] = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return result if is_result(result) else None


def _check_same(path: str, result: dict[str, Any], task: Task) -> None:
    """Refuse to mix results that cannot be compared."""
    there = (result["command"], result["threshold"] or 0.0)
    if there != tuple(task):
        raise InvalidValueError(
            f"{path}: holds results of {_words(*there)}, this is {_words(*task)}:"
            " write to another file"
        )


def _words(command: str, threshold: float) -> str:
    return f"{command} --threshold {100 * threshold:g}" if threshold else command


def _lock(file: BinaryIO, path: str) -> None:
    """Keep a second writer out; the lock ends with its process, however that ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # A byte far behind the end: locking what is there would keep readers out.
            file.seek(1 << 40)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InvalidValueError(f"{path}: another survey is writing to it") from error
    except OSError as error:
        raise InvalidValueError(f"{path}: cannot be locked: {error.strerror}") from error
