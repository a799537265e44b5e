from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nvidia_variant_provider import rules
from nvidia_variant_provider.model import ComputeCapability, CudaVersion, Machine, Note, SmArch
from nvidia_variant_provider.rules.catalogue import (
    CAPABILITY_MINORS,
    CUDA_MAJORS,
    CUDA_MINORS,
    LOWER_BOUND,
    SM_ARCH,
    UPPER_BOUND,
    bound_values,
    bounds,
)
from nvidia_variant_provider.tables.sm_archs import TEGRA_CAPABILITIES
from tests.strategies import capabilities, cuda_versions, machine, machines

ALL_VERSIONS = [CudaVersion(major, minor) for major in CUDA_MAJORS for minor in CUDA_MINORS]
ALL_CAPABILITIES = [
    ComputeCapability(major, minor) for major in range(5, 13) for minor in CAPABILITY_MINORS
]


def test_there_are_two_rule_sets_and_the_second_is_the_default() -> None:
    assert (rules.RULE_SETS, rules.DEFAULT_RULES) == ((0, 1), 1)


def test_bounds_of_a_driver_run_from_near_to_far() -> None:
    decision = rules.decide(machine("12.7", "8.9"))

    minors = [str(minor) for minor in range(20, -1, -1)]
    lower = [*(f"12.{minor}" for minor in minors[-8:]), "12", *(f"11.{it}" for it in minors), "11"]
    whole = [[*(f"{major}.{minor}" for minor in minors), str(major)] for major in (15, 14, 13)]
    upper = [*sum(whole, []), *(f"12.{minor}" for minor in minors[:-8])]  # noqa: RUF017 - three
    assert decision.values(LOWER_BOUND) == tuple(lower)
    assert decision.values(UPPER_BOUND) == tuple(upper)


def test_features_of_one_gpu_keep_the_order_of_the_old_provider() -> None:
    names = [feature.name for feature in rules.decide(machine("12.8", "9.0")).features]

    assert names == [LOWER_BOUND, UPPER_BOUND, SM_ARCH]


@pytest.mark.parametrize("cuda", ["15.21", "16.0", "99.99", "15.99"])
def test_a_driver_newer_than_the_catalogue_counts_as_its_newest(cuda: str) -> None:
    decision = rules.decide(machine(cuda, "9.0"))

    assert decision.features == rules.decide(machine("15.20", "9.0")).features
    assert decision.values(UPPER_BOUND) == ()
    assert [note.code for note in decision.notes] == ["cuda-newer-than-known"]


def test_a_minor_beyond_the_catalogue_counts_as_the_newest_of_its_major() -> None:
    features = rules.decide(machine("12.25", "9.0")).features

    assert features == rules.decide(machine("12.20", "9.0")).features


@pytest.mark.parametrize("cuda", ["10.2", "9.0", "0.0"])
def test_a_driver_before_cuda_11_supports_nothing_and_says_why(cuda: str) -> None:
    decision = rules.decide(machine(cuda, "7.0"))

    text = f"the driver supports CUDA {cuda}; variants start at 11.0"
    assert decision == rules.Decision((), (Note("driver-too-old", text),))
    assert rules.judge(machine(cuda, "7.0"), LOWER_BOUND, "11.0").reason == text


def test_without_a_driver_nothing_is_supported() -> None:
    decision = rules.decide(machine(None, "9.0"))

    assert decision.features == ()
    assert [note.code for note in decision.notes] == ["no-driver"]
    assert not rules.judge(machine(None, "9.0"), SM_ARCH, "90_real").supported


@pytest.mark.parametrize("gpus", [("6.1",), ("5.2", "7.0"), ("7.4",)])
def test_pascal_with_a_cuda_13_driver_counts_as_the_last_cuda_12(gpus: tuple[str, ...]) -> None:
    decision = rules.decide(machine("13.0", *gpus))

    assert decision.values(LOWER_BOUND)[0] == "12.9"
    assert "13" in decision.values(UPPER_BOUND)
    mixed = ["mixed-gpus"] if len(gpus) > 1 else []
    assert [note.code for note in decision.notes] == ["cuda-capped", *mixed]


