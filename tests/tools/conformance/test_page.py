"""docs/conformance.md: its session is what happens, its words are those of the cases."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from nvidia_variant_provider.tools.conformance.cases import PACKAGED
from nvidia_variant_provider.tools.conformance.json_model import CaseModel, Evidence

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "conformance.md").read_text("utf-8")


def session() -> list[tuple[str, str]]:
    (block,) = re.findall(r"^```session\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = block.splitlines()
    assert [line[:2] for line in lines] == ["> ", "< "] * (len(lines) // 2)
    return [(sent[2:], back[2:]) for sent, back in zip(lines[::2], lines[1::2], strict=True)]


def test_the_session_on_the_page_is_what_happens() -> None:
    sent = "".join(f"{line}\n" for line, _ in session())
    serve = [sys.executable, "-m", "nvidia_variant_provider", "conformance", "--serve"]

    done = subprocess.run(serve, input=sent, capture_output=True, text=True, check=True)

    assert (done.stdout.splitlines(), done.stderr) == ([back for _, back in session()], "")


def test_the_session_shows_every_question_and_every_kind_of_answer() -> None:
    asked = {json.loads(sent)["ask"] for sent, _ in session()}
    answered = {key for _, back in session() for key in json.loads(back)}

    assert asked == {"properties", "choice", "detection", "weather"}
    assert answered == {"id", "features", "error", "label", "facts", "skip"}


@pytest.mark.parametrize("pair", session()[:-1], ids=lambda it: str(json.loads(it[0])["id"]))
def test_the_session_follows_the_schema_of_the_cases(pair: tuple[str, str]) -> None:
    request, reply = (json.loads(text) for text in pair)
    reply.get("error", {}).pop("message", None)
    case: dict[str, Any] = {
        "id": f"page/{request.pop('id')}",
        "title": "",
        "evidence": "hand",
        "request": {key: request[key] for key in request if key != "protocol"},
        "expected": {key: reply[key] for key in reply if key != "id"},
    }

    jsonschema.Draft202012Validator(CaseModel.model_json_schema()).validate(case)


def test_the_page_explains_every_word_for_evidence_and_names_its_groups() -> None:
    used: dict[str, set[str]] = {}
    for path in PACKAGED.glob("*.json"):
        for case in json.loads(path.read_text("utf-8"))["cases"]:
            used.setdefault(case["evidence"], set()).add(path.stem)
    rows = dict(re.findall(r"^\| `(\w+)` \| ([a-z0-9, -]+) \| [^|]+ \|$", PAGE, re.MULTILINE))

    assert set(used) == set(get_args(Evidence))
    assert {word: set(groups.split(", ")) for word, groups in rows.items() if word in used} == used
