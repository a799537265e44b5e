"""The runner: a wrong implementation fails exactly where it is wrong, and none hurts the runner."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.conformance.cases import PACKAGED, Case, load
from nvidia_variant_provider.tools.conformance.peer import Peer, PeerError
from nvidia_variant_provider.tools.conformance.runner import Outcome, Result, judge, run_cases
from nvidia_variant_provider.tools.conformance.serve import reply_to, serve

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[3]
OURS = [sys.executable, "-m", "nvidia_variant_provider", "conformance", "--serve"]

HEAD = """
import json, sys, time
from nvidia_variant_provider.tools.conformance.serve import reply_to

def features(reply, name):
    return [it for it in reply.get("features", ()) if it["name"] == name]

for line in sys.stdin:
    request = json.loads(line)
    reply = reply_to(line)
"""
TAIL = "    print(json.dumps(reply), flush=True)\n"


def implementation(folder: Path, *body: str) -> list[str]:
    """Write an implementation that does as ours and then something of its own."""
    path = folder / "peer.py"
    path.write_text(HEAD + "".join(f"    {line}\n" for line in body) + TAIL, "utf-8")
    return [sys.executable, str(path)]


def some(*ids: str) -> list[Case]:
    cases = {case.id: case for case in load([PACKAGED])}
    return [cases[it] for it in ids]


ERRORS = len(load([PACKAGED / "errors.json"]))
THREE = ("properties-1/r525-h100", "properties-1/r570-b200", "errors/rules-no-such-rule-set")


def results(command: Sequence[str], cases: Sequence[Case], seconds: float = 20) -> list[Outcome]:
    return list(run_cases(cases, command, seconds))


def reasons(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {it.case.id: it.reason for it in outcomes if it.result is Result.FAILED}


def test_our_own_implementation_passes_every_case_through_the_protocol() -> None:
    cases = load([PACKAGED])

    outcomes = results(OURS, cases)

    assert reasons(outcomes) == {}
    assert [it.result for it in outcomes] == [Result.PASSED] * len(cases)


def test_a_wrong_order_fails_exactly_the_cases_with_something_to_order(tmp_path: Path) -> None:
    cases = load([PACKAGED / "properties-1.json"])
    wrong = implementation(
        tmp_path,
        "for it in features(reply, 'sm_arch'):",
        "    it['values'] = sorted(it['values'])",
    )
    expected = {
        case.id
        for case in cases
        for it in features_of(case)
        if it["name"] == "sm_arch" and it["values"] != sorted(it["values"])
    }

    failed = reasons(results(wrong, cases))

    assert set(failed) == expected
    assert 0 < len(expected) < len(cases)
    assert failed["properties-1/r525-h100"].startswith("features[2].values[0]: expected")


def test_a_faulty_rule_fails_exactly_the_machines_it_concerns(tmp_path: Path) -> None:
    cases = [case for case in load([PACKAGED]) if case.group in {"properties-1", "choices"}]
    no_family = implementation(
        tmp_path,
        "for it in features(reply, 'sm_arch'):",
        "    it['values'] = [value for value in it['values'] if 'f_' not in value]",
    )
    expected = {
        case.id
        for case in cases
        if any("f_" in value for it in features_of(case) for value in it["values"])
    }

    assert set(reasons(results(no_family, cases))) == expected
    assert "properties-1/r590-gb300" in expected
    assert "properties-1/r525-h100" not in expected


def test_passing_over_a_malformed_override_fails_every_error_case(tmp_path: Path) -> None:
    cases = load([PACKAGED / "errors.json"])
    lax = implementation(
        tmp_path, "if 'error' in reply: reply = {'id': request['id'], 'features': []}"
    )

    failed = reasons(results(lax, cases))

    assert list(failed) == [case.id for case in cases]
    assert set(failed.values()) == {"expected 'error', seen features: []"}


def test_naming_another_variable_is_a_failure(tmp_path: Path) -> None:
    wrong = implementation(tmp_path, "reply = {'id': reply['id'], 'error': {'variable': 'PATH'}}")

    failed = reasons(results(wrong, some("errors/rules-no-such-rule-set")))

    assert failed["errors/rules-no-such-rule-set"].startswith("error.variable: expected")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("print('loading libcuda...', flush=True); continue", "not JSON: 'loading libcuda...'"),
        ("print('[' * 100000, flush=True); continue", "not JSON"),
        ("print('[1]', flush=True); continue", "without the request's id"),
        ("reply['id'] = 'another'", "without the request's id"),
        ("sys.exit(3)", "ended with exit code 3"),
        ("sys.stdout.write('{'); sys.exit(0)", "answered with half a line"),
        ("sys.stdout.buffer.write(bytes([255, 10])); sys.stdout.flush(); continue", "not UTF-8"),
        ("sys.stdout.write('x' * (1 << 21)); sys.stdout.flush()", "more than 1048576 bytes"),
        ("__import__('os').close(1); time.sleep(60)", "output"),
    ],
    ids=["banner", "deep", "list", "id", "exit", "half", "bytes", "flood", "closed"],
)
def test_a_bad_answer_fails_its_case_and_the_next_is_asked_afresh(
    tmp_path: Path, body: str, reason: str
) -> None:
    bad = implementation(tmp_path, f"if 'b200' in request['id']: {body}")

    failed = reasons(results(bad, some(*THREE)))

    assert list(failed) == [THREE[1]]
    assert reason in failed[THREE[1]]


def test_one_that_does_not_read_is_told_from_one_that_has_ended(tmp_path: Path) -> None:
    deaf = tmp_path / "deaf.py"
    deaf.write_text(
        "import os, time\nos.read(0, 99)\nos.close(0)\nprint('up', flush=True)\ntime.sleep(60)\n",
        "utf-8",
    )
    peer = Peer([sys.executable, str(deaf)], 20)
    try:
        # It answers once, after closing its input.
        assert peer.ask("{}") == "up\n"
        with pytest.raises(PeerError, match="closed its input"):
            peer.ask("{}")
    finally:
        peer.close()


def test_a_hang_costs_its_deadline_and_its_case(tmp_path: Path) -> None:
    hangs = implementation(tmp_path, "if 'b200' in request['id']: time.sleep(120)")
    started = time.monotonic()

    failed = reasons(results(hangs, some(*THREE), seconds=10))

    assert failed == {THREE[1]: "no answer within 10 s"}
    assert time.monotonic() - started < 60


def test_a_child_of_the_implementation_is_ended_with_it(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("there are no process groups on Windows")
    script = tmp_path / "wrapper.sh"
    script.write_text(f"sleep 300 &\necho $! > {tmp_path}/pid\nsleep 300\n", "utf-8")

    results(["sh", str(script)], some(THREE[0]), seconds=2)

    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not is_alive(pid):
            return
        time.sleep(0.05)
    pytest.fail("the child is still there")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").split()[2] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_an_implementation_that_never_answers_is_given_up(tmp_path: Path) -> None:
    cases = load([PACKAGED / "errors.json"])[:9]
    ends = implementation(tmp_path, "sys.exit(0)")

    failed = reasons(results(ends, cases))

    assert (
        list(failed.values())
        == ["ended with exit code 0"] * 5 + ["not asked: 5 cases had no answer"] * 4
    )


def test_a_command_that_cannot_be_started_is_an_error() -> None:
    with pytest.raises(InvalidValueError, match="no-such-provider"):
        results(["/no-such-provider"], some(THREE[0]))


def test_skipping_is_no_failure_and_no_conformance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skips = implementation(tmp_path, "reply = {'id': reply['id'], 'skip': 'not yet'}")

    code = main(["conformance", "--command", shlex.join(skips), "--group", "errors"])

    assert code == 1
    assert f"{ERRORS} skipped" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"label": "b"}, 'label: expected "a", seen "b"'),
        ({"label": None}, 'label: expected "a", seen null'),
        ({"label": True}, 'label: expected "a", seen true'),
        ({"fault": "?"}, "expected 'label', seen fault: '?'"),
        ({}, "expected 'label', seen none of it"),
    ],
    ids=str,
)
def test_the_judge_says_what_differs(reply: dict[str, object], words: str) -> None:
    case = Case("x/y", "x", {}, {"label": "a"})

    assert judge(case, reply) == Outcome(case, Result.FAILED, words, reply)


@pytest.mark.parametrize(
    ("wanted", "seen", "words"),
    [
        (["a", "b"], ["a"], "features: expected 2 of them, seen 1"),
        ([{"a": True}], [{"a": 1}], "features[0].a: expected true, seen 1"),
        ([{"a": "x"}], [{"a": "x", "b": "y"}], 'features[0].b: expected null, seen "y"'),
        (["x" * 100], [], "features: expected 1 of them, seen 0"),
    ],
)
def test_the_first_difference_is_named(wanted: object, seen: object, words: str) -> None:
    case = Case("x/y", "x", {}, {"features": wanted})

    assert judge(case, {"features": seen}).reason == words


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "{}", '{"protocol": 2, "id": "x"}', '{"protocol": 1, "id": "x"}', "[" * 99999],
    ids=["empty", "half", "list", "bare", "future", "nothing asked", "deep"],
)
def test_our_implementation_answers_whatever_it_is_sent(line: str) -> None:
    (reply,) = map(json.loads, serve([line]))

    assert set(reply) == {"id", "fault"}


@pytest.mark.parametrize(
    "request_",
    [
        {"ask": "properties", "machine": None, "environment": {"X": 1}},
        {"ask": "choice", "machine": None, "environment": {}, "metadata": {"variants": {}}},
        {"ask": "detection", "observed": {"platform": 3}},
    ],
    ids=lambda it: str(it["ask"]),
)
def test_a_malformed_request_is_a_fault(request_: dict[str, object]) -> None:
    reply = reply_to(json.dumps({"protocol": 1, "id": "x", **request_}))

    assert set(reply) == {"id", "fault"}


def test_a_question_of_the_future_is_skipped() -> None:
    reply = reply_to('{"protocol": 1, "id": "x", "ask": "weather"}')

    assert set(reply) == {"id", "skip"}


def test_the_report_follows_its_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads((ROOT / "schemas/conformance-report.schema.json").read_text("utf-8"))
    wrong = implementation(
        tmp_path, "if 'label' in reply: reply['label'] = 'x'", "if 'facts' in reply: sys.exit(0)"
    )
    args = ["--timeout", "60", "--group", "choices", "--group", "detection", "--json"]

    code = main(["conformance", "--command", shlex.join(wrong), *args])

    report = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema).validate(report)
    assert (code, report["conforms"]) == (1, False)
    assert [it["group"] for it in report["groups"]] == ["choices", "detection"]
    assert report["groups"][0]["passed"] > 0
    assert report["groups"][1] == {
        "group": "detection",
        "passed": 0,
        "failed": len(load([PACKAGED / "detection.json"])),
        "skipped": 0,
    }
    assert len(report["failures"]) == sum(it["failed"] for it in report["groups"])


def test_a_person_reads_groups_then_failures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = implementation(tmp_path, "if 'error' in reply: reply['error'] = None")

    code = main(["conformance", "--command", shlex.join(wrong), "--group", "errors"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[0] == f"errors          {ERRORS} failed"
    assert lines[1].startswith("failed errors/cuda-a-driver-release: error: expected {")
    assert lines[-2:] == [
        f"... and {ERRORS - 20} more: --json has them all",
        "does not conform",
    ]


def test_groups_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", "--list", "--group", "errors"]) == 0
    assert capsys.readouterr().out == f"errors          {ERRORS:>4} cases\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--command", "''"],
        ["--command", ""],
        ["--command", "'unbalanced"],
        ["--command", "/no-such-provider", "--group", "errors"],
        ["--list", "--group", "weather"],
        ["--list", "no-such-file.json"],
    ],
    ids=["empty program", "empty", "quote", "absent", "group", "file"],
)
def test_misuse_has_a_word_and_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conformance", *arguments]) == 2
    assert capsys.readouterr().err.startswith("nvidia-variant-provider conformance: error: ")


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan", "601"])
def test_a_deadline_is_a_sensible_number(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["conformance", "--list", "--timeout", seconds])

    assert ended.value.code == 2
    assert "expected seconds" in capsys.readouterr().err


def features_of(case: Case) -> list[dict[str, Any]]:
    expected: Any = case.expected
    return list(expected.get("features", ()))
