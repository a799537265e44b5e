"""Rewrite ``docs/codes.md`` from the codes in the program; ``--check`` fails if it has drifted.

A code without a section on its page stops it; tests hold that no section is without its code.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import generated

from nvidia_variant_provider.tools.binaries.findings import RULES as INSPECT
from nvidia_variant_provider.tools.cli.advice import STATUSES
from nvidia_variant_provider.tools.coverage.findings import RULES as COVERAGE
from nvidia_variant_provider.tools.explain.findings import RULES as EXPLAIN
from nvidia_variant_provider.tools.findings.model import Uv
from nvidia_variant_provider.tools.lint.engine import RULES
from nvidia_variant_provider.tools.verify.engine import RULES as VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
TARGET: Final = DOCS / "codes.md"
HEAD: Final = """\
# Codes

A code keeps its meaning for ever and is never reused, so scripts may rely on it. Each code links to
the section with its meaning, its usual causes and the fix.

| codes | of | exit code |
| --- | --- | --- |
| [NVP-...](#statuses-of-detect) | `detect`: the status of a machine | 0, 3 or 4, in the table |
| [words such as `wsl-driver`](#notes-of-detect) | `detect`: a note on a machine | none |
| [NV1xx, NV2xx, NV4xx to NV6xx](#findings-of-lint) | `lint`: metadata | 1 unless notes |
| [NV3xx](#findings-of-verify) | `verify`: tags | 1 unless notes |
| [words such as `hole`](#problems-of-coverage) | `coverage` | 1 with `--fail-on` |
| [words such as `damaged`](#findings-of-inspect) | `inspect` | 0 |
"""
FOOT: Final = "\nThis page is generated from the program by `.ci/regen_codes.py`.\n"


def render() -> dict[Path, str]:
    """Return the page."""
    parts = (_statuses(), _notes(), _lint(), _verify(), _coverage(), _explain(), _inspect())
    return {TARGET: HEAD + "".join(line for part in parts for line in part) + FOOT}


def sections(page: str, level: str) -> dict[str, tuple[str, str]]:
    """Return the first word of every heading of a level: the whole heading and the text below."""
    text = (DOCS / page).read_text("utf-8")
    parts = re.split(rf"^{level} (.+)$", text, flags=re.MULTILINE)
    found = zip(parts[1::2], parts[2::2], strict=True)
    return {title.split()[0].rstrip(":"): (title, below.strip()) for title, below in found}


def anchor(title: str) -> str:
    """Return the part of an address that means a heading, on GitHub and on the site alike."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\- ]", "", title).strip().lower())


def _section_of(page: str, level: str, code: str) -> tuple[str, str]:
    found = sections(page, level)
    if code not in found:
        raise SystemExit(f"docs/{page}: {code} has no section: expected '{level} {code}'")
    return found[code]


def _row(page: str, level: str, code: str, *cells: str) -> str:
    title, _ = _section_of(page, level, code)
    shown = code if code.startswith("NV") else f"`{code}`"
    return f"| [{shown}]({page}#{anchor(title)}) | {' | '.join(cells)} |\n"


def _statuses() -> Iterator[str]:
    yield "\n## Statuses of `detect`\n\n| code | status | meaning | exit code |\n"
    yield "| --- | --- | --- | --- |\n"
    for status, words in STATUSES.items():
        cells = (f"`{status.value}`", words.meaning, str(words.exit_code))
        yield _row("status.md", "##", words.code, *cells)


def _notes() -> Iterator[str]:
    yield "\n## Notes of `detect`\n\n| code | meaning |\n| --- | --- |\n"
    for code, (_, text) in sections("status.md", "###").items():
        yield _row("status.md", "###", code, _first_sentence(text.partition("\n#")[0]))


def _first_sentence(text: str) -> str:
    words = " ".join(text.split())
    return re.split(r"(?<=[^.][.:]) (?=[A-Z`])", words)[0].rstrip(".:").replace("|", "\\|")


def _lint() -> Iterator[str]:
    yield "\n## Findings of `lint`\n\n| code | severity | uv | meaning |\n"
    yield "| --- | --- | --- | --- |\n"
    for rule in RULES:
        uv = "" if rule.uv is Uv.NONE else rule.uv.value
        yield _row("lint.md", "###", rule.code, rule.severity.value, uv, rule.title)


def _verify() -> Iterator[str]:
    yield "\n## Findings of `verify`\n\n| code | severity | meaning |\n| --- | --- | --- |\n"
    for rule in VERIFY:
        yield _row("verify.md", "###", rule.code, rule.severity.value, rule.title)


def _coverage() -> Iterator[str]:
    yield "\n## Problems of `coverage`\n\n| code | severity | meaning |\n| --- | --- | --- |\n"
    for rule in COVERAGE:
        yield _row("coverage.md", "###", rule.code, rule.severity.value, rule.title)


def _explain() -> Iterator[str]:
    yield "\n## Findings of `explain`\n\n| code | severity | meaning |\n| --- | --- | --- |\n"
    for rule in EXPLAIN:
        yield _row("explain.md", "###", rule.code, rule.severity.value, rule.title)


def _inspect() -> Iterator[str]:
    yield "\n## Findings of `inspect`\n\n| code | severity | meaning |\n| --- | --- | --- |\n"
    for rule in INSPECT:
        yield _row("inspect.md", "###", rule.code, rule.severity.value, rule.title)


if __name__ == "__main__":
    sys.exit(generated.run(__doc__, render))
