"""The environment variables: what each form means, and what is refused."""

from __future__ import annotations

import pytest

from nvidia_variant_provider import overrides
from nvidia_variant_provider.errors import OverrideError
from nvidia_variant_provider.model import ComputeCapability, CudaVersion
from nvidia_variant_provider.overrides import Overrides, read_overrides
from nvidia_variant_provider.provider import answer
from nvidia_variant_provider.value_types import replace


def test_nothing_said_is_detection_under_rule_set_1() -> None:
    said = read_overrides({})

    assert said == Overrides(None, None, "", "", 1, "", 10.0, "/")
    assert not said.pins


@pytest.mark.parametrize(
    "variable",
    [
        overrides.FORCE_CUDA,
        overrides.FORCE_SM_ARCH,
        overrides.MACHINE,
        overrides.TARGET,
        overrides.RULES,
        overrides.GPU,
        overrides.TIMEOUT,
        overrides.ROOT,
    ],
)
def test_an_empty_variable_counts_as_unset(variable: str) -> None:
    assert read_overrides({variable: ""}) == Overrides()


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("FORCE_CUDA_DRIVER_VERSION", "12.8", "cuda", CudaVersion(12, 8)),
        ("FORCE_SM_ARCH", "9.0", "capability", ComputeCapability(9, 0)),
        ("MACHINE", "/etc/machine.json", "machine_file", "/etc/machine.json"),
        ("TARGET", "gh200", "target", "gh200"),
        ("RULES", "0", "rules", 0),
        ("RULES", "1", "rules", 1),
        ("GPU", "Highest", "gpu", "highest"),
        ("GPU", "lowest", "gpu", "lowest"),
        ("GPU", "0", "gpu", "0"),
        ("GPU", "127", "gpu", "127"),
        ("GPU", "gpu-", "gpu", "gpu-"),
        ("GPU", "MIG-4A2B", "gpu", "mig-4a2b"),
        ("TIMEOUT", "0.1", "timeout", 0.1),
        ("TIMEOUT", "2.125", "timeout", 2.125),
        ("TIMEOUT", "600", "timeout", 600.0),
        ("ROOT", "/host", "root", "/host"),
    ],
)
def test_each_variable_is_read(variable: str, text: str, field: str, value: object) -> None:
    said = read_overrides({f"NV_VARIANT_PROVIDER_{variable}": text})

    assert said == replace(Overrides(), **{field: value})


@pytest.mark.parametrize(
    ("variable", "texts", "expected"),
    [
        (
            overrides.FORCE_CUDA,
            ["580.65.06", "twelve"],
            "a CUDA version such as '12.8', not a driver release",
        ),
        (overrides.FORCE_SM_ARCH, ["90", "9.0a"], "a compute capability such as '9.0'"),
        (overrides.MACHINE, ["machine.json", "/a\0b"], "the absolute path of a machine file"),
        (overrides.RULES, ["2", "01", "-1"], "a rule set: '0' or '1'"),
        (
            overrides.GPU,
            ["1000", "-1", "any", "GPU-xyz", "MIG-" + "a" * 65],
            "'all', 'highest', 'lowest', an index from 0, or the start of a UUID",
        ),
        (
            overrides.TIMEOUT,
            ["0.099", "0", "600.001", "1e2", "10000", "1.0000", "-5", "soon"],
            "seconds between 0.1 and 600",
        ),
        (overrides.ROOT, ["host", ".", "/a\0b"], "the absolute path of a root folder"),
    ],
)
def test_another_form_is_an_error_that_names_the_variable_and_the_form(
    variable: str, texts: list[str], expected: str
) -> None:
    for text in texts:
        with pytest.raises(OverrideError) as caught:
            read_overrides({variable: text})

        assert str(caught.value) == str(OverrideError(variable, text, expected))


@pytest.mark.parametrize("variable", [overrides.GPU, overrides.ROOT, overrides.FORCE_CUDA])
def test_a_huge_text_is_cut_in_the_error_and_in_its_cause(variable: str) -> None:
    with pytest.raises(OverrideError) as caught:
        read_overrides({variable: "x" * 5000})

    assert f"'{'x' * 60}...'" in str(caught.value)
    assert str(caught.value.__cause__).count("x") == 60


