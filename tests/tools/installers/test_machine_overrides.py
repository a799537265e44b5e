"""The two variables for uv, and the warnings about what they cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from nvidia_variant_provider.overrides import FORCE_CUDA, FORCE_SM_ARCH, read_overrides
from nvidia_variant_provider.rules import decide, judge
from nvidia_variant_provider.tools.installers.machine_overrides import as_uv_sees, overrides_for
from tests.strategies import machine, machines

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine


def words(of: Machine) -> str:
    return "\n".join(overrides_for(of).warnings)


def test_one_capability_gives_both_lines_and_no_warning() -> None:
    forced = overrides_for(machine("12.8", "9.0", "9.0"))

    assert forced.variables == {FORCE_CUDA: "12.8", FORCE_SM_ARCH: "9.0"}
    assert forced.warnings == ()


def test_no_driver_gives_no_line_and_says_so() -> None:
    forced = overrides_for(machine(None, "9.0"))

    assert forced.variables == {}
    assert "uv will choose the CPU build: no usable NVIDIA driver" in forced.warnings[0]


def test_an_unknown_capability_leaves_its_line_out_and_says_so() -> None:
    forced = overrides_for(machine("12.8"))

    assert forced.variables == {FORCE_CUDA: "12.8"}
    assert f"{FORCE_SM_ARCH} cannot be given" in forced.warnings[0]


def test_of_several_capabilities_the_weakest_is_given_with_a_warning() -> None:
    mixed = machine("12.8", "8.6", "7.5")

    assert overrides_for(mixed).variables[FORCE_SM_ARCH] == "7.5"
    assert "the GPUs have 7.5, 8.6: the weakest is given" in words(mixed)


def test_pascal_is_kept_from_cuda_13() -> None:
    pascal = machine("13.0", "6.1")

    assert overrides_for(pascal).variables[FORCE_CUDA] == "12.9"
    assert "no toolkit after 12.9" in words(pascal)


@pytest.mark.parametrize(("cuda", "warned"), [("12.6", True), ("13.2", False)])
def test_orin_is_warned_of_desktop_code_until_cuda_13_2(cuda: str, warned: bool) -> None:  # noqa: FBT001
    assert ("uv's rules also take 86_real" in words(machine(cuda, "8.7"))) is warned


def test_a_capability_that_uv_does_not_know_is_named() -> None:
    assert "uv's rules offer no sm_arch for capability 3.7" in words(machine("11.4", "3.7"))


@given(machines)
def test_the_lines_are_readable_overrides_and_uv_takes_no_newer_cuda_than_rule_set_1(
    of: Machine,
) -> None:
    forced = overrides_for(of)
    said = read_overrides(forced.variables)

    assert (said.cuda, said.capability) == (forced.cuda, forced.capability)
    assert bool(forced.variables) == bool(decide(of).features)
    if forced.cuda is None or forced.capability is None:
        assert forced.warnings
        return
    seen = decide(as_uv_sees(of, forced.cuda, forced.capability), 0)
    for bound in seen.values("cuda_version_lower_bound"):
        assert judge(of, "cuda_version_lower_bound", bound).supported
