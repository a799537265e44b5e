"""Our own terms are explained on each page that uses them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
# Pages for maintainers, and pages whose one mention links to its meaning.
OTHERS: Final = {
    "checking.md", "codes.md", "how-to/conda.md", "how-to/index.md", "index.md", "mutation.md",
    "releasing.md", "survey.md", "which.md",
}  # fmt: skip
TERMS: Final = ("variants?", "null variants?", "kernel containers?", "rule sets?", "shadows?")
PAGES: Final = sorted(
    name
    for name in (path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    if name not in OTHERS and not name.startswith("schemas/")
)


def prose(name: str) -> str:
    """Return a page without code, headings and addresses."""
    text = re.sub(r"```.*?```", "", (DOCS / name).read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`]*`|\]\([^)]*\)", "]", text)


def unexplained(text: str) -> list[str]:
    """Return the terms that a text uses more than once and nowhere explains (in italics)."""
    found = []
    for term in TERMS:
        uses = re.findall(rf"(?<![\w-]){term}(?![\w-])", text)
        if len(uses) > 1 and not re.search(rf"\*{term}\*", text, re.IGNORECASE):
            found.append(term)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_our_terms_are_explained_where_they_are_used(name: str) -> None:
    assert unexplained(prose(name)) == []


def test_a_term_without_its_meaning_is_seen() -> None:
    assert unexplained("A shadow hides a shadow.") == ["shadows?"]
    assert unexplained("A *shadow* hides a shadow.") == []
