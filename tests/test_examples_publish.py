"""examples/publish from end to end: published wheels, an index, and four machines that install."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.publish.publish import CUSTOMERS
from examples.torch.clients import clean_environment

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "publish" / "publish.py"


@pytest.mark.wheels
@pytest.mark.clients
def test_a_release_goes_from_published_wheels_to_every_machine() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if "No matching distribution" in done.stderr:
        pytest.skip(f"pip finds no such wheel here: {done.stderr[-300:]}")

    # The script compares what came of each step with its README, and fails where they differ.
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    steps = re.findall(r"^\$ nvidia-variant-provider (\w+)", done.stdout, re.MULTILINE)
    assert set(steps) == {"inspect", "tag", "verify", "index", "lint", "explain"}
    stated = "80_real, 90_real, 100_real, 110_real, 120_real, 120_virtual"
    assert f"\nnvidia :: sm_arch :: {stated}\n" in done.stdout
    # What our own prediction of uv says is what uv did.
    predicted = re.findall(r"^uv \(.*\): (\S+)$", done.stdout, re.MULTILINE)
    assert predicted == [customer.label or "nothing" for customer in CUSTOMERS]
