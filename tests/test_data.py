"""docs/data/nvidia-data.json: true to schema, tables and the second implementation."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nvidia_variant_provider.model import ComputeCapability
from nvidia_variant_provider.tables.pci import chip_of
from nvidia_variant_provider.targets.target import parse_target
from tests.tools.conformance import second

ROOT = Path(__file__).resolve().parents[1]
DATA: dict[str, Any] = json.loads((ROOT / "docs/data/nvidia-data.json").read_text("utf-8"))


def test_it_has_not_drifted_from_the_tables() -> None:
    script = str(ROOT / ".ci" / "regen_data.py")
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_it_follows_its_schema() -> None:
    schema = json.loads((ROOT / "schemas/nvidia-data.schema.json").read_text("utf-8"))

    jsonschema.Draft202012Validator(schema).validate(DATA)
    assert schema["$id"].endswith(f":{DATA['schema_version']}")


def test_every_part_has_one_licence() -> None:
    licensed = [part for row in DATA["licences"] for part in row["parts"]]

    assert sorted([*licensed, "licences", "provider_version", "schema_version"]) == sorted(DATA)


def test_the_page_explains_every_key() -> None:
    page = (ROOT / "docs" / "data.md").read_text("utf-8")
    keys = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE)))

    assert keys == list(DATA)


@pytest.mark.parametrize("row", DATA["capabilities"], ids=lambda it: str(it["compute_capability"]))
def test_the_code_for_a_device_is_what_the_second_implementation_says(row: dict[str, Any]) -> None:
    device = second.version(row["compute_capability"])

    assert row["sm_arch"] == second.code_for(device, (13, 1))
    mixing = row["sm_arch_from_tegra_mixing"] or row["sm_arch"]
    assert mixing == second.code_for(device, (13, 2))


def test_a_device_id_leads_to_its_chip_and_no_other() -> None:
    seen: dict[str, str] = {}
    for chip in DATA["chips"]:
        for device_id in chip["pci_ids"]:
            found = chip_of(int(device_id, 16))

            assert found is not None
            assert (found.name, str(found.capability)) == (chip["name"], chip["compute_capability"])
            assert seen.setdefault(device_id, chip["name"]) == chip["name"]


def test_rows_agree_with_each_other() -> None:
    known = {row["compute_capability"] for row in DATA["capabilities"]}
    chips = {chip["name"]: chip["compute_capability"] for chip in DATA["chips"]}

    assert {row["chip"] for row in DATA["pci_blocks"]} <= set(chips)
    assert {row["compute_capability"] for row in DATA["targets"]} <= known
    for row in DATA["targets"]:
        assert chips.get(row["chip"], row["compute_capability"]) == row["compute_capability"]
        (device,) = parse_target(row["name"]).devices
        assert device.capability == ComputeCapability.parse(row["compute_capability"])


def test_the_sm_targets_are_the_stems_of_the_catalogue() -> None:
    (sm_arch,) = (it for it in DATA["catalogue"] if it["name"] == "sm_arch")
    stems = {row["target"] for row in DATA["sm_targets"]}

    assert {value.partition("_")[0] for value in sm_arch["values"]} == stems
    assert {row["device"] for row in DATA["sm_targets"] if row["target"] == "101a"} == {"11.0"}
