"""The command ``survey``: what it writes, how it goes on after an end, and what it sums up."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import jsonschema
import pytest

from nvidia_variant_provider.tools.cli.cmd_survey import Lines
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.survey.results import State
from nvidia_variant_provider.tools.survey.wheels import Wheel
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from tests.tools.binaries import packing
from tests.tools.survey.makers import (
    children_of,
    has_ended,
    wait_for_reader,
    write_mirror,
    write_slow_wheel,
)
from tests.wheel_maker import cuda_library, cuda_wheel, make_wheel

ROOT: Final = Path(__file__).resolve().parents[3]


def schema_of(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    return jsonschema.Draft202012Validator(schema)


def survey(*words: object, jobs: int = 2) -> int:
    options = [] if words[0] == "summary" else ["--jobs", str(jobs)]
    return main(["survey", *map(str, words), *options])


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the records by the names of the wheels, each held to the schema."""
    validator = schema_of("survey-line")
    found = {}
    for line in path.read_text().splitlines():
        record = json.loads(line)
        validator.validate(record)
        found[os.path.basename(record["path"])] = record
    return found


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return write_mirror(tmp_path / "mirror", 30)


def test_hundreds_of_wheels_killed_in_the_middle_and_gone_on_with(tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", 300)
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    assert survey("inspect", mirror, "-o", whole) == 1

    command = [sys.executable, "-m", "nvidia_variant_provider", "survey", "inspect", str(mirror)]
    process = subprocess.Popen([*command, "--jobs", "2", "-o", str(cut)], cwd=ROOT)
    while process.poll() is None and (not cut.exists() or cut.read_bytes().count(b"\n") < 40):
        time.sleep(0.002)
    readers = children_of(process.pid)
    process.kill()
    process.wait()
    after_kill = cut.read_bytes().count(b"\n")
    # What a power cut may leave besides.
    with cut.open("ab") as file:
        file.write(whole.read_bytes()[:200])
    assert survey("inspect", mirror, "-o", cut) == 1

    assert 40 <= after_kill < 300
    assert len(readers) == 2
    assert sorted(cut.read_text().splitlines()) == sorted(whole.read_text().splitlines())
    assert len(read(cut)) == 300
    assert Counter(one["outcome"] for one in read(cut).values()) == {"done": 270, "failed": 30}
    assert all(has_ended(pid) for pid in readers)


def test_a_second_run_does_nothing_and_says_so(
    mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.jsonl"
    assert survey("inspect", mirror, "-o", results) == 1
    first = results.read_bytes()
    assert survey("inspect", mirror, "-o", results) == 1

    assert results.read_bytes() == first
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"note: {results}: 30 wheels: 27 done, 3 failed",
        f"note: {results}: 30 wheels: 27 done, 3 failed, 30 of them before",
    ]


def test_what_changed_and_what_failed_is_done_again(mirror: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    survey("inspect", mirror, "-o", results)
    broken = mirror / "p0" / "demo9-1.0-py3-none-any.whl"
    cuda_wheel(broken.parent, "90", name=broken.name)
    os.utime(mirror / "p0" / "demo0-1.0-py3-none-any.whl", ns=(1, 1))

    survey("inspect", mirror, "-o", results)
    assert results.read_bytes().count(b"\n") == 32
    assert read(results)[broken.name]["inspection"]["coverage"]["full"] == ["90_real"]
    assert read(results)["demo0-1.0-py3-none-any.whl"]["mtime_ns"] == 1

    survey("inspect", mirror, "-o", results, "--retry-failed")
    assert results.read_bytes().count(b"\n") == 34


def test_the_result_of_a_wheel_is_that_of_inspect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = cuda_wheel(tmp_path, "80", "90a", "90p")
    results = tmp_path / "results.jsonl"
    assert survey("inspect", wheel, "-o", results) == 0
    assert main(["inspect", "--json", str(wheel)]) == 0

    (expected,) = json.loads(capsys.readouterr().out)["files"]
    record = read(results)[wheel.name]
    assert record.pop("inspection") == expected
    assert record.pop("provider_version")
    assert record == {
        "schema_version": 1,
        "command": "inspect",
        "threshold": None,
        "path": str(wheel),
        "size": wheel.stat().st_size,
        "mtime_ns": wheel.stat().st_mtime_ns,
        "outcome": "done",
        "failure": None,
        "verification": None,
    }


@pytest.mark.parametrize(("archs", "code"), [("80_real", 0), ("80_real 90_real", 1)])
def test_verify_of_wheels_with_and_without_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], archs: str, code: int
) -> None:
    features = {"sm_arch": tuple(archs.split()), "cuda_version_lower_bound": ("12.0",)}
    plain = make_wheel(tmp_path, {"demo/a.so": cuda_library("80")})
    path, _ = write_variant(plain, tmp_path, build_variant("cuda12.4", features), force=True)
    results = tmp_path / "results.jsonl"

    # The same from a run, from its records alone, and from the command that is mapped.
    assert survey("verify", tmp_path, "-o", results) == code
    assert survey("verify", tmp_path, "-o", results) == code
    capsys.readouterr()
    assert main(["verify", "--json", str(path)]) == code
    found = read(results)
    assert json.loads(capsys.readouterr().out)["wheels"] == [found[path.name]["verification"]]
    assert found[path.name]["threshold"] == 0.75
    assert (found[plain.name]["outcome"], found[plain.name]["failure"]) == (
        "skipped",
        {"code": "no-label", "error": "no variant label: nothing to verify"},
    )


