"""The packaged cases: what holds each group, and that two implementations answer them alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.rules import catalogue
from nvidia_variant_provider.rules.catalogue import SM_ARCH, UPPER_BOUND
from nvidia_variant_provider.tools.conformance.cases import PACKAGED, Case, load
from nvidia_variant_provider.tools.conformance.runner import Result, judge, request_line
from nvidia_variant_provider.tools.conformance.serve import reply_to
from tests.tools.conformance import second

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
ANCHORS = json.loads((ROOT / "tests/data/conformance/anchors.json").read_text("utf-8"))
FILES = sorted(PACKAGED.glob("*.json"))


@cache
def packaged() -> dict[str, Case]:
    return {case.id: case for case in load([PACKAGED])}


def failed(implementation: Callable[[str], dict[str, Any]]) -> list[tuple[str, str]]:
    outcomes = [judge(case, implementation(request_line(case))) for case in packaged().values()]
    return [(it.case.id, it.reason) for it in outcomes if it.result is Result.FAILED]


def test_this_implementation_answers_every_case() -> None:
    assert failed(reply_to) == []


def test_an_implementation_written_from_the_page_alone_answers_alike() -> None:
    def answer(line: str) -> dict[str, Any]:
        request = json.loads(line)
        return {"id": request["id"], **second.answer(request)}

    assert failed(answer) == []


def test_the_second_implementation_is_independent() -> None:
    source = Path(second.__file__).read_text("utf-8")

    assert "import nvidia_variant_provider" not in source
    assert "from nvidia_variant_provider" not in source


@pytest.mark.parametrize("anchor", ANCHORS, ids=lambda it: f"{it['case']}-{it.get('feature', '')}")
def test_what_was_written_by_hand_holds(anchor: dict[str, Any]) -> None:
    expected: Any = packaged()[anchor["case"]].expected
    features = {it["name"]: it["values"] for it in expected["features"]}
    if "features" in anchor:
        assert list(features) == anchor["features"]
        return

    values = features[anchor["feature"]]

    assert values[: len(anchor.get("first", ()))] == anchor.get("first", [])
    assert values[len(values) - len(anchor.get("last", ())) :] == anchor.get("last", [])
    assert set(anchor.get("has", ())) <= set(values)
    assert not set(anchor.get("lacks", ())) & set(values)
    assert len(values) == anchor.get("count", len(values))


def test_anchors_say_something() -> None:
    words = {"features", "first", "last", "has", "lacks", "count"}

    assert [it for it in ANCHORS if not words & it.keys()] == []
    assert [it for it in ANCHORS if it.keys() - words - {"case", "feature"}] == []


@pytest.mark.parametrize("path", FILES, ids=lambda it: it.stem)
def test_every_file_follows_the_schema(path: Path) -> None:
    schema = json.loads((ROOT / "schemas/conformance-cases.schema.json").read_text("utf-8"))

    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text("utf-8")))


def test_ids_begin_with_their_group_and_files_are_named_after_it() -> None:
    for path in FILES:
        document = json.loads(path.read_text("utf-8"))

        assert document["group"] == path.stem
        assert {row["id"].partition("/")[0] for row in document["cases"]} == {path.stem}


def test_the_cases_have_not_drifted_from_what_is_authored() -> None:
    script = str(ROOT / ".ci" / "regen_conformance.py")
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_values_of_rule_set_1_are_in_the_catalogue_and_all_bounds_are_used() -> None:
    known = {(it.name, value) for it in catalogue() for value in it.values}
    bounds = {pair for pair in known if pair[0] != SM_ARCH}
    # Of 11.0 and 11 as an upper bound, no driver from CUDA 11.0 on is below.
    bounds -= {(UPPER_BOUND, "11.0"), (UPPER_BOUND, "11")}
    used = set()
    for case in packaged().values():
        features: Any = case.expected.get("features", ())
        if case.group == "properties-1":
            used |= {(it["name"], value) for it in features for value in it["values"]}

    assert used <= known
    assert bounds <= used


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "expected JSON"),
        ("[]", "dictionary"),
        ("[" * 99999, "expected JSON"),
        (
            '{"schema_version": 1, "group": "x", "about": "", "cases": []}',
            "cases: List should have",
        ),
        ('{"schema_version": 2, "group": "x", "about": "", "cases": []}', "schema_version"),
    ],
    ids=["empty", "list", "deep", "no case", "future"],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(content, "utf-8")

    with pytest.raises(InvalidValueError, match=words) as raised:
        load([path])

    assert str(path) in str(raised.value)


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"no-such\.json: No such file"):
        load([tmp_path / "no-such.json"])
    with pytest.raises(InvalidValueError, match=r"no \*\.json in this folder"):
        load([tmp_path])


def test_a_case_may_occur_only_once() -> None:
    with pytest.raises(InvalidValueError, match="occurs twice"):
        load([FILES[0], FILES[0]])


def test_the_second_implementation_speaks_the_protocol() -> None:
    case = packaged()["choices/ptx-of-an-older-generation-1"]
    done = subprocess.run(
        [sys.executable, "-I", second.__file__],
        input=request_line(case) + "\n",
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )

    assert json.loads(done.stdout) == {"id": case.id, "label": "x"}
