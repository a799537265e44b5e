from __future__ import annotations

import pytest
from hypothesis import given

from nvidia_variant_provider.rules import decide
from nvidia_variant_provider.targets.devices import Device, products
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.coverage import EMPTY, Defaults, Entry, tally
from nvidia_variant_provider.tools.coverage.catalogue import catalogue
from nvidia_variant_provider.tools.coverage.kinds import kind_of
from tests.tools.coverage.samples import kind, some_entries, stated


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("NVIDIA-H100-80GB-HBM3", "H100", id="feature discovery"),
        pytest.param("NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", "A100", id="MIG"),
        pytest.param("Tesla-T4-SHARED", "Tesla T4", id="time slicing"),
        pytest.param("nvidia_h100_80gb_hbm3", "H100", id="Slurm's NVML names"),
        pytest.param("NVIDIA GeForce RTX 2080 Ti", "GeForce RTX 2080 Ti", id="Ti"),
        pytest.param("NVIDIA A10G", "A10G", id="not A10"),
        pytest.param("NVIDIA GeForce RTX 3080 Ti", "GeForce RTX 3080 Ti", id="no product of ours"),
        pytest.param("GeForce RTX 4060 Laptop GPU", "GeForce RTX 4060 Laptop GPU", id="laptop"),
    ],
)
def test_name_to_show(name: str, shown: str) -> None:
    assert kind(stated(name)).device == shown


def test_unknown_name_is_kept_and_its_capability_unknown() -> None:
    known = kind_of(stated("NVIDIA Frobnicator 9", driver="580"), Defaults())

    assert (known.device, known.capabilities) == ("Frobnicator 9", (None,))


@pytest.mark.parametrize("device", list(products()), ids=lambda device: device.name)
def test_every_product_is_found_by_its_own_name(device: Device) -> None:
    known = kind(stated(device.name))

    if device.name == "gtx-750-ti":
        assert "can mean GeForce GTX 750 Ti (3.0), GeForce GTX 750 Ti (5.0)" in known.unknown
    else:
        assert known.capabilities == (device.capability,)


def test_stated_facts_win_over_defaults_and_the_catalogue() -> None:
    machine = stated("h100", driver="550", architecture="arm64")

    known = kind_of(machine, Defaults("x86_64", "580"))

    assert (known.architecture, known.driver, known.assumed) == ("aarch64", 550, ("capability",))


def test_defaults_fill_what_is_not_stated_and_are_remembered() -> None:
    known = kind_of(stated("h100"), Defaults("aarch64", "580"))

    assert (known.architecture, known.driver, str(known.cuda)) == ("aarch64", 580, "13.0")
    assert known.assumed == ("architecture", "capability", "driver")


def test_a_driver_for_all_is_not_given_to_a_gpu_that_it_cannot_serve() -> None:
    b200 = kind_of(stated("b200"), Defaults(driver="550"))
    k80 = kind_of(stated("Tesla K80"), Defaults(driver="550"))

    assert (b200.driver, k80.driver) == (570, 470)
    assert kind_of(stated("b200"), Defaults()).driver == 580


def test_machines_of_the_catalogue_are_those_of_targets() -> None:
    """A kind keeps what the rules look at: both descriptions get the same answer."""
    for entry in catalogue(branches=(525, 580, 620)):
        ours = kind_of(entry.machine, Defaults())
        theirs = parse_target(entry.name).machine()

        assert decide(ours.machine).features == decide(theirs).features, entry.name


@given(some_entries, some_entries, some_entries)
def test_counting_is_associative_and_commutative(
    first: list[Entry], second: list[Entry], third: list[Entry]
) -> None:
    one, two, three = tally(first), tally(second), tally(third)

    whole = tally([*first, *second, *third])

    assert (one | two) | three == one | (two | three) == whole
    assert three | one | two == whole
    assert one | EMPTY == one
    assert whole.machines == sum(entry.machines or 0 for entry in (*first, *second, *third))
