from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError, MalformedReplyError, OverrideError
from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    DriverRelease,
    Gpu,
    Machine,
    SmArch,
    Status,
)
from tests.strategies import LINUX, archs

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "expected"), [("12.8", (12, 8)), ("12", (12, 0)), ("11.20", (11, 20)), ("0.0", (0, 0))]
)
def test_cuda_versions_are_read(text: str, expected: tuple[int, int]) -> None:
    assert CudaVersion.parse(text) == CudaVersion(*expected)


@pytest.mark.parametrize(
    "text",
    ["", "12.", ".8", "12.8.1", "580.65.06", "580", "580.65", " 12.8", "12.8\n", "१२.8", "-1"],
)
def test_other_texts_are_no_cuda_version(text: str) -> None:
    with pytest.raises(InvalidValueError, match="not a CUDA version"):
        CudaVersion.parse(text)


@pytest.mark.parametrize(
    ("encoded", "text"), [(12080, "12.8"), (13010, "13.1"), (1000, "1.0"), (99990, "99.99")]
)
def test_encoded_versions_are_decoded(encoded: int, text: str) -> None:
    assert str(CudaVersion.from_encoded(encoded)) == text


@pytest.mark.parametrize("encoded", [0, 999, -1, 99991, 2**31 - 1])
def test_absurd_encoded_versions_are_refused(encoded: int) -> None:
    with pytest.raises(MalformedReplyError, match=str(encoded)):
        CudaVersion.from_encoded(encoded)


@pytest.mark.parametrize(
    ("text", "branch"), [("580.65.06", 580), ("375.74", 375), ("35.4.1", 35), ("580.00", 580)]
)
def test_driver_releases_keep_their_text(text: str, branch: int) -> None:
    release = DriverRelease.parse(text)

    assert (str(release), release.branch) == (text, branch)


@pytest.mark.parametrize("text", ["", "580", "5", "580.65.06.1", "580.x", "v580.65"])
def test_other_texts_are_no_driver_release(text: str) -> None:
    with pytest.raises(InvalidValueError, match="not a driver release"):
        DriverRelease.parse(text)


@pytest.mark.parametrize("text", ["90", "9.0a", "9.", "9.00", "", "-9.0"])
def test_other_texts_are_no_capability(text: str) -> None:
    with pytest.raises(InvalidValueError, match="not a compute capability"):
        ComputeCapability.parse(text)


@given(archs)
def test_sm_archs_survive_their_text(arch: SmArch) -> None:
    assert SmArch.parse(str(arch)) == arch


@pytest.mark.parametrize(
    "text", ["90", "90b_real", "9_real", "90_Real", "90-real", "1000_real", "sm_90"]
)
def test_other_texts_are_no_sm_arch(text: str) -> None:
    with pytest.raises(InvalidValueError, match="not an SM architecture"):
        SmArch.parse(text)


@given(st.integers(10, 999))
def test_a_capability_has_the_number_it_was_made_of(number: int) -> None:
    assert ComputeCapability.from_number(number).number == number


def test_sm_archs_rise_with_the_capability_then_the_suffix_and_ptx_comes_after_cubins() -> None:
    names = ["86_real", "90_real", "90_virtual", "90a_real", "100_real", "100f_real"]

    assert [str(arch) for arch in sorted(map(SmArch.parse, sorted(names)))] == names


def test_an_architecture_is_real_and_plain_unless_said_otherwise() -> None:
    assert SmArch(ComputeCapability(9, 0)) == SmArch.parse("90_real")


def test_a_machine_of_which_nothing_is_known() -> None:
    machine = Machine(LINUX, Status.NONE)

    assert not machine.cuda_derived
    assert not machine.tegra
    assert machine.capabilities == ()
    assert (machine.driver_release, machine.cuda, machine.gpus) == (None, None, ())
    assert (Gpu().capability, Gpu().integrated) == (None, None)


@pytest.mark.parametrize(
    "parse", [CudaVersion.parse, DriverRelease.parse, ComputeCapability.parse, SmArch.parse]
)
def test_an_error_shows_the_first_sixty_characters_of_a_long_text(
    parse: Callable[[str], object],
) -> None:
    with pytest.raises(InvalidValueError, match=f": '{'x' * 60}'$"):
        parse("x" * 5000)


def test_a_huge_override_is_cut_in_its_message() -> None:
    error = OverrideError("VARIABLE", "x" * 10_000, "something short")

    assert str(error) == f"VARIABLE='{'x' * 60}...': expected something short"
    assert isinstance(error, ValueError)