def test_a_machine_file_and_a_target_are_not_taken_together() -> None:
    both = {overrides.MACHINE: "/m.json", overrides.TARGET: "gh200"}

    with pytest.raises(OverrideError, match="TARGET='gh200': expected nothing here while NV_"):
        read_overrides(both)


@pytest.mark.parametrize(
    ("said", "pins"),
    [
        (Overrides(machine_file="/m.json"), True),
        (Overrides(target="gh200"), True),
        (Overrides(cuda=CudaVersion(12, 8)), False),
        (Overrides(capability=ComputeCapability(9, 0)), False),
        (Overrides(cuda=CudaVersion(12, 8), capability=ComputeCapability(9, 0)), True),
    ],
)
def test_a_whole_machine_or_both_facts_pin(said: Overrides, pins: bool) -> None:  # noqa: FBT001
    assert said.pins is pins


@pytest.mark.parametrize(
    ("text", "cuda", "notes"),
    [
        (" 12.8 ", CudaVersion(12, 8), []),
        ("v12.8", CudaVersion(12, 8), []),
        ("V12", CudaVersion(12, 0), []),
        ("012.08", CudaVersion(12, 8), []),
        ("12.8.1", CudaVersion(12, 8), ["patch-ignored"]),
        ("\t012.8.0\n", CudaVersion(12, 8), ["patch-ignored"]),
    ],
)
def test_a_forced_version_may_be_written_as_a_package_version(
    text: str, cuda: CudaVersion, notes: list[str]
) -> None:
    settings = read_overrides({overrides.FORCE_CUDA: text})

    assert (settings.cuda, [note.code for note in settings.notes]) == (cuda, notes)


def test_blanks_around_a_forced_capability_are_ignored() -> None:
    settings = read_overrides({overrides.FORCE_SM_ARCH: " 9.0 "})

    assert settings.capability == ComputeCapability(9, 0)


@pytest.mark.parametrize("text", ["9", "v9.0", "90", "9.0.0", "09", "9. 0"])
def test_a_forced_capability_that_other_installers_refuse_is_an_error(text: str) -> None:
    with pytest.raises(OverrideError):
        read_overrides({overrides.FORCE_SM_ARCH: text})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("FORCE_CUDA_VERSION", overrides.FORCE_CUDA),
        ("FORCE_CUDA", overrides.FORCE_CUDA),
        ("CUDA_DRIVER_VERSION", overrides.FORCE_CUDA),
        ("SM_ARCH", overrides.FORCE_SM_ARCH),
        ("FORCE_SM_ARCHS", overrides.FORCE_SM_ARCH),
        ("TARGT", overrides.TARGET),
        ("RULE", overrides.RULES),
        ("GPUS", overrides.GPU),
    ],
)
def test_a_near_miss_of_a_name_is_an_error_that_says_what_was_meant(name: str, meant: str) -> None:
    with pytest.raises(OverrideError) as caught:
        read_overrides({overrides.PREFIX + name: "12.8"})

    assert caught.value.variable == overrides.PREFIX + name
    assert meant in str(caught.value)


@pytest.mark.parametrize("name", ["COLOUR", "GPU_MODE", "TARGET_FOLDER", "CACHE", "", "_"])
def test_any_other_unknown_name_is_a_note(name: str) -> None:
    settings = read_overrides({overrides.PREFIX + name: "x"})

    assert [note.code for note in settings.notes] == ["unknown-variable"]
    assert overrides.PREFIX + name in settings.notes[0].text


def test_an_empty_variable_of_any_name_is_ignored() -> None:
    assert read_overrides({overrides.PREFIX + "TARGT": ""}) == Overrides()


def test_every_setting_has_one_variable_and_the_other_way_round() -> None:
    fields = [row.field for row in overrides.VARIABLES]

    assert sorted(fields) == sorted(set(Overrides.__match_args__) - {"notes"})
    assert len({row.name for row in overrides.VARIABLES}) == len(fields)


def test_a_note_of_a_variable_comes_with_the_machine() -> None:
    environ = {overrides.TARGET: "h100@580", overrides.PREFIX + "COLOUR": "blue"}

    codes = [note.code for note in answer(environ).detection.machine.notes]

    assert "unknown-variable" in codes