def test_lists_name_wheels_folders_and_what_is_not_there(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = cuda_wheel(tmp_path, "80", name=os.fsdecode(b"d\xe9mo-1.0-py3-none-any.whl"))
    os.mkfifo(tmp_path / "pipe.whl")
    missing = tmp_path / "gone-1.0-py3-none-any.whl"
    (tmp_path / "list").write_bytes(
        b"".join(os.fsencode(one) + b"\r\n\n" for one in (wheel, mirror / "p0", missing))
    )
    text = f"{tmp_path / 'pipe.whl'}\n{wheel.parent / 'a'}\0".encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text[:-1])))
    results = tmp_path / "results.jsonl"

    assert survey("inspect", "--from", tmp_path / "list", "--from", "-", "-o", results) == 1

    found = read(results)
    assert found["d\\xe9mo-1.0-py3-none-any.whl"]["outcome"] == "done"
    assert found["d\\xe9mo-1.0-py3-none-any.whl"]["inspection"]["path"].endswith(
        "d\\xe9mo-1.0-py3-none-any.whl"
    )
    assert found[missing.name]["failure"] == {
        "code": "unreadable",
        "error": "No such file or directory",
    }
    assert found["pipe.whl"]["failure"] == {"code": "unreadable", "error": "not a file"}
    assert len(found) == 34


def test_a_folder_that_cannot_be_entered_is_a_record(mirror: Path, tmp_path: Path) -> None:
    loop = mirror / "p0" / "loop"
    loop.symlink_to(mirror, target_is_directory=True)
    (mirror / "p0" / "twice.whl").symlink_to(mirror / "p0" / "demo0-1.0-py3-none-any.whl")
    results = tmp_path / "results.jsonl"
    survey("inspect", mirror, mirror, "-o", results)

    # Links to files count, links to folders do not, and nothing counts twice.
    assert results.read_bytes().count(b"\n") == len(read(results)) == 31


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("inspect",), "name wheels or folders, or a list with --from"),
        (("inspect", "/nowhere/mirror"), "/nowhere/mirror: no such file or folder"),
        (("inspect", "--from", "/nowhere/list"), "/nowhere/list: No such file"),
    ],
)
def test_misuse_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert survey(*words, "-o", tmp_path / "results.jsonl") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "results.jsonl").exists()


@pytest.mark.parametrize("words", [("--jobs", "0"), ("--timeout", "nan"), ("--timeout", "-1")])
def test_numbers_out_of_range_are_told(words: tuple[str, str], mirror: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["survey", "inspect", str(mirror), "-o", "x.jsonl", *words])


