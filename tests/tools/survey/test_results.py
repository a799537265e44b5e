"""The file of results: added to by one writer, whole after every kind of end."""

from __future__ import annotations

import json
import os
import resource
from typing import TYPE_CHECKING, Any, Final

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import survey_summary
from nvidia_variant_provider.tools.survey.results import Results, read_results
from nvidia_variant_provider.tools.survey.summary import latest_results, summarise
from nvidia_variant_provider.tools.survey.task import Task, examine, failed
from nvidia_variant_provider.tools.survey.wheels import Wheel
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from tests.wheel_maker import cuda_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INSPECT = Task("inspect")
ONE, TWO = Wheel("/a.whl", 10, 1), Wheel("/b.whl", 20, 2)


def lines(*wheels: Wheel, task: Task = INSPECT) -> list[str]:
    return [failed(task, wheel, "damaged", "cut") for wheel in wheels]


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_last_line_cut_anywhere_is_done_again_and_the_others_stay(tmp_path: Path) -> None:
    first, second = lines(ONE, TWO)
    path = tmp_path / "results.jsonl"
    for cut in range(len(second)):
        write(path, first + second[:cut])
        with Results(str(path), INSPECT) as results:
            assert results.state_of(ONE) is not None
            # Without its line feed the record is whole all the same.
            assert (results.state_of(TWO) is None) == (cut < len(second) - 1)
            if results.state_of(TWO) is None:
                results.append(second)

        assert path.read_text() == first + second, cut


def test_a_first_line_cut_anywhere_leaves_an_empty_file(tmp_path: Path) -> None:
    (line,) = lines(ONE)
    for cut in range(len(line) - 1):
        path = write(tmp_path / "results.jsonl", line[:cut])
        with Results(path, INSPECT) as results:
            assert results.state_of(ONE) is None
        assert os.path.getsize(path) == 0, cut


@pytest.mark.parametrize(
    "text",
    ["hello", "PK\3\4", '{"schema_version":2,"a":1}\n', "\n", '[1]\n{"schema_version":1}\n'],
    ids=["text", "zip", "other schema", "blank", "other JSON"],
)
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "notes.txt", text)

    with pytest.raises(InvalidValueError, match=r"notes\.txt: line 1: not a result of 'survey'"):
        Results(path, INSPECT)
    assert (tmp_path / "notes.txt").read_text() == text


@pytest.mark.parametrize("wrong", ["{}\n", "{\n", "\n", '{"path":"/x"}\n', "\0\0\n"])
def test_a_line_in_the_middle_that_is_no_record_is_named(tmp_path: Path, wrong: str) -> None:
    first, second = lines(ONE, TWO)
    path = write(tmp_path / "results.jsonl", first + wrong + second)

    with pytest.raises(InvalidValueError, match=r"results\.jsonl: line 2: not a result"):
        Results(path, INSPECT)
    with pytest.raises(InvalidValueError, match=r"results\.jsonl: line 2: not a result"):
        list(read_results(path))
    assert (tmp_path / "results.jsonl").read_text() == first + wrong + second


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "results.jsonl")

    with (
        Results(path, INSPECT),
        pytest.raises(InvalidValueError, match="another survey is writing to it"),
    ):
        Results(path, INSPECT)
    with Results(path, INSPECT) as after:
        assert after.state_of(ONE) is None


@pytest.mark.parametrize(
    ("there", "now", "words"),
    [
        (INSPECT, Task("verify", 0.75), "of inspect, this is verify --threshold 75"),
        (Task("verify", 0.5), Task("verify", 0.75), "of verify --threshold 50, this"),
    ],
)
def test_results_that_cannot_be_compared_are_not_mixed(
    tmp_path: Path, there: Task, now: Task, words: str
) -> None:
    path = write(tmp_path / "results.jsonl", lines(ONE, task=there)[0])

    with pytest.raises(InvalidValueError, match=words):
        Results(path, now)