def test_the_note_of_the_cap_names_the_strongest_gpu() -> None:
    note = rules.decide(machine("13.0", "5.2", "7.0")).notes[0]

    assert note == Note(
        "cuda-capped",
        "the driver says CUDA 13.0, but no toolkit after 12.9 builds for capability 7.0: "
        "it counts as CUDA 12.9",
    )


def test_pascal_with_the_last_cuda_12_driver_is_not_capped() -> None:
    assert rules.decide(machine("12.9", "6.1")).notes == ()


@pytest.mark.parametrize("gpus", [("6.1", "8.6"), ("7.5",)])
def test_one_gpu_that_takes_cuda_13_lifts_the_cap(gpus: tuple[str, ...]) -> None:
    assert rules.decide(machine("13.0", *gpus)).values(LOWER_BOUND)[0] == "13.0"


def test_a_gpu_of_unknown_capability_lifts_the_cap() -> None:
    known = machine("13.0", "6.1")
    unknown = replace(known, gpus=(*known.gpus, replace(known.gpus[0], capability=None)))

    assert rules.decide(unknown).values(LOWER_BOUND)[0] == "13.0"


@pytest.mark.parametrize("facts", [(), (None,)], ids=["no GPU", "capability unknown"])
def test_without_a_capability_only_the_bounds_are_reported(facts: tuple[None, ...]) -> None:
    base = machine("12.8", "9.0")
    silent = replace(base, gpus=tuple(replace(base.gpus[0], capability=None) for _ in facts))

    names = [feature.name for feature in rules.decide(silent).features]

    assert names == [LOWER_BOUND, UPPER_BOUND]
    assert not rules.judge(silent, SM_ARCH, "90_real").supported


def test_mixed_gpus_put_the_architectures_first_and_the_weakest_gpu_before_the_others() -> None:
    decision = rules.decide(machine("12.8", "8.6", "7.5"))
    archs = decision.values(SM_ARCH)

    assert [feature.name for feature in decision.features] == [SM_ARCH, LOWER_BOUND, UPPER_BOUND]
    assert archs[0] == "75_real"
    assert archs.index("50_virtual") < archs.index("86_real") < archs.index("86_virtual")
    assert [note.code for note in decision.notes] == ["mixed-gpus"]
    assert decision.notes[0].text.startswith("GPUs of several capabilities (7.5, 8.6): builds")


@pytest.mark.parametrize(
    ("arch", "supported", "reason"),
    [
        ("86_real", True, "86_real is built for this GPU; not on the GPUs of 6.1, 7.5"),
        ("75_real", True, "75_real is built for this GPU; not on the GPUs of 6.1, 8.6"),
        ("50_virtual", True, "50_virtual is PTX for 5.0 and newer, this GPU is 6.1"),
        ("120_real", False, "120_real runs on 12.0 to 12.9, this GPU is 8.6"),
    ],
)
def test_a_verdict_on_mixed_gpus_names_those_left_out(
    arch: str,
    supported: bool,  # noqa: FBT001
    reason: str,
) -> None:
    verdict = rules.judge(machine("12.8", "8.6", "6.1", "7.5"), SM_ARCH, arch)

    assert verdict == rules.Verdict(supported, reason)


def test_several_gpus_of_one_capability_are_one() -> None:
    one, eight = machine("12.8", "9.0"), machine("12.8", *["9.0"] * 8)

    assert rules.decide(one) == rules.decide(eight)


@pytest.mark.parametrize(
    ("feature", "value", "supported", "reason"),
    [
        (LOWER_BOUND, "13.0", False, "needs CUDA >= 13.0, this machine supports 12.8"),
        (LOWER_BOUND, "12", True, "needs CUDA >= 12, this machine supports 12.8"),
        (UPPER_BOUND, "12.8", False, "needs CUDA < 12.8, this machine supports 12.8"),
        (UPPER_BOUND, "13", True, "needs CUDA < 13, this machine supports 12.8"),
        (LOWER_BOUND, "12.99", False, "12.99 is not a value of cuda_version_lower_bound"),
        (LOWER_BOUND, "twelve", False, "twelve is not a value of cuda_version_lower_bound"),
        (SM_ARCH, "90a_real", True, "90a_real runs on 9.0 exactly, this GPU is 9.0"),
        (SM_ARCH, "999_reel", False, "not an SM architecture such as '90_real': '999_reel'"),
        (SM_ARCH, "90f_real", False, "90f_real is not a value of sm_arch"),
        ("driver", "580", False, "the namespace nvidia has no feature driver"),
    ],
)
def test_verdicts_say_why(feature: str, value: str, supported: bool, reason: str) -> None:  # noqa: FBT001
    assert rules.judge(machine("12.8", "9.0"), feature, value) == rules.Verdict(supported, reason)


