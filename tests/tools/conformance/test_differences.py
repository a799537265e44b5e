"""docs/differences.md: not drifted, complete, and its rows are confirmed by the real uv."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from nvidia_variant_provider.tools.conformance.cases import PACKAGED

ROOT = Path(__file__).resolve().parents[3]
ENTRIES = json.loads((ROOT / "tests/data/conformance/differences.json").read_text("utf-8"))


def test_the_page_has_not_drifted() -> None:
    script = str(ROOT / ".ci" / "regen_differences.py")
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_every_case_in_which_the_rule_sets_differ_is_explained_once() -> None:
    cases = json.loads((PACKAGED / "choices.json").read_text("utf-8"))["cases"]
    labels = {case["id"]: case["expected"]["label"] for case in cases}
    differing = {
        name.removeprefix("choices/")[:-2]
        for name in labels
        if name.endswith("-0") and labels[name] != labels[f"{name[:-1]}1"]
    }

    explained = [name for entry in ENTRIES for name in entry["cases"]]

    assert sorted(explained) == sorted(differing)


def test_what_is_said_of_uv_is_what_the_real_one_installs() -> None:
    cases = json.loads((PACKAGED / "choices.json").read_text("utf-8"))["cases"]
    evidence = {case["id"]: case["evidence"] for case in cases}

    assert {evidence[f"choices/{name}-0"] for it in ENTRIES for name in it["cases"]} == {"uv"}


def test_every_difference_names_a_rule_that_is_there() -> None:
    text = (ROOT / "docs" / "properties.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}

    assert {entry["section"] for entry in ENTRIES} <= anchors