def test_a_wheel_that_changed_has_no_state_and_the_last_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    wheel = Wheel.of(str(cuda_wheel(tmp_path, "80")))
    with Results(str(path), INSPECT) as results:
        results.append(failed(INSPECT, wheel, "damaged", "cut"))
        results.append(examine(INSPECT, wheel))
        assert results.state_of(wheel) == (wheel.size, wheel.mtime_ns, "done", False)

    with Results(str(path), INSPECT) as results:
        assert results.state_of(wheel) == (wheel.size, wheel.mtime_ns, "done", False)
        assert results.state_of(Wheel(wheel.path, wheel.size, 5)) is None
        assert results.state_of(Wheel(wheel.path, 5, wheel.mtime_ns)) is None


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"nowhere/results\.jsonl: .*No such file"):
        Results(str(tmp_path / "nowhere" / "results.jsonl"), INSPECT)


@pytest.mark.parametrize("read", [lambda path: Results(path, INSPECT), summarise])
def test_what_keeps_nothing_is_refused_at_once(
    tmp_path: Path, read: Callable[[str], object]
) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path, words in (
        (tmp_path / "pipe", "a pipe"),
        (tmp_path, "a folder"),
        ("/dev/null", "a d"),
    ):
        with pytest.raises(InvalidValueError, match=f"{path}: is {words}"):
            read(str(path))


HOSTILE: Final[tuple[object, ...]] = (
    None,
    True,
    -1,
    10**40,
    1e400,
    "x\x1b[31m",
    "9" * 50,
    [],
    {},
    ["a"],
    [{}],
)


def places(value: Any, *place: str | int) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401 - JSON
    """Yield where the values of a document are; of an array the first one stands for all."""
    if place:
        yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, *place, key)
    elif isinstance(value, list) and value:
        yield from places(value[0], *place, 0)


def changed(line: str) -> Iterator[str]:
    """Yield the line with each of its values replaced by each hostile one, or taken out."""
    for place in places(json.loads(line)):
        for hostile in (*HOSTILE, ...):
            document = parent = json.loads(line)
            for key in place[:-1]:
                parent = parent[key]
            if hostile is ...:
                del parent[place[-1]]
            else:
                parent[place[-1]] = hostile
            yield json.dumps(document, separators=(",", ":")) + "\n"


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_a_line_by_another_hand_is_refused_or_summed_up(tmp_path: Path, command: str) -> None:
    wheel = cuda_wheel(tmp_path, "80", "90p")
    features = {"sm_arch": ("75_real",), "cuda_version_lower_bound": ("11.0",)}
    wheel, _ = write_variant(wheel, tmp_path, build_variant("x", features))
    task = Task(command, 0.75 if command == "verify" else 0.0)
    path = tmp_path / "results.jsonl"
    read = refused = 0
    for line in changed(examine(task, Wheel.of(str(wheel)))):
        path.write_text(line)
        try:
            summarise(str(path))
            list(map(survey_summary.wheel_row, latest_results(str(path))))
            read += 1
        except InvalidValueError:
            refused += 1

    assert min(read, refused) > 100


def test_a_full_disk_is_an_error_that_names_the_file_and_the_rest_is_done_later(
    tmp_path: Path,
) -> None:
    path = tmp_path / "results.jsonl"
    first, second = lines(ONE, TWO)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Results(str(path), INSPECT) as results:
        results.append(first)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(first) + 20, hard))
        try:
            with pytest.raises(InvalidValueError, match=r"results\.jsonl: .*File too large"):
                results.append(second)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == first + second[:20]

    with Results(str(path), INSPECT) as results:
        results.append(second)
    assert path.read_text() == first + second


def test_lines_are_ascii_and_whole(tmp_path: Path) -> None:
    wheel = Wheel(os.fsdecode(b"/m\xff\xe2\x80\xa8.whl"), 1, 1)
    (line,) = lines(wheel)
    path = write(tmp_path / "results.jsonl", line)

    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line)["path"] == "/m\\xff\u2028.whl"
    with Results(path, INSPECT) as results:
        assert results.state_of(wheel) is not None
