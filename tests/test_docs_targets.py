"""Every command of targets.md does what the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import installed_label
from tests.docs_console import agrees, run_steps, steps_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.clients
def test_the_commands_of_targets_md(tmp_path: Path) -> None:
    steps = steps_of("targets.md")
    printed = run_steps(steps, tmp_path)
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")

    differing = [
        (step.command, step.shown, lines)
        for step, lines in zip(steps, printed, strict=True)
        if step.shown and not agrees(step.shown, lines)
    ]
    assert differing == []
    assert installed_label(site, "torch", "2.14.1") == "cuda13.2"
    assert (tmp_path / "github.env").read_text().splitlines()[1].endswith("SM_ARCH=8.9")
