"""The choice of a CUDA build of torch."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nvidia_variant_provider.model import CudaVersion, DriverRelease, Gpu, Machine
from nvidia_variant_provider.tables.torch_builds import (
    LINUX,
    PLATFORMS,
    RELEASES,
    UV_INDEXES,
)
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.torch.backend import Backend, platform_of
from nvidia_variant_provider.tools.torch.backend import choose as choose_release
from nvidia_variant_provider.tools.torch.builds import find_release
from tests.strategies import known_capabilities, machine

SOME_CUDA = st.builds(CudaVersion, st.integers(11, 13), st.integers(0, 9))


def choose(of: Machine, release: str, platform: str) -> Backend:
    return choose_release(of, find_release(release), platform)


def path_of(found: Backend) -> str:
    return found.chosen.path if found.chosen else "none"


def backend(target: str, release: str = "2.14.1", platform: str = "") -> Backend:
    named = parse_target(target).machine()
    return choose(named, release, platform or platform_of(named))


@pytest.mark.parametrize(
    ("target", "release", "path", "uv"),
    [
        ("h100@580", "2.14.1", "cu132", "cu132"),
        ("h100@570", "2.14.1", "cu126", "cu126"),
        ("h100@570", "2.13.0", "cu129", "cu129"),
        ("gtx-1080-ti@580", "2.14.1", "cu126", "cu132"),
        ("v100@580", "2.10.0", "cu129", "cu130"),
        ("b200@570", "2.14.1", "none", "cu126"),
        ("gb200@580", "2.14.1", "cu132", "cu132"),
        ("gb200@570", "2.13.0", "cu129", "cu129"),
        ("gh200@535", "2.14.1", "cu126", "cu126"),
        ("h100@520", "2.7.1", "cu118", "cu118"),
        ("jetson-thor@580", "2.14.1", "cu132", None),
        ("jetson-orin@jetpack6", "2.14.1", "none", None),
        ("jetson-orin@jetpack7.2", "2.14.1", "cu132", None),
        # PTX of 12.8 serves a newer GPU where the driver reads it.
        ("vera-rubin@615", "2.14.1", "cu132", "cu132"),
    ],
)
def test_the_newest_build_that_fits_is_chosen(
    target: str, release: str, path: str, uv: str | None
) -> None:
    found = backend(target, release)

    assert (path_of(found), found.uv) == (path, uv)


def test_ptx_counts_only_for_a_driver_that_reads_it() -> None:
    future = replace(machine("12.9", "13.0"))

    assert path_of(choose(future, "2.10.0", LINUX)) == "cu129"
    assert path_of(choose(machine("12.8", "13.0"), "2.10.0", LINUX)) == "none"


def test_a_build_for_every_gpu_comes_before_a_newer_one() -> None:
    assert path_of(backend("a10+t4@580")) == "cu132"
    assert path_of(backend("gtx-1080-ti+rtx-4090@580")) == "cu126"


def test_the_gpu_that_is_left_out_is_named() -> None:
    found = backend("p100+b200@580")

    assert found.chosen is not None
    assert "no device code for 6.0" in found.chosen.reason


@pytest.mark.parametrize(("release", "path"), [("525.53", "none"), ("525.60.13", "cu126")])
def test_a_preview_driver_of_the_right_branch_is_too_old(release: str, path: str) -> None:
    early = replace(machine("12.0", "9.0"), driver_release=DriverRelease(release))

    assert path_of(choose(early, "2.14.1", LINUX)) == path


def test_forward_compatibility_counts() -> None:
    compat = replace(machine("13.0", "9.0"), driver_release=DriverRelease("535.183.01"))
    found = choose(compat, "2.14.1", LINUX)

    assert (path_of(found), found.uv) == ("cu132", "cu126")


def test_without_a_known_capability_nothing_is_claimed() -> None:
    unknown = replace(machine("13.0"), gpus=(Gpu("NVIDIA Graphics Device"),))

    assert not choose(unknown, "2.14.1", LINUX).is_certain


def test_without_a_gpu_nothing_fits() -> None:
    assert path_of(choose(machine("13.0"), "2.14.1", LINUX)) == "none"


def test_uv_s_list_falls_with_the_driver() -> None:
    numbers = [int(name) for _, _, names in UV_INDEXES for name in names.split()]

    assert numbers == sorted(numbers, reverse=True)


def _covering(found: Backend, of: Machine) -> bool:
    return found.chosen is not None and found.chosen.covers == of.capabilities


@given(SOME_CUDA, known_capabilities, st.sampled_from(RELEASES), st.sampled_from(PLATFORMS))
def test_what_is_chosen_fits_and_nothing_newer_does(
    cuda: CudaVersion, capability: object, release: str, platform: str
) -> None:
    of = machine(cuda, str(capability))
    found = choose(of, release, platform)
    newer = [
        it for it in found.judged if not found.chosen or it.build.cuda > found.chosen.build.cuda
    ]

    assert not any(it.fits for it in newer)
    if found.chosen:
        assert _covering(found, of)
        assert found.chosen.build.cuda.major <= cuda.major


@given(SOME_CUDA, SOME_CUDA, known_capabilities, st.sampled_from(RELEASES))
def test_a_newer_driver_never_loses_a_fitting_build(
    one: CudaVersion, other: CudaVersion, capability: object, release: str
) -> None:
    assume(one <= other)
    before = choose(machine(one, str(capability)), release, LINUX)
    after = choose(machine(other, str(capability)), release, LINUX)

    assert {it.path for it in before.judged if it.fits} <= {
        it.path for it in after.judged if it.fits
    }
