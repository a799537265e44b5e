"""Every stable code is on one page, and each link there leads to its section."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "script", ["regen_codes", "regen_installers", "regen_pictures", "regen_schemas_page"]
)
def test_what_is_generated_into_docs_has_not_drifted(script: str) -> None:
    command = [sys.executable, str(ROOT / ".ci" / f"{script}.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
