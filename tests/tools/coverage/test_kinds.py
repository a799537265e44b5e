from __future__ import annotations

import pytest
from hypothesis import given

from nvidia_variant_provider.rules import decide
from nvidia_variant_provider.targets.devices import Device, products
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.coverage import EMPTY, Defaults, Facts, Record, tally
from nvidia_variant_provider.tools.coverage.catalogue import catalogue
from nvidia_variant_provider.tools.coverage.devices import find, title
from nvidia_variant_provider.tools.coverage.kinds import kind_of
from tests.tools.coverage.samples import some_records


@pytest.mark.parametrize(
    ("name", "device", "shown"),
    [
        pytest.param("NVIDIA-H100-80GB-HBM3", "h100", "H100", id="feature discovery"),
        pytest.param("NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", "a100", "A100", id="MIG"),
        pytest.param("Tesla-T4-SHARED", "t4", "Tesla T4", id="time slicing"),
        pytest.param("nvidia_h100_80gb_hbm3", "h100", "H100", id="Slurm's NVML names"),
        pytest.param("NVIDIA GeForce RTX 2080 Ti", "rtx-2080-ti", "GeForce RTX 2080 Ti", id="Ti"),
        pytest.param("NVIDIA A10G", "a10g", "A10G", id="not A10"),
        pytest.param("sm_90", "sm_90", "sm_90", id="capability"),
    ],
)
def test_device_of_a_name(name: str, device: str, shown: str) -> None:
    found = find(name)

    assert found is not None
    assert (found.name, title(name)) == (device, shown)


def test_name_of_another_product_is_kept() -> None:
    assert title("NVIDIA GeForce RTX 3080 Ti") == "GeForce RTX 3080 Ti"
    assert title("NVIDIA GeForce RTX 4060 Laptop GPU") == "GeForce RTX 4060 Laptop GPU"


def test_unknown_name_is_kept_and_its_capability_unknown() -> None:
    known = kind_of(Facts(devices=("NVIDIA Frobnicator 9",), driver="580"), Defaults())

    assert (known.device, known.capabilities) == ("Frobnicator 9", (None,))


@pytest.mark.parametrize("device", list(products()), ids=lambda device: device.name)
def test_every_product_is_found_by_its_own_name(device: Device) -> None:
    found = find(device.name)

    assert found is not None
    assert (found.name, found.capability) == (device.name, device.capability)


def test_stated_facts_win_over_defaults_and_the_catalogue() -> None:
    facts = Facts(devices=("h100",), driver="550", architecture="arm64")

    known = kind_of(facts, Defaults("x86_64", "580"))

    assert (known.architecture, known.driver, known.assumed) == ("aarch64", 550, ("capability",))


def test_defaults_fill_what_is_not_stated_and_are_remembered() -> None:
    known = kind_of(Facts(devices=("h100",)), Defaults("aarch64", "580"))

    assert (known.architecture, known.driver, str(known.cuda)) == ("aarch64", 580, "13.0")
    assert known.assumed == ("architecture", "capability", "driver")


def test_machines_of_the_catalogue_are_those_of_targets() -> None:
    """A kind keeps what the rules look at: both descriptions get the same answer."""
    for record in catalogue(branches=(525, 580, 620)):
        ours = kind_of(record.facts, Defaults())
        theirs = parse_target(record.name).machine()

        assert decide(ours.machine).features == decide(theirs).features, record.name


@given(some_records, some_records, some_records)
def test_counting_is_associative_and_commutative(
    first: list[Record], second: list[Record], third: list[Record]
) -> None:
    one, two, three = tally(first), tally(second), tally(third)

    whole = tally([*first, *second, *third])

    assert (one | two) | three == one | (two | three) == whole
    assert three | one | two == whole
    assert one | EMPTY == one
    assert whole.machines == sum(record.machines for record in (*first, *second, *third))
