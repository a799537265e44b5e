from __future__ import annotations

import pytest
from hypothesis import given

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, SmArch
from nvidia_variant_provider.rules.catalogue import same_device, sm_archs
from nvidia_variant_provider.rules.device_code import judge_arch, runnable
from nvidia_variant_provider.rules.verdict import Verdict
from tests.strategies import archs, capabilities

OLD_STACK = CudaVersion(13, 1)
NEW_STACK = CudaVersion(13, 2)

# NVIDIA's guides with the Tegra split, and what nvlink of CUDA 13.2 to 13.5 accepts in addition.
# Only targets that some toolkit has: 101 is the old name of 110.
REAL_TARGETS = [
    "50",
    "52",
    "53",
    "60",
    "61",
    "62",
    "70",
    "72",
    "75",
    "80",
    "86",
    "87",
    "88",
    "89",
    "90",
    "90a",
    "100",
    "100a",
    "100f",
    "101",
    "101a",
    "101f",
    "103",
    "103a",
    "103f",
    "107",
    "107a",
    "107f",
    "110",
    "110a",
    "110f",
    "120",
    "120a",
    "120f",
    "121",
    "121a",
    "121f",
]
RUNS = {
    "5.0": ("50", ""),
    "5.2": ("50 52", ""),
    "5.3": ("53", ""),
    "6.0": ("60", ""),
    "6.1": ("60 61", ""),
    "6.2": ("62", ""),
    "7.0": ("70", ""),
    "7.2": ("72", ""),
    "7.5": ("70 75", ""),
    "8.0": ("80", ""),
    "8.6": ("80 86", ""),
    "8.7": ("87", "80 86"),
    "8.8": ("88", "80 86 87"),
    "8.9": ("80 86 89", "87 88"),
    "9.0": ("90 90a", ""),
    "10.0": ("100 100f 100a", ""),
    "10.3": ("100 100f 103 103f 103a", ""),
    "10.7": ("100 100f 103 103f 107 107f 107a", ""),
    "11.0": ("110 110f 110a 101 101f 101a", ""),
    "12.0": ("120 120f 120a", ""),
    "12.1": ("120 120f 121 121f 121a", ""),
}


@pytest.mark.parametrize("capability", RUNS)
@pytest.mark.parametrize("stack", [OLD_STACK, NEW_STACK], ids=str)
def test_cubins_run_where_nvidia_says(capability: str, stack: CudaVersion) -> None:
    strict, relaxed = RUNS[capability]
    expected = set(strict.split()) | (set(relaxed.split()) if stack == NEW_STACK else set())

    found = {
        arch.target
        for arch in runnable(ComputeCapability.parse(capability), stack)
        if not arch.virtual
    }

    assert found & set(REAL_TARGETS) == expected


@pytest.mark.parametrize(
    ("capability", "leading"),
    [
        ("9.0", "90a_real 90_real"),
        ("10.3", "103a_real 103f_real 103_real 102f_real 102_real 100f_real 100_real 103a_virtual"),
        ("11.0", "110a_real 110f_real 110_real 101a_real 101f_real 101_real 110a_virtual"),
        ("8.6", "86_real 85_real 84_real 83_real 82_real 81_real 80_real 86_virtual 85_virtual"),
        ("12.1", "121a_real 121f_real 121_real 120f_real 120_real 121a_virtual 121f_virtual"),
    ],
)
def test_nearest_native_code_comes_first(capability: str, leading: str) -> None:
    expected = leading.split()

    found = [str(arch) for arch in runnable(ComputeCapability.parse(capability), OLD_STACK)]

    assert found[: len(expected)] == expected


@pytest.mark.parametrize(
    ("arch", "capability", "supported"),
    [
        ("90_virtual", "10.0", True),
        ("103f_real", "10.7", True),
        ("90a_real", "9.0", True),
        ("90a_real", "10.0", False),
        ("90a_virtual", "10.0", False),
        ("100f_virtual", "10.3", True),
        ("100f_virtual", "12.0", False),
        ("100a_real", "10.3", False),
        ("101_virtual", "10.3", True),
        ("101_virtual", "10.0", False),
        ("101f_virtual", "10.3", False),
        ("110_virtual", "10.3", False),
        ("103_virtual", "10.1", True),
        ("101_real", "10.3", False),
        ("109f_real", "10.9", True),
        ("103f_real", "10.9", True),
        ("80_real", "9.0", False),
        ("75_virtual", "15.9", True),
        ("120_virtual", "11.0", False),
        ("72_real", "7.5", False),
    ],
)
def test_single_properties(arch: str, capability: str, supported: bool) -> None:  # noqa: FBT001
    verdict = judge_arch(SmArch.parse(arch), ComputeCapability.parse(capability), None)

    assert verdict.supported is supported
    assert arch in verdict.reason


def test_an_unknown_stack_is_strict_on_orin() -> None:
    orin = ComputeCapability(8, 7)

    assert runnable(orin, None) == runnable(orin, CudaVersion(13, 1))
    assert runnable(orin, None) != runnable(orin, CudaVersion(13, 2))


@pytest.mark.parametrize(("stack", "said"), [(OLD_STACK, "13.1"), (None, "nothing")], ids=str)
def test_the_reason_for_orin_names_the_stack(stack: CudaVersion | None, said: str) -> None:
    verdict = judge_arch(SmArch.parse("86_real"), ComputeCapability(8, 7), stack)

    assert verdict == Verdict(
        supported=False,
        reason="86_real and this GPU (8.7) are on different sides of Tegra and desktop, "
        f"which mix from CUDA 13.2 on, this machine supports {said}",
    )


@pytest.mark.parametrize("text", ["88a_real", "90f_virtual", "75a_real"])
def test_targets_that_no_compiler_has_run_nowhere(text: str) -> None:
    arch = SmArch.parse(text)

    assert not judge_arch(arch, arch.capability, NEW_STACK).supported
    assert arch not in sm_archs()


@given(archs, capabilities, capabilities)
def test_plain_ptx_that_runs_on_a_gpu_runs_on_every_newer_one(
    arch: SmArch, older: ComputeCapability, newer: ComputeCapability
) -> None:
    ptx = SmArch(arch.capability, "", virtual=True)
    older, newer = sorted((older, newer), key=same_device)

    assert not (
        judge_arch(ptx, older, None).supported and not judge_arch(ptx, newer, None).supported
    )


@given(archs, capabilities)
def test_suffixed_code_stays_in_its_major(arch: SmArch, capability: ComputeCapability) -> None:
    verdict = judge_arch(arch, capability, NEW_STACK)

    if arch.suffix and verdict.supported:
        assert same_device(arch.capability).major == same_device(capability).major


@given(capabilities)
def test_a_gpu_runs_its_own_cubin_best(capability: ComputeCapability) -> None:
    own = [arch for arch in sm_archs() if same_device(arch.capability) == same_device(capability)]
    found = runnable(capability, None)

    assert set(own) <= set(found)
    assert not own or found[0] == own[0]


@given(capabilities)
def test_ptx_comes_after_all_native_code(capability: ComputeCapability) -> None:
    kinds = [arch.virtual for arch in runnable(capability, NEW_STACK)]

    assert kinds == sorted(kinds)
