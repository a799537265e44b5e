"""docs/which/core.js, the rules in JavaScript, passes the conformance cases."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
# A browser sees no machine.
SKIPPED: Final = {"detection"}


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_the_rules_of_the_page_pass_every_case() -> None:
    command = ["node", str(ROOT / "docs" / "which" / "conformance.js")]
    done = subprocess.run(
        [sys.executable, "-m", "nvidia_variant_provider", "conformance", "--json",
         "--command", " ".join(command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)

    assert report["failures"] == []
    assert {tally["group"] for tally in report["groups"] if tally["skipped"]} == SKIPPED
