"""Every status and every note that this package can print is explained, and nothing else is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import nvidia_variant_provider
from nvidia_variant_provider.detect.remedies import CAUSES
from nvidia_variant_provider.model import Machine, Platform, Status
from nvidia_variant_provider.tables.remedies import TABLE
from nvidia_variant_provider.tools.cli.advice import STATUSES, explaining, words_for

PAGE = Path(__file__).resolve().parents[1] / "docs" / "status.md"
PACKAGE = Path(nvidia_variant_provider.__file__).parent


def emitted() -> set[str]:
    """Return every code that some call in the package gives to a note."""
    codes = set(CAUSES)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in {"Note", "remedy"} and isinstance(first, ast.Constant):
                    codes.add(str(first.value))
    return codes


def _sections(level: str) -> dict[str, str]:
    parts = re.split(rf"^{level} (.+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("status", Status, ids=lambda status: status.value)
def test_every_status_says_what_it_means_how_to_see_it_and_how_to_mend_it(status: Status) -> None:
    words = words_for(Machine(Platform("linux", "x86_64"), status))
    section = _sections("##")[words.code]

    assert [
        it for it in ("Meaning", "How to see it", "How to fix it") if f"**{it}.**" in section
    ] == [
        "Meaning",
        "How to see it",
        "How to fix it",
    ]
    assert explaining(words.code) == f"nvidia-variant-provider code {words.code}"


def test_status_codes_are_distinct() -> None:
    assert len({words.code for words in STATUSES.values()}) == len(Status)


def test_every_note_has_a_section_and_every_section_a_note() -> None:
    assert set(_sections("###")) == emitted()


def test_the_table_of_exit_codes_is_that_of_the_program() -> None:
    rows = re.findall(r"^\| (\d) \| (.+?) \|", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    said = {name: int(code) for code, names in rows for name in re.findall(r"`([a-z-]+)`", names)}

    assert said == {status.value: words.exit_code for status, words in STATUSES.items()}


def test_every_remedy_is_short_and_without_a_full_stop_after_it() -> None:
    ends_so = [row.cause for row in TABLE if row.advice.endswith(".") and row.advice[-3:] != "..."]

    assert ends_so == []
    assert [row.cause for row in TABLE if len(row.advice) > 220] == []


def test_a_remedy_that_nobody_tried_stands_behind_one_that_somebody_did() -> None:
    untried = {row.cause for row in TABLE if row.grade == "u"}

    assert untried <= {row.cause for row in TABLE if row.grade != "u" and row.place == "any"}
    assert all(row.source for row in TABLE if row.grade != "u")
