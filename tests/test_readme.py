"""What README.md shows is what the commands print, and what it names is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli.main import COMMANDS
from tests.docs_console import ROOT, agrees, blocks_of, run_steps

if TYPE_CHECKING:
    from pathlib import Path

README: Final = ROOT / "README.md"


def test_the_commands_print_what_is_shown(tmp_path: Path) -> None:
    blocks = [block for block in blocks_of("README.md") if not block.needs]
    steps = [step for block in blocks if block.text.startswith("$ ") for step in block.steps]
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    printed = run_steps(steps, tmp_path)

    assert steps
    assert [
        (step.command, lines)
        for step, lines in zip(steps, printed, strict=True)
        if step.shown and not agrees(step.shown, lines)
    ] == []


def test_every_command_it_names_is_one() -> None:
    named = set(re.findall(r"nvidia-variant-provider ([a-z][\w-]+)", README.read_text("utf-8")))

    assert {name.replace("-", "_") for name in named} <= set(COMMANDS)
    assert len(named) >= 4


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README.read_text("utf-8"))

    assert [link for link in links if not (ROOT / link).exists()] == []
