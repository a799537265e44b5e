"""The examples in the documentation do what it says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from nvidia_variant_provider import overrides, rules

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", [it for it in PAGES if ">>> " in it.read_text("utf-8")], ids=str)
def test_python_examples_give_what_the_page_shows(page: Path) -> None:
    # The fence that ends a block would count as expected output.
    text = re.sub(r"^```.*$", "", page.read_text("utf-8"), flags=re.MULTILINE)
    example = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)

    result = doctest.DocTestRunner().run(example)

    assert (result.failed, result.attempted > 0) == (0, True)


def test_every_override_is_documented() -> None:
    text = (ROOT / "docs" / "environment.md").read_text("utf-8")

    assert [row.name for row in overrides.VARIABLES if f"| `{row.name}` |" not in text] == []


def test_the_contract_names_every_feature() -> None:
    text = (ROOT / "docs" / "properties.md").read_text("utf-8")

    assert all(f"| `{feature.name}` |" in text for feature in rules.catalogue())


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("*.md")), *PAGES], ids=str)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))

    assert [it for it in targets if not (page.parent / it).exists()] == []


def test_every_rule_names_its_source_and_a_test_that_is_there() -> None:
    text = (ROOT / "docs" / "properties.md").read_text("utf-8")
    table = text.partition("## Where each rule comes from")[2]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]

    assert [row for row in rows if len(row) != 3 or not row[1]] == []
    named = [re.findall(r"`(tests/[\w/]+\.py)`", row[2]) for row in rows[2:]]
    assert all(named)
    assert [path for paths in named for path in paths if not (ROOT / path).is_file()] == []
