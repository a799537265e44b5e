"""Names of GPUs as people and programs write them: the reach of the one normaliser.

``driver-names.tsv`` holds the names of the drivers 515 to 595 (NVIDIA/open-gpu-kernel-modules),
which also gave the table its keys; ``site-spellings.tsv`` holds spellings of public job scripts,
clouds and labels, with ``-`` where a name can mean several generations.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.tables.driver_branches import BRANCHES
from nvidia_variant_provider.tables.instance_types import Instance, instance_of
from nvidia_variant_provider.tables.names import (
    MAX_NAME,
    gpus_named,
    is_mig_profile,
    name_key,
    narrowed,
    near_names,
    nvml_name,
    plain_name,
)
from nvidia_variant_provider.tables.pci import all_chips
from nvidia_variant_provider.tables.product_names import GRID_ONLY, NAMES, OLDER_CHIPS, VIRTUAL
from nvidia_variant_provider.tables.products import CHIPS_OFF_PCI

DATA = Path(__file__).parent / "data" / "names"

# The driver gives these two names to virtual GPUs for games, on chips that are not the product's.
GAMING = {"NVIDIA GeForce RTX 3050", "NVIDIA GeForce RTX 3060", "GeForce RTX 3050"} | {
    "GeForce RTX 3060", "NVIDIA GeForce GTX 1060",
}  # fmt: skip


def rows(name: str) -> list[tuple[str, str]]:
    lines = (DATA / name).read_text().splitlines()
    return [(first, second) for first, _, second in (line.partition("\t") for line in lines)]


def capabilities(name: str) -> list[str]:
    return sorted(str(gpu.capability) for gpu in gpus_named(name))


def test_spellings_of_sites_are_right_or_said_to_be_ambiguous_and_never_wrong() -> None:
    answers = {
        name: (capabilities(name), expected) for name, expected in rows("site-spellings.tsv")
    }
    unique = {name: known for name, (known, _) in answers.items() if len(known) == 1}
    wrong = [name for name, known in unique.items() if known != [answers[name][1]]]

    assert wrong == []
    assert len(unique) == 221
    assert {name for name, (known, _) in answers.items() if not known} == {
        "nvgpu", "NVIDIA-DRIVE-PG199-PROD",
    }  # fmt: skip
    assert [name for name, (known, _) in answers.items() if len(known) > 1] == [
        "titan_x", "titanx", "rtx6000", "rtx_6000", "rtx5000", "rtx4000",
        "ampere", "pascal", "blackwell", "kepler",
    ]  # fmt: skip


def test_names_of_the_drivers_have_the_capability_of_their_chip() -> None:
    named = [(name, expected.split()) for name, expected in rows("driver-names.tsv")]
    odd = {name: capabilities(name) for name, known in named if capabilities(name) != sorted(known)}

    assert {name: known for name, known in odd.items() if name not in GAMING} == {
        # Kepler had these, too; the drivers that the list is from no longer know Kepler.
        "NVIDIA GeForce GTX 750 Ti": ["3.0", "5.0"],
        "NVIDIA GeForce GTX 860M": ["3.0", "5.0"],
        "NVIDIA GeForce GT 1030": ["3.0", "6.1"],
        "NVIDIA GeForce GPU": [],
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("a2-highgpu-1g", ["8.0"], id="a cloud's type, no A2"),
        pytest.param("GK106 [GeForce GTX 750 Ti]", ["3.0"], id="the chip decides"),
        pytest.param("GRID RTX6000-8Q", ["7.5"], id="GRID is Turing"),
        pytest.param("NVIDIA RTX6000-8Q", ["8.9"], id="NVIDIA is Ada"),
        pytest.param("RTX6000-8Q", ["12.0", "7.5", "8.9"], id="neither: ambiguous"),
        pytest.param("H100L-2-24C", ["9.0"], id="slices of a MIG device"),
        pytest.param("NVIDIAA100_SXM4_40GB", ["8.0"], id="LSF glues"),
        pytest.param("TeslaV100_SXM2_", ["7.0"], id="LSF cuts"),
        pytest.param("Orin (nvgpu)", ["8.7"], id="Tegra"),
        pytest.param("a1000000", [], id="a10 does not take what it is not"),
        pytest.param("p4000", ["6.1"], id="Quadro, not P4"),
        pytest.param("mi250", [], id="AMD"),
        pytest.param("1g.10gb", [], id="a bare MIG profile"),
        pytest.param("h100" * 100, [], id="endless"),
        pytest.param("h\N{FULLWIDTH DIGIT ONE}00", [], id="not ASCII"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_what_a_name_can_mean(name: str, expected: list[str]) -> None:
    assert capabilities(name) == expected


def test_a_driver_narrows_an_ambiguous_name() -> None:
    found = gpus_named("rtx6000")

    assert [str(gpu.capability) for gpu in narrowed(found, 450)] == ["7.5"]
    assert [str(gpu.capability) for gpu in narrowed(found, 535)] == ["7.5", "8.9"]
    assert narrowed(found, 390) == found
    assert narrowed(found, 580) == found
    assert [str(gpu.capability) for gpu in narrowed(gpus_named("gtx-750-ti"), 535)] == ["5.0"]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", "NVIDIA A100-SXM4-80GB"),
        ("NVIDIA-H100-80GB-HBM3", "NVIDIA H100 80GB HBM3"),
        ("Tesla-T4-SHARED", "Tesla T4"),
        ("GRID-A100-10C", "GRID A100-10C"),
        ("A100-SXM4-40GB", "A100-SXM4-40GB"),
        ("NVIDIA-Frobnicator-9-X", "NVIDIA-Frobnicator-9-X"),
    ],
)
def test_label_of_feature_discovery_gives_back_the_name(label: str, name: str) -> None:
    assert nvml_name(label) == name


def test_marks_of_sharing_are_no_part_of_a_name() -> None:
    assert plain_name("nvidia_a100_1g.5gb") == "nvidia_a100"
    assert plain_name("NVIDIA-A30-MIG-INVALID") == "NVIDIA-A30"
    assert plain_name("h100_1c.3g.40gb") == "h100"
    assert is_mig_profile("1g.10gb+me")
    assert not is_mig_profile("a100_1g.10gb")


def test_near_names_are_of_the_same_series() -> None:
    assert {gpu.title for gpu in near_names("rtx-a5001")} >= {"RTX A5000", "RTX A5500"}
    assert near_names("12345") == ()
    assert near_names("frobnicator") == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("g5.12xlarge", Instance("A10G", 4)),
        ("g5g.xlarge", Instance("T4g", 1, "aarch64")),
        ("g4ad.xlarge", Instance("", 0)),
        ("p5.4xlarge", Instance("H100", 1)),
        ("a2-highgpu-4g", Instance("A100", 4)),
        ("g2-standard-96", Instance("L4", 8)),
        ("Standard_NC24ads_A100_v4", Instance("A100 80GB PCIe", 1)),
        ("Standard_ND96isr_H100_v5", Instance("H100", 8)),
        ("BM.GPU.H100.8", Instance("H100", 8)),
        ("m5.large", None),
        ("h100", None),
    ],
)
def test_instance_types(name: str, expected: Instance | None) -> None:
    assert instance_of(name) == expected


def test_every_chip_of_the_names_is_known_and_every_branch_exists() -> None:
    known = {chip.name for chip in all_chips()} | OLDER_CHIPS.keys() | CHIPS_OFF_PCI.keys()
    names = [name for row in NAMES.values() for name in row.split("; ")]
    branches = {int(name.partition("@")[2]) for name in names if "@" in name}

    assert {*NAMES, *VIRTUAL, *GRID_ONLY} <= known
    assert branches <= {branch for branch, _ in BRANCHES}
    assert all(name_key(name.partition("@")[0]) for name in names)


@given(st.text(max_size=MAX_NAME + 5))
def test_any_text_is_looked_up_without_an_error(text: str) -> None:
    assert isinstance(gpus_named(text), tuple)
    assert isinstance(nvml_name(text), str)
    assert isinstance(near_names(text), tuple)


def test_names_are_not_loaded_by_a_target_that_the_products_know() -> None:
    asked = (
        "import sys; from nvidia_variant_provider.targets.target import parse_target; "
        "parse_target('h100@580'); print('nvidia_variant_provider.tables.names' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
