"""Rule set 0 on its own; that it equals the real uv is held by contract/test_uv_parity.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nvidia_variant_provider import rules
from nvidia_variant_provider.model import CudaVersion, Note
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH, UPPER_BOUND
from tests.strategies import machine


def test_values_for_a_laptop() -> None:
    decision = rules.decide(machine("12.7", "8.9"), 0)

    assert decision.values(LOWER_BOUND)[:9] == (
        "12.7", "12.6", "12.5", "12.4", "12.3", "12.2", "12.1", "12.0", "12",
    )  # fmt: skip
    assert decision.values(UPPER_BOUND)[-2:] == ("12.9", "12.8")
    assert decision.values(SM_ARCH) == (
        "89_real", "88_real", "87_real", "86_real", "85_real",
        "84_real", "83_real", "82_real", "81_real", "80_real", "80_virtual",
    )  # fmt: skip


def test_only_the_strongest_gpu_counts() -> None:
    assert rules.decide(machine("12.7", "7.5", "8.0"), 0).values(SM_ARCH) == (
        "80_real",
        "80_virtual",
    )


@pytest.mark.parametrize("cuda", ["10.2", "15.21", "16.0"])
def test_a_detected_version_outside_the_catalogue_switches_off(cuda: str) -> None:
    decision = rules.decide(machine(cuda, "8.0"), 0)

    assert decision.features == ()
    assert [note.code for note in decision.notes] == ["switched-off"]


@pytest.mark.parametrize(
    ("cuda", "lower", "upper"),
    [
        ("17.3", ("17.3", "17.2", "17.1", "17.0", "17", "16.20"), ()),
        ("12.22", ("12.22", "12.21", "12.20"), ("15.20", "15.19")),
        ("10.2", (), ("15.20", "15.19")),
    ],
)
def test_a_forced_version_is_taken_as_it_is(
    cuda: str, lower: tuple[str, ...], upper: tuple[str, ...]
) -> None:
    forced = replace(machine(cuda, "8.0"), cuda_forced=True)
    decision = rules.decide(forced, 0)

    assert decision.values(LOWER_BOUND)[: len(lower)] == lower
    assert decision.values(UPPER_BOUND)[: len(upper)] == upper
    assert bool(decision.values(LOWER_BOUND)) is bool(lower)
    assert bool(decision.values(UPPER_BOUND)) is bool(upper)


@pytest.mark.parametrize("capability", ["3.7", "4.9"])
def test_a_gpu_below_the_catalogue_leaves_the_feature_out(capability: str) -> None:
    assert rules.decide(machine("11.4", capability), 0).values(SM_ARCH) == ()


def test_the_oldest_gpu_of_the_catalogue_has_its_feature_of_several_values() -> None:
    feature = rules.decide(machine("11.4", "5.0"), 0).features[-1]

    assert feature == rules.Feature(SM_ARCH, ("50_real", "50_virtual"), multi_value=True)


def test_without_a_driver_nothing() -> None:
    text = "no usable NVIDIA driver: test"

    assert rules.decide(machine(None, "8.0"), 0) == rules.Decision((), (Note("no-driver", text),))
    assert rules.judge(machine(None), LOWER_BOUND, "12.0", 0) == rules.Verdict(
        supported=False, reason=text
    )


@pytest.mark.parametrize(
    ("value", "supported"), [("90a_real", False), ("85_real", True), ("80_virtual", True)]
)
def test_a_verdict_names_the_range_offered(value: str, supported: bool) -> None:  # noqa: FBT001
    verdict = rules.judge(machine(CudaVersion(12, 8), "8.6"), SM_ARCH, value, 0)

    assert verdict == rules.Verdict(supported, "rule set 0 offers 86_real ... 80_virtual")
