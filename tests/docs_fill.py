"""Writes into pages what their commands print now: ``python -m tests.docs_fill how-to/docker.md``.

Only what a page shows already is replaced; to have the output of a new command, write ``?`` below
it. Lines with ``...`` are left to whoever wrote them. Read the difference before you commit it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.docs_console import ROOT, Step, agrees
from tests.docs_pages import WORLDS, run_page


def fill(page: str) -> list[str]:
    """Rewrite a page under docs/ and return the commands whose output has changed."""
    path = ROOT / "docs" / page
    text, changed = path.read_text("utf-8"), []
    with tempfile.TemporaryDirectory() as folder:
        for step, printed in run_page(page, Path(folder)):
            if step.shown and "..." not in step.shown and not agrees(step.shown, printed):
                text = _replaced(text, step, tuple(line.rstrip() for line in printed))
                changed.append(step.command)
    path.write_text(text, "utf-8")
    return changed


def _replaced(text: str, step: Step, printed: tuple[str, ...]) -> str:
    command = "$ " + step.command.replace("\n", "\n> ")
    for indent in ("", "    "):
        old, new = (_indented((command, *lines), indent) for lines in (step.shown, printed))
        if f"\n{old}" in text:
            return text.replace(f"\n{old}", f"\n{new}", 1)
    raise SystemExit(f"not found as the page has it: {step.command}")


def _indented(lines: tuple[str, ...], indent: str) -> str:
    whole = "\n".join(lines).splitlines()
    return "".join(f"{indent}{line}\n" if line else "\n" for line in whole)


if __name__ == "__main__":
    for name in sys.argv[1:] or WORLDS:
        for line in fill(name):
            print(f"{name}: {line}")  # noqa: T201 - a program for authors
