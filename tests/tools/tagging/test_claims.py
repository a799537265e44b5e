from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.model import SmArch
from nvidia_variant_provider.rules.device_code import judge_arch
from nvidia_variant_provider.tools.binaries.report import Library, Profile
from nvidia_variant_provider.tools.tagging.claims import Claim, Standing, judge_claims, spell


def profiles(*sets: tuple[int, str]) -> list[Profile]:
    """Return profiles of targets such as ``75 90a 120p``, where ``p`` means PTX."""
    found = []
    for count, text in sets:
        names = [
            f"{name.removesuffix('p')}_{'virtual' if name.endswith('p') else 'real'}"
            for name in text.split()
        ]
        found.append(Profile(tuple(sorted(map(SmArch.parse, names))), count))
    return found


def stated(claims: tuple[Claim, ...]) -> list[str]:
    return [str(value) for claim in claims for value in claim.values]


def test_a_few_containers_do_not_speak_for_a_wheel() -> None:
    # The shape of torch 2.15: full targets, accelerator code, and one container with everything.
    claims = judge_claims(
        profiles(
            (475, "75 80 86 90 100 120"),
            (58, "90 100"),
            (38, "90a 100a 103f 120a"),
            (1, "75 80 86 89 90 100 120 121 120p"),
        ),
        0.75,
    )

    assert stated(claims) == ["75_real", "80_real", "86_real", "90_real", "100_real", "120_real"]
    standings = {f"{claim.capability}{' PTX' * claim.virtual}": claim.standing for claim in claims}
    assert standings["8.9"] is standings["12.1"] is standings["10.3"] is Standing.COVERED
    assert standings["12.0 PTX"] is Standing.PARTIAL


@pytest.mark.parametrize(
    ("sets", "standings"),
    [
        # Three of four are just enough, of code for the very GPU and of code that runs there.
        pytest.param(
            [(3, "80 86"), (1, "90")],
            {"8.0": Standing.CLAIMED, "8.6": Standing.CLAIMED, "9.0": Standing.PARTIAL},
            id="present-in-just-enough",
        ),
        pytest.param(
            [(2, "80"), (1, "80 86"), (1, "90")],
            {"8.0": Standing.CLAIMED, "8.6": Standing.COVERED, "9.0": Standing.PARTIAL},
            id="served-by-just-enough",
        ),
        pytest.param(
            [(1, "80"), (1, "80 86"), (2, "90")],
            {"8.0": Standing.PARTIAL, "8.6": Standing.PARTIAL, "9.0": Standing.PARTIAL},
            id="too-few",
        ),
    ],
)
def test_the_threshold_itself_is_enough(
    sets: list[tuple[int, str]], standings: dict[str, Standing]
) -> None:
    claims = judge_claims(profiles(*sets), 0.75)

    assert {str(claim.capability): claim.standing for claim in claims} == standings


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        pytest.param([(4, "90a")], ["90_real"], id="a-of-the-last-of-its-major"),
        pytest.param([(4, "100a")], ["100a_real"], id="a-of-an-earlier-one"),
        pytest.param([(1, "100a")], ["100a_real"], id="a-in-a-single-container"),
        pytest.param([(4, "100f")], ["100_real"], id="f-runs-where-plain-does"),
        pytest.param([(3, "120"), (1, "120a")], ["120_real"], id="mostly-plain"),
        pytest.param([(1, "120"), (3, "120a")], ["120a_real"], id="mostly-specific"),
        pytest.param([(4, "80 80p")], ["80_real", "80_virtual"], id="ptx"),
        pytest.param([(1, "80 80p"), (3, "80")], ["80_real"], id="ptx-in-few"),
        pytest.param([(4, "90a 90ap")], ["90_real"], id="ptx-that-runs-nowhere-else"),
        pytest.param([(4, "90ap")], ["90a_virtual"], id="only-such-ptx"),
        pytest.param([(4, "100fp")], ["100f_virtual"], id="ptx-of-a-family"),
        pytest.param([(2, "80"), (2, "86")], ["86_real"], id="together-they-serve-8.6"),
        pytest.param([(9, "80"), (1, "87")], ["80_real"], id="tegra-does-not-run-desktop-code"),
        pytest.param([(4, "120p"), (4, "75")], [], id="nothing-reaches-the-threshold"),
        pytest.param([], [], id="no-code"),
    ],
)
def test_what_is_stated(sets: list[tuple[int, str]], expected: list[str]) -> None:
    assert stated(judge_claims(profiles(*sets), 0.75)) == expected


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        pytest.param(10, ["90_real"], id="a-tenth"),
        pytest.param(9, ["80_real", "90_real"], id="less"),
    ],
)
def test_a_tenth_of_the_containers_makes_a_library_a_main_one(
    containers: int, expected: list[str]
) -> None:
    large = Library("large.so", "elf", "x86_64", 1, profiles=tuple(profiles((90, "80 90"))))
    other = Library("other.so", "elf", "x86_64", 1, profiles=tuple(profiles((containers, "90"))))
    filler = Library(
        "rest.so", "elf", "x86_64", 1, profiles=tuple(profiles((10 - containers, "80 90")))
    )
    own = (large, other, filler)

    claims = judge_claims([it for library in own for it in library.profiles], 0.75, own)

    assert stated(claims) == expected


@pytest.mark.parametrize(("threshold", "expected"), [(0.25, 2), (0.26, 1), (1.0, 1)])
def test_the_threshold_is_met_exactly(threshold: float, expected: int) -> None:
    claims = judge_claims(profiles((3, "75"), (1, "75 90")), threshold)

    assert len(stated(claims)) == expected


NAMES = "50 60 72 75 80 86 87 89 90 90a 100 100a 100f 103 110 120 120a 121"
targets = st.sampled_from(NAMES.split())
sets = st.lists(
    st.tuples(st.integers(1, 50), st.sets(targets, min_size=1, max_size=6).map(" ".join)),
    min_size=1,
    max_size=6,
)


@given(sets, st.sampled_from([0.5, 0.75, 1.0]))
def test_most_containers_run_on_every_gpu_that_is_claimed(
    found: list[tuple[int, str]], threshold: float
) -> None:
    containers = profiles(*found)
    total = sum(one.count for one in containers)

    for claim in judge_claims(containers, threshold):
        serving = sum(
            one.count
            for one in containers
            if any(judge_arch(arch, claim.capability, None).supported for arch in one.archs)
        )
        assert (claim.standing is Standing.PARTIAL) == (serving < threshold * total)


@given(sets)
def test_each_served_gpu_runs_something_that_is_stated(found: list[tuple[int, str]]) -> None:
    claims = judge_claims(profiles(*found), 0.75)
    values = [value for claim in claims for value in claim.values]

    for claim in claims:
        if claim.standing is not Standing.PARTIAL:
            assert any(judge_arch(value, claim.capability, None).supported for value in values)


def test_values_that_older_providers_cannot_offer_are_explained() -> None:
    assert "refuse this value" in spell(SmArch.parse("100a_real"))[1]
    assert "minor 0 only" in spell(SmArch.parse("86_virtual"))[1]
    assert "calls this device 11.0" in spell(SmArch.parse("101_real"))[1]
    # Measured: on an H100 uv offers 90_virtual and no older PTX.
    assert "GPUs of 5.x alone" in spell(SmArch.parse("50_virtual"))[1]
    assert spell(SmArch.parse("120_virtual"))[1] == ""
