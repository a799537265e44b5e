"""examples/publish from end to end: published wheels, an index, and four machines that install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "publish" / "publish.py"


@pytest.mark.clients
@pytest.mark.wheels
def test_the_story_ends_as_its_readme_says() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False, timeout=600
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "published, and every machine got what it should" in done.stdout
    assert done.stdout.count("\n== ") == 7
