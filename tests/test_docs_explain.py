"""Every command of explain.md does what the page says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.docs_console import run_steps, steps_of

if TYPE_CHECKING:
    from pathlib import Path


def trimmed(lines: tuple[str, ...]) -> list[str]:
    """Return the lines without the blanks that pad a table to its width."""
    return [line.rstrip() for line in lines]


@pytest.mark.clients
def test_the_commands_of_explain_md(tmp_path: Path) -> None:
    steps = steps_of("explain.md")
    printed = run_steps(steps, tmp_path)

    assert [(it.command, trimmed(it.shown)) for it in steps if it.shown] == [
        (it.command, trimmed(lines)) for it, lines in zip(steps, printed, strict=True) if it.shown
    ]
    assert json.loads((tmp_path / "explained.json").read_text())["version"] == "2.10.0"
    assert "gtx-1080-ti@580" in (tmp_path / "two.txt").read_text()
