"""Invariants of every row; the tables themselves are not repeated here."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from nvidia_variant_provider.model import ComputeCapability, CudaVersion
from nvidia_variant_provider.tables.cuda_indexes import TORCH_INDEX, folder_address
from nvidia_variant_provider.tables.driver_branches import (
    BRANCHES,
    SHORT_LIVED,
    cuda_of_branch,
    data_centre_branches,
    last_branch_for,
)
from nvidia_variant_provider.tables.pci import all_chips, chip_of
from nvidia_variant_provider.tables.pci_ids import BLOCKS, CHIPS
from nvidia_variant_provider.tables.sm_archs import RENAMED, TEGRA_CAPABILITIES

ROOT = Path(__file__).resolve().parent.parent


def test_branches_rise_and_never_lose_a_cuda_version() -> None:
    for (older, before), (newer, after) in pairwise(BRANCHES):
        assert older < newer
        assert before <= after


# Banners and calls seen in the field, Windows releases among them.
@pytest.mark.parametrize(
    ("branch", "cuda"),
    [
        (410, "10.0"), (435, "10.1"), (460, "11.2"), (470, "11.4"), (510, "11.6"), (515, "11.7"),
        (520, "11.8"), (525, "12.0"), (526, "12.0"), (530, "12.1"), (535, "12.2"), (537, "12.2"),
        (545, "12.3"), (550, "12.4"), (551, "12.4"), (560, "12.6"), (566, "12.7"), (570, "12.8"),
        (572, "12.8"), (575, "12.9"), (580, "13.0"), (590, "13.1"), (591, "13.1"), (595, "13.2"),
        (610, "13.3"), (616, "13.4"), (617, "13.4"), (999, "13.5"),
    ],
)  # fmt: skip
def test_branches_give_the_version_their_banner_shows(branch: int, cuda: str) -> None:
    assert cuda_of_branch(branch) == CudaVersion.parse(cuda)


def test_a_branch_before_the_table_gives_nothing() -> None:
    assert cuda_of_branch(BRANCHES[0][0] - 1) is None


def test_data_centres_run_branches_that_are_kept_up() -> None:
    branches = data_centre_branches()

    assert branches == tuple(sorted(branches))
    assert {470, 535, 580} <= set(branches)
    assert not set(branches) & set(SHORT_LIVED)


def test_a_folder_of_an_index_is_addressed_by_its_label() -> None:
    assert folder_address("cu126") == f"{TORCH_INDEX.rstrip('/')}/cu126"
    assert folder_address("cu126", "https://mirror.example/whl/") == (
        "https://mirror.example/whl/cu126"
    )


@pytest.mark.parametrize(
    ("capability", "last"),
    [("4.9", 470), ("5.0", 580), ("7.4", 580), ("7.5", None), ("12.1", None)],
)
def test_old_gpus_are_left_behind(capability: str, last: int | None) -> None:
    assert last_branch_for(ComputeCapability.parse(capability)) == last


def test_every_chip_has_a_capability_and_ids_of_four_digits() -> None:
    seen: set[str] = set()
    for chip in all_chips():
        ids = CHIPS[chip.name][2].split()
        assert ids
        assert all(len(it) == 4 and int(it, 16) for it in ids)
        assert not seen & set(ids)
        seen |= set(ids)
        assert ComputeCapability(5, 0) <= chip.capability <= ComputeCapability(12, 1)


def test_blocks_are_apart_and_agree_with_the_listed_ids() -> None:
    for (_, last, _), (first, _, _) in pairwise(BLOCKS):
        assert last < first
    for first, last, chip in BLOCKS:
        listed = {
            name
            for name, row in CHIPS.items()
            for it in row[2].split()
            if first <= int(it, 16) <= last
        }
        assert listed == {chip}


@pytest.mark.parametrize(
    ("device_id", "name", "capability"),
    [
        (0x2330, "GH100", "9.0"), (0x2335, "GH100", "9.0"), (0x2E12, "GB20B", "12.1"),
        (0x2B85, "GB202", "12.0"), (0x1EB8, "TU104", "7.5"), (0x1B06, "GP102", "6.1"),
        (0x23FE, "GH100", "9.0"),
    ],
)  # fmt: skip
def test_devices_are_recognised(device_id: int, name: str, capability: str) -> None:
    chip = chip_of(device_id)

    assert chip is not None
    assert (chip.name, str(chip.capability)) == (name, capability)


@pytest.mark.parametrize("device_id", [0x0000, 0x0FFF, 0x1AEF, 0xFFFF])
def test_an_unknown_device_is_no_chip(device_id: int) -> None:
    assert chip_of(device_id) is None


def test_tegra_islands_and_renamed_devices_are_apart() -> None:
    assert not TEGRA_CAPABILITIES & (RENAMED.keys() | set(RENAMED.values()))


def test_the_generated_table_has_not_drifted() -> None:
    command = [sys.executable, str(ROOT / ".ci" / "regen_tables.py"), "--check"]

    assert subprocess.run(command, check=False).returncode == 0
