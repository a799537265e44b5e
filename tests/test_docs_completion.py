"""The page on the command line shows what the commands do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs_console import run_steps, steps_of

if TYPE_CHECKING:
    from pathlib import Path


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    steps = steps_of("completion.md")
    printed = run_steps(steps, tmp_path)

    assert [step.shown for step in steps] == printed
    script = tmp_path / ".local/share/bash-completion/completions/nvidia-variant-provider"
    assert "complete -o bashdefault -F" in script.read_text("utf-8")
