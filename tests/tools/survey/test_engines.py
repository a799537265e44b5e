"""Processes that read wheels, and what becomes of the wheels that end them."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from nvidia_variant_provider.errors import ProviderError
from nvidia_variant_provider.tools.survey.child import Child
from nvidia_variant_provider.tools.survey.engines import examine_here
from nvidia_variant_provider.tools.survey.task import Task, examine
from nvidia_variant_provider.tools.survey.wheels import Wheel, find_wheels
from tests.tools.survey.makers import has_ended, wait_for_reader, write_mirror, write_slow_wheel
from tests.wheel_maker import cuda_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

INSPECT = Task("inspect")


def records(lines: Iterable[str]) -> list[dict[str, Any]]:
    return sorted((json.loads(line) for line in lines), key=lambda one: str(one["path"]))


def failures(lines: Iterable[str]) -> dict[str, tuple[str, str]]:
    return {
        os.path.basename(one["path"]): (one["failure"]["code"], one["failure"]["error"])
        for one in records(lines)
        if one["failure"]
    }


def test_processes_say_what_one_process_says(tmp_path: Path) -> None:
    wheels = find_wheels([str(write_mirror(tmp_path, 40))], [])

    here = records(examine(INSPECT, wheel) for wheel in wheels)

    assert records(examine_here(INSPECT, wheels, 3)) == here
    assert len(here) == 40
    assert sum(one["outcome"] == "failed" for one in here) == 4


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_wheel_that_kills_its_reader_is_a_record_and_the_rest_goes_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    slow = write_slow_wheel(tmp_path / "slow-1.0-py3-none-any.whl")
    for index in range(8):
        cuda_wheel(tmp_path, "80", name=f"demo{index}-1.0-py3-none-any.whl")
    killer = threading.Thread(target=lambda: os.kill(wait_for_reader(slow), number))
    killer.start()

    lines = list(examine_here(INSPECT, find_wheels([str(tmp_path)], []), 1))
    killer.join()

    found = failures(lines)
    assert list(found) == [slow.name]
    assert found[slow.name][0] == "worker-died"
    assert f"its reader was killed by {number.name}" in found[slow.name][1]
    assert len(lines) == 9


def test_a_wheel_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    slow = write_slow_wheel(tmp_path / "slow-1.0-py3-none-any.whl")
    quick = cuda_wheel(tmp_path, "80")

    with Child(INSPECT, seconds=2) as child:
        late = child.examine(Wheel.of(str(slow)))
        # The next one gets a new reader, whose start does not count.
        after = child.examine(Wheel.of(str(quick)))

    assert failures([late]) == {slow.name: ("timeout", "not done after 2 seconds")}
    assert json.loads(after)["outcome"] == "done"


def test_last_words_of_a_reader_stand_in_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A library that breaks while it is loaded, as a reader finds it on the path of its parent.
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "pydantic.py").write_text("raise SystemExit('no pydantic here')")
    monkeypatch.syspath_prepend(str(tmp_path / "broken"))
    wheel = Wheel.of(str(cuda_wheel(tmp_path, "80")))

    with Child(INSPECT) as child, pytest.raises(ProviderError, match="no pydantic here"):
        child.examine(wheel)
    with pytest.raises(ProviderError, match="no reader can be started: it ended with code 1"):
        list(examine_here(INSPECT, [wheel] * 20, 2))


def test_only_as_many_wheels_are_taken_as_keep_the_readers_busy(tmp_path: Path) -> None:
    wheel = Wheel.of(str(cuda_wheel(tmp_path, "80")))
    taken = 0

    def supply() -> Iterator[Wheel]:
        nonlocal taken
        for _ in range(400):
            taken += 1
            yield wheel

    lines = examine_here(INSPECT, supply(), 2)
    next(lines)
    threading.Event().wait(1.0)

    # One line was taken; four wait in the queue, and each reader has one in hand.
    assert taken <= 1 + 4 + 2
    lines.close()


def test_readers_end_when_nobody_wants_their_lines(tmp_path: Path) -> None:
    slow = write_slow_wheel(tmp_path / "slow-1.0-py3-none-any.whl")
    quick = cuda_wheel(tmp_path, "80")
    lines = examine_here(INSPECT, [Wheel.of(str(quick)), Wheel.of(str(slow))], 1)
    next(lines)
    reader = wait_for_reader(slow)

    lines.close()

    assert has_ended(reader)


def test_what_a_library_prints_does_not_get_between_the_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "noisy").mkdir()
    (tmp_path / "noisy" / "pydantic.py").write_text(
        "import os, sys; print('hello', flush=True); os.write(1, b'hello\\n')\n"
        "sys.path.pop(0); del sys.modules['pydantic']; import pydantic\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "noisy"))
    wheel = Wheel.of(str(cuda_wheel(tmp_path, "80")))

    with Child(INSPECT) as child:
        line = child.examine(wheel)

    assert json.loads(line)["outcome"] == "done"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "out-of-memory"),
        (PermissionError(13, "Permission denied"), "unreadable"),
        (ZeroDivisionError("division by zero"), "internal-error"),
        (RecursionError("too deep"), "internal-error"),
    ],
)
def test_whatever_goes_wrong_is_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def fail(_path: str) -> None:
        raise error

    monkeypatch.setattr("nvidia_variant_provider.tools.binaries.inspector.inspect_path", fail)
    wheel = Wheel.of(str(cuda_wheel(tmp_path, "80")))

    (found,) = failures([examine(INSPECT, wheel)]).values()

    assert found[0] == code