def test_interruption_leaves_a_file_to_go_on_with(tmp_path: Path) -> None:
    slow = write_slow_wheel(tmp_path / "slow-1.0-py3-none-any.whl")
    command = [sys.executable, "-m", "nvidia_variant_provider", "survey", "inspect", str(slow)]
    process = subprocess.Popen(
        [*command, "-o", str(tmp_path / "r.jsonl")], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    reader = wait_for_reader(slow)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "r.jsonl holds what was done: run it again to go on" in errors
    assert has_ended(reader)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_batch_system_that_stops_a_survey_leaves_a_file_to_go_on_with(
    tmp_path: Path, number: signal.Signals
) -> None:
    slow = write_slow_wheel(tmp_path / "slow-1.0-py3-none-any.whl")
    command = [sys.executable, "-m", "nvidia_variant_provider", "survey", "inspect", str(slow)]
    process = subprocess.Popen(
        [*command, "-o", str(tmp_path / "r.jsonl")], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    reader = wait_for_reader(slow)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == -number
    assert "r.jsonl holds what was done: run it again to go on" in errors
    assert has_ended(reader)


def test_where_no_bar_can_be_shown_lines_say_how_far_a_survey_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = Lines([Wheel("a.whl", 3_000_000_000, 1), Wheel("b.whl", 1_000_000_000, 1)], 0.0)

    lines.advance(State(3_000_000_000, 1, "done"))
    lines.advance(State(1_000_000_000, 1, "failed"))

    said = [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]
    assert said == [
        "1 of 2 wheels, 3.0 of 4.0 GB",
        "2 of 2 wheels, 4.0 of 4.0 GB, 1 failed",
    ]


RECORD: Final = {
    "schema_version": 1, "provider_version": "1", "command": "inspect", "threshold": None,
    "path": "/a.whl", "size": 1, "mtime_ns": 1, "outcome": "done",
    "inspection": None, "verification": None, "failure": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"path": ["a"]},
        {"path": {}},
        {"size": True},
        {"size": "1"},
        {"outcome": 1},
        {"failure": 3},
        {"failure": {"code": "x"}},
        {"inspection": []},
        {"inspection": {"findings": [{"code": []}], "coverage": {}}},
        {"inspection": {"findings": [], "coverage": {"containers": 0}}},
        {"verification": {"findings": 3}},
    ],
    ids=json.dumps,
)
def test_a_line_of_another_form_is_named(
    change: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.jsonl"
    good = json.dumps(RECORD, separators=(",", ":"))
    bad = json.dumps(RECORD | change, separators=(",", ":"))
    results.write_text(f"{good}\n{bad}\n")

    assert survey("summary", results) == 2
    assert "line 2: not a result of 'survey'" in capsys.readouterr().err


def test_a_line_that_is_nested_too_deep_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.jsonl"
    start = json.dumps(RECORD, separators=(",", ":")).removesuffix("}")
    results.write_text(start + ',"x":' + "[" * 200_000 + "]" * 200_000 + "}\n")

    assert survey("summary", results) == 2
    assert "line 1: not a result of 'survey'" in capsys.readouterr().err


def test_summary_counts_each_wheel_once(
    mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.jsonl"
    survey("inspect", mirror, "-o", results)
    # A wheel that was read twice counts as it was read last.
    survey("inspect", mirror, "-o", results, "--retry-failed")
    capsys.readouterr()
    assert survey("summary", results, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    schema_of("survey-summary").validate(summary)

    archs = {one["arch"]: (one["full"], one["dominant"], one["union"]) for one in summary["archs"]}
    # Of thirty wheels, every fourth has the same targets, and every tenth is broken.
    assert archs == {
        "75_real": (6, 6, 6),
        "80_real": (14, 14, 14),
        "90a_real": (15, 15, 15),
        "90_virtual": (0, 8, 8),
    }
    assert list(archs) == ["75_real", "80_real", "90a_real", "90_virtual"]
    assert (summary["wheels"], summary["done"], summary["failed"]) == (30, 27, 3)
    assert summary["without_device_code"] == 6
    assert summary["bounds"] == [{"compatible": "12.0", "wheels": 27}]
    assert [(one["code"], one["wheels"], len(one["examples"])) for one in summary["failures"]] == [
        ("damaged", 3, 3)
    ]


def test_summary_for_people(
    mirror: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    results = tmp_path / "results.jsonl"
    survey("inspect", mirror, "-o", results)
    capsys.readouterr()
    assert survey("summary", results, "--wheels") == 0

    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "inspect: 30 wheels, 0.0 GB: 27 done, 0 skipped, 3 failed" in printed
    assert "90a_real 15 15 15" in printed
    assert "demo0-1.0-py3-none-any.whl 80 90a 80 90a, PTX 90 12.0" in printed
    assert any(line.startswith("demo9-1.0-py3-none-any.whl damaged") for line in printed)
    assert any(line.startswith("damaged 3 ") for line in printed)


def test_summary_names_wheels_that_use_cuda_without_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    make_wheel(tmp_path, {"demo/k.ptx": packing.ptx(90)})
    make_wheel(tmp_path, name="other-1.0-py3-none-any.whl")
    results = tmp_path / "results.jsonl"
    survey("inspect", tmp_path, "-o", results)
    capsys.readouterr()
    assert survey("summary", results, "--wheels") == 0

    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "without device code: 2; 1 of them uses CUDA all the same" in printed
    assert any("made at run time or elsewhere" in line for line in printed)


def test_summary_of_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    plain = make_wheel(tmp_path, {"demo/a.so": cuda_library("80")})
    features = {"sm_arch": ("80_real", "90_real"), "cuda_version_lower_bound": ("12.0",)}
    write_variant(plain, tmp_path, build_variant("cuda12.4", features), force=True)
    results = tmp_path / "results.jsonl"
    survey("verify", tmp_path, "-o", results)
    capsys.readouterr()
    assert survey("summary", results, "--wheels") == 0

    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "verify: 2 wheels, 0.0 GB: 1 done, 1 skipped, 0 failed" in printed
    assert any(line.startswith("NV301 error 1 1 ") for line in printed)
    assert any(line.startswith("no-label 1 ") for line in printed)
    assert any("80 90 12.0 NV301 1" in line for line in printed)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "holds no result"), ("x", "line 1: not a result"), (None, "No such file")],
)
def test_summary_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    path = tmp_path / "results.jsonl"
    if text is not None:
        path.write_text(text)

    assert survey("summary", path) == 2
    assert f"{path}: {message}" in capsys.readouterr().err
