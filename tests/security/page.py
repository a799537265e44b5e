"""Reads docs/security.md: what it lists, and which test holds which promise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TEXT: Final = (ROOT / "docs" / "security.md").read_text("utf-8")


def paths_that_are_read() -> list[str]:
    """Return the patterns of the table "What is read"."""
    table = TEXT.partition("## What is read")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [path for row in rows for path in re.findall(r"`([^`]+)`", row)]


def promises() -> list[tuple[str, list[str]]]:
    """Return each promise with the tests that hold it, as ``tests/x/test_y.py::test_z``."""
    table = TEXT.partition("## Every promise, and its test")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [(row[0], re.findall(r"`([^`]+)`", row[-1])) for row in rows[2:]]