@given(machines, st.sampled_from(rules.RULE_SETS))
def test_decisions_and_verdicts_agree(seen: Machine, rule_set: int) -> None:
    decision = rules.decide(seen, rule_set)

    for feature in rules.catalogue():
        offered = decision.values(feature.name)
        supported = {
            value
            for value in feature.values
            if rules.judge(seen, feature.name, value, rule_set).supported
        }
        assert supported == set(offered) & set(feature.values)


@given(machines)
def test_what_is_supported_is_in_the_catalogue(seen: Machine) -> None:
    known = {feature.name: feature for feature in rules.catalogue()}

    for feature in rules.decide(seen).features:
        assert feature.values
        assert len(set(feature.values)) == len(feature.values)
        assert set(feature.values) <= set(known[feature.name].values)
        assert feature.multi_value == known[feature.name].multi_value


@given(cuda_versions, cuda_versions, capabilities)
def test_a_newer_driver_keeps_every_lower_bound(
    older: CudaVersion, newer: CudaVersion, capability: ComputeCapability
) -> None:
    assume(older <= newer)
    before = rules.decide(machine(older, capability)).values(LOWER_BOUND)

    assert set(before) <= set(rules.decide(machine(newer, capability)).values(LOWER_BOUND))


@given(cuda_versions, st.lists(capabilities, min_size=1, max_size=3), capabilities)
def test_one_more_gpu_keeps_every_architecture(
    cuda: CudaVersion, some: list[ComputeCapability], more: ComputeCapability
) -> None:
    before = rules.decide(machine(cuda, *some)).values(SM_ARCH)

    assert set(before) <= set(rules.decide(machine(cuda, *some, more)).values(SM_ARCH))


def is_wrong_in_rule_set_0(value: str, capability: ComputeCapability) -> bool:
    """Tell the values rule set 0 offers for a Tegra part, or a Tegra value for a desktop part."""
    target = SmArch.parse(value).capability
    renamed = ComputeCapability(10, 1)
    tegra = (TEGRA_CAPABILITIES | {renamed}) & {target, capability}
    return bool(tegra) and target != capability


@pytest.mark.parametrize("cuda", ["11.0", "12.8", "13.1", "15.20"])
@pytest.mark.parametrize("capability", ALL_CAPABILITIES, ids=str)
def test_architectures_that_rule_set_0_accepts_stay_in_their_order(
    capability: ComputeCapability, cuda: str
) -> None:
    seen = machine(cuda, capability)
    before = [
        value
        for value in rules.decide(seen, 0).values(SM_ARCH)
        if not is_wrong_in_rule_set_0(value, capability)
    ]

    after = [value for value in rules.decide(seen).values(SM_ARCH) if value in before]

    assert after == before


@pytest.mark.parametrize("cuda", ALL_VERSIONS, ids=str)
def test_bounds_equal_those_of_rule_set_0(cuda: CudaVersion) -> None:
    seen = machine(cuda, "8.0")
    new, old = rules.decide(seen), rules.decide(seen, 0)

    found = [[it for it in decision.features if it.name != SM_ARCH] for decision in (new, old)]
    assert found[0] == found[1]


def test_every_bound_means_what_its_text_says() -> None:
    assert [CudaVersion.parse(text) for text, _ in bounds()] == [meant for _, meant in bounds()]


def test_the_catalogue_is_fixed_and_free_of_repeats() -> None:
    features = rules.catalogue()

    assert [(it.name, len(it.values), it.multi_value) for it in features] == [
        (LOWER_BOUND, 110, False),
        (UPPER_BOUND, 110, False),
        (SM_ARCH, 520, True),
    ]
    assert all(len(set(it.values)) == len(it.values) for it in features)
    assert features[0].values == tuple(bound_values())
