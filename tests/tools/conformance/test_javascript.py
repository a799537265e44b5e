"""docs/which/core.js, the rules in JavaScript, passes the conformance cases."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.names import all_names
from nvidia_variant_provider.targets.target import parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parents[3]
NAMES: Final = ROOT / "tests" / "data" / "names"
DRIVER_NAMES: Final = NAMES / "driver-names.tsv"
SITES: Final = NAMES / "site-spellings.tsv"
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


# Asks for the machine of each line, and answers with a line: what targets.js makes of the name.
ASK: Final = """
import { readFileSync } from "node:fs";
import { Targets } from "ROOT/docs/which/targets.js";
const targets = new Targets(JSON.parse(readFileSync("ROOT/docs/data/nvidia-data.json")));
for (const name of JSON.parse(readFileSync(0))) {
  try {
    const { devices } = targets.read(name);
    const { cuda_driver_version: cuda } = targets.machine(name);
    console.log(JSON.stringify([devices[0].capability, cuda, devices[0].name]));
  } catch (error) {
    console.log(JSON.stringify(String(error)));
  }
}
"""


def in_javascript(names: Sequence[str]) -> dict[str, Any]:
    """Return what targets.js makes of each name: capability, CUDA and name, or an error's text."""
    done = subprocess.run(
        ["node", "--input-type=module", "-e", ASK.replace("ROOT", str(ROOT))],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))


def in_python(name: str) -> list[str] | None:
    """Return capability, CUDA and name of a product's default machine; none if ambiguous."""
    try:
        target = parse_target(name)
    except InvalidValueError:
        return None
    (device,) = target.devices
    return [str(device.capability), str(target.machine().cuda), device.name]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_products_are_read_as_the_package_reads_them() -> None:
    titles = sorted({gpu.title for gpu in all_names()})
    spellings = [
        spelling
        for title in titles
        for spelling in (title, f"NVIDIA {title}", title.lower().replace(" ", "-"))
    ]
    expected = {name: answer for name in spellings if (answer := in_python(name)) is not None}
    answers = in_javascript(list(expected))

    assert {
        name: (answers[name], answer)
        for name, answer in expected.items()
        if answers[name] != answer
    } == {}


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_spellings_of_sites_are_right_or_an_error_and_never_wrong() -> None:
    lines = [*DRIVER_NAMES.read_text().splitlines(), *SITES.read_text().splitlines()]
    names = [line.partition("\t")[0] for line in lines]
    answers = {
        name: answer for name, answer in in_javascript(names).items() if isinstance(answer, list)
    }

    assert {name: answer for name, answer in answers.items() if in_python(name) != answer} == {}
    # The names of virtual GPUs are most of the others.
    assert len(answers) >= 590
