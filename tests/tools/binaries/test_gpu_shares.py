from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.model import ComputeCapability, SmArch
from nvidia_variant_provider.rules.device_code import judge_arch
from nvidia_variant_provider.tools.binaries import gpu_shares
from nvidia_variant_provider.tools.binaries.gpu_shares import GpuShare
from nvidia_variant_provider.tools.binaries.report import Library, Profile

archs = st.builds(
    SmArch,
    st.sampled_from(gpu_shares.GPUS),
    st.sampled_from(["", "a", "f"]),
    st.booleans(),
)
gpus = st.sampled_from(gpu_shares.GPUS)


def profile(count: int, *names: str) -> Profile:
    return Profile(tuple(sorted(SmArch.parse(name) for name in names)), count)


@pytest.mark.parametrize(
    ("arch", "gpu", "fits"),
    [
        ("80_real", "8.0", True),
        ("80_real", "8.9", True),
        ("86_real", "8.0", False),
        ("80_real", "9.0", False),
        ("90a_real", "9.0", True),
        ("100a_real", "10.3", False),
        ("100f_real", "10.3", True),
        ("103f_real", "10.0", False),
        ("75_real", "8.6", False),
        ("120_real", "12.1", True),
        ("121_real", "12.0", False),
        ("80_virtual", "7.5", False),
        ("80_virtual", "8.0", True),
        ("90a_virtual", "9.0", True),
        ("100f_virtual", "9.0", False),
        ("80_virtual", "12.0", True),
        ("90_virtual", "8.9", False),
        ("90a_virtual", "10.0", False),
        ("100f_virtual", "10.3", True),
        ("100f_virtual", "12.0", False),
        # Tegra parts take cubins of their own only, and PTX like any other.
        ("80_real", "8.7", False),
        ("87_real", "8.7", True),
        ("87_real", "8.9", False),
        ("70_real", "7.2", False),
        ("72_real", "7.5", False),
        ("50_real", "5.3", False),
        ("80_virtual", "8.7", True),
        # What CUDA 12 calls 101 is the 110 of CUDA 13.
        ("101_real", "11.0", True),
        ("101f_real", "11.0", True),
        ("100f_real", "11.0", False),
        # There is no such target, whatever an entry's flags say.
        ("80f_real", "8.0", False),
    ],
)
def test_what_runs_where(arch: str, gpu: str, fits: bool) -> None:  # noqa: FBT001 - a case
    assert gpu_shares.is_fit(SmArch.parse(arch), ComputeCapability.parse(gpu)) is fits


def test_a_container_counts_once_and_a_cubin_beats_ptx() -> None:
    profiles = (
        profile(3, "80_real", "86_real", "80_virtual"),
        profile(2, "90_real", "90_virtual"),
        profile(1, "90a_real"),
    )

    assert gpu_shares.cover(profiles, ComputeCapability(8, 6)) == GpuShare(
        ComputeCapability(8, 6), native=3, jit=0, total=6
    )
    assert gpu_shares.cover(profiles, ComputeCapability(9, 0)) == GpuShare(
        ComputeCapability(9, 0), native=3, jit=3, total=6
    )
    hopper = gpu_shares.cover(profiles, ComputeCapability(12, 0))
    assert (hopper.jit, hopper.uncovered, hopper.native_share) == (5, 1, 0.0)


def test_the_three_short_answers_differ() -> None:
    matrix = gpu_shares.build_matrix((profile(5, "80_real", "90_real"), profile(1, "90a_real")))

    assert [str(arch) for arch in matrix.union] == ["80_real", "90_real", "90a_real"]
    assert [str(arch) for arch in matrix.full] == ["90_real", "90a_real"]
    assert [str(arch) for arch in matrix.dominant] == ["80_real", "90_real"]


COLUMNS = [50, 52, 60, 61, 70, 72, 75, 80, 86, 87, 89, 90, 100, 103, 107, 110, 120, 121]


def test_the_gpus_that_code_names_are_rows_too() -> None:
    rows = gpu_shares.build_matrix((profile(1, "88_real", "53_virtual"),)).rows

    assert [row.gpu.number for row in rows] == sorted([*COLUMNS, 88])


def test_no_code_no_coverage() -> None:
    matrix = gpu_shares.build_matrix(())

    assert [row.gpu.number for row in matrix.rows] == COLUMNS
    for row in matrix.rows:
        assert row == GpuShare(row.gpu, native=0, jit=0, total=0)
        assert (row.uncovered, row.native_share, row.jit_share) == (0, 0.0, 0.0)
    assert (matrix.union, matrix.full, matrix.dominant) == ((), (), ())


def test_shares_are_of_all_containers() -> None:
    row = GpuShare(ComputeCapability(9, 0), native=4, jit=2, total=16)

    assert (row.uncovered, row.native_share, row.jit_share) == (10, 0.25, 0.125)


def test_ptx_is_never_full_and_native_code_must_be_in_every_container() -> None:
    ptx = gpu_shares.build_matrix((profile(2, "80_real", "90_virtual"), profile(1, "80_real")))
    most = gpu_shares.build_matrix((profile(2, "80_real"), profile(1, "90_real")))

    assert [str(arch) for arch in ptx.full] == ["80_real"]
    assert most.full == ()


def test_profiles_of_several_libraries_add_up() -> None:
    first = Library("a", "elf", "", 1, profiles=(profile(2, "80_real"), profile(1, "90_real")))
    second = Library("b", "elf", "", 1, profiles=(profile(4, "90_real"),))

    assert gpu_shares.merge([first, second]) == (profile(5, "90_real"), profile(2, "80_real"))


def test_profiles_as_frequent_as_another_are_in_the_order_of_their_architectures() -> None:
    one = Library("a", "elf", "", 1, profiles=(profile(2, "90_real"), profile(2, "80_real")))

    assert gpu_shares.merge([one]) == (profile(2, "80_real"), profile(2, "90_real"))


@given(arch=archs, gpu=gpus)
def test_code_for_older_gpus_of_a_major_never_needs_a_newer_one(
    arch: SmArch, gpu: ComputeCapability
) -> None:
    if gpu_shares.is_fit(arch, gpu):
        assert arch.capability <= gpu


@given(
    profiles=st.lists(st.builds(Profile, st.lists(archs).map(tuple), st.integers(1, 9))), gpu=gpus
)
def test_every_container_is_native_jit_or_uncovered(
    profiles: list[Profile], gpu: ComputeCapability
) -> None:
    row = gpu_shares.cover(profiles, gpu)

    assert row.native + row.jit + row.uncovered == sum(one.count for one in profiles)
    assert min(row.native, row.jit, row.uncovered) >= 0


@given(arch=archs, gpu=gpus)
def test_coverage_is_what_the_rules_of_the_provider_say(
    arch: SmArch, gpu: ComputeCapability
) -> None:
    row = gpu_shares.cover((Profile((arch,), 1),), gpu)
    supported = judge_arch(arch, gpu, None).supported

    assert (row.native, row.jit) == (supported and not arch.virtual, supported and arch.virtual)


def test_a_renamed_part_has_one_row() -> None:
    matrix = gpu_shares.build_matrix((profile(1, "101_real"),))

    assert [row.gpu.number for row in matrix.rows if row.native] == [110]
    assert 101 not in [row.gpu.number for row in matrix.rows]
    assert [str(arch) for arch in matrix.full] == ["101_real"]
