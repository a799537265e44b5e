"""Our own terms are explained on each page that uses them, where they first appear."""

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
# Our terms, and the pages where such a word is another's: a compiler's target, SELinux's label.
TERMS: Final = {
    "variants?": (),
    "null variants?": (),
    "kernel containers?": (),
    "rule sets?": (),
    "shadows?": (),
    "holes?": (),
    "labels?": ("conformance.md", "status.md"),
    "targets?": (
        "completion.md", "data.md", "fatbin.md", "inspect.md", "machines.md", "properties.md",
        "security.md", "tables.md", "tag.md", "verify.md",
    ),
    "views?": ("cli.md", "cost.md"),
}  # fmt: skip
# So many characters after a term its meaning may stand: in the same paragraph or the next one.
NEAR: Final = 700
PAGES: Final = sorted(
    name
    for name in (path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    if name not in OTHERS and not name.startswith("schemas/")
)


def prose(name: str) -> str:
    """Return a page without code, headings and addresses."""
    text = re.sub(r"```.*?```", "", (DOCS / name).read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    return re.sub(r"`[^`]*`|\]\([^)]*\)", "]", text)


def unexplained(text: str, name: str = "") -> list[str]:
    """Return the terms that a text uses more than once and does not explain (in italics) nearby."""
    missing = []
    for term in (term for term, others in TERMS.items() if name not in others):
        uses = list(re.finditer(rf"(?<![\w-]){term}(?![\w-])", text))
        meaning = re.search(rf"\*{term}\*", text, re.IGNORECASE)
        if len(uses) > 1 and (meaning is None or meaning.start() > uses[0].start() + NEAR):
            missing.append(term)
    return missing


@pytest.mark.parametrize("name", PAGES)
def test_our_terms_are_explained_where_they_first_appear(name: str) -> None:
    assert unexplained(prose(name), name) == []


def test_a_term_without_its_meaning_is_seen() -> None:
    assert unexplained("A shadow hides a shadow.") == ["shadows?"]
    assert unexplained("A *shadow* hides a shadow.") == []
    assert unexplained("A shadow." + " More." * 200 + "A *shadow* is dark.") == ["shadows?"]


def test_a_page_that_is_left_out_uses_the_word() -> None:
    assert {
        (term, name)
        for term, names in TERMS.items()
        for name in names
        if not re.search(rf"\b{term}\b", prose(name))
    } == set()


# The linter of the gate looks at paragraphs alone; a cell has the same limit.
MOST_WORDS: Final = 25
WRITTEN: Final = sorted(
    path
    for path in (
        DOCS.parent / "README.md",
        *DOCS.rglob("*.md"),
        *DOCS.parent.glob("examples/**/*.md"),
    )
    # Made from code, a table of machines, and pages of schemas.
    if path.name not in {"codes.md", "machines.md", "cli.md"} and path.parent.name != "schemas"
)


def long_sentences(text: str) -> list[str]:
    """Return the sentences in tables that have too many words; code and a link are one each."""
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    plain = re.sub(r"`[^`]*`|\]\([^)]*\)", "]", plain)
    cells = [
        cell for line in plain.splitlines() if line.startswith("|") for cell in line.split("|")
    ]
    sentences = [part for cell in cells for part in re.split(r"(?<=[.;:!?])\s", cell)]
    return [sentence for sentence in sentences if len(sentence.split()) > MOST_WORDS]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(DOCS.parent).as_posix())
def test_a_sentence_in_a_table_is_short(path: Path) -> None:
    assert long_sentences(path.read_text("utf-8")) == []


def test_a_long_sentence_in_a_table_is_seen() -> None:
    assert long_sentences(f"| a | {'word ' * 26}|") == [f" {'word ' * 26}"]
    assert long_sentences(f"| a | {'word ' * 20}. {'word ' * 20}|") == []
