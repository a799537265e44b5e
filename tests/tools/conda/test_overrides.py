"""A machine as conda's virtual packages, and what a solver makes of them."""

from __future__ import annotations

import pytest
from hypothesis import given

from nvidia_variant_provider.model import CudaVersion, Gpu, Machine
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.conda.overrides import (
    CUDA,
    CUDA_ARCH,
    TEGRA_SPEC,
    conda_environment,
    conda_overrides,
    is_conda,
    may_start_pip,
    subdir,
)
from nvidia_variant_provider.value_types import replace
from tests.strategies import machine, machines

# Each machine with the overrides that give it a build with code for all of its GPUs.
MACHINES = (
    ("gtx-1080-ti@580", "12.9", "6.1"),
    ("v100@570", "12.8", "7.0"),
    ("t4@535", "12.2", "7.5"),
    ("a100@550", "12.4", "8.0"),
    ("h100@580", "13.0", "9.0"),
    ("gh200@580", "13.0", "9.0"),
    ("gb200@580", "13.0", "10.0"),
    ("rtx-5090@575", "12.9", "12.0"),
    ("dgx-spark@580", "13.0", "12.1"),
    ("jetson-orin@jetpack6.2", "12.6", "8.7"),
    ("jetson-orin@jetpack7.2", "13.2", "8.7"),
    ("v100+a100@580", "12.9", "7.0"),
)


@pytest.mark.parametrize(("target", "cuda", "arch"), MACHINES)
def test_both_overrides_are_given(target: str, cuda: str, arch: str) -> None:
    found = conda_overrides(parse_target(target).machine())

    assert found.variables == {CUDA: cuda, CUDA_ARCH: arch}


@given(machines)
def test_never_one_override_alone(seen: Machine) -> None:
    found = conda_overrides(seen)

    assert set(found.variables) in (set(), {CUDA, CUDA_ARCH})
    assert found.variables or found.warnings


@pytest.mark.parametrize(
    ("target", "specs"),
    [
        ("jetson-orin@jetpack6", (TEGRA_SPEC,)),
        ("jetson-orin@jetpack7.2", ()),
        ("jetson-thor@jetpack7", ()),
        ("gh200@550", ()),
    ],
)
def test_a_jetson_before_cuda_13_asks_for_the_builds_for_tegra(
    target: str, specs: tuple[str, ...]
) -> None:
    found = conda_overrides(parse_target(target).machine())

    assert found.specs == specs
    assert any(TEGRA_SPEC in warning for warning in found.warnings) == bool(specs)


@pytest.mark.parametrize(
    "seen",
    [
        replace(machine("13.0"), gpus=(Gpu("NVIDIA Graphics Device"),)),
        replace(machine("13.0", "9.0"), cuda=None),
    ],
    ids=["no-capability", "no-driver"],
)
def test_where_one_is_not_known_neither_is_given(seen: Machine) -> None:
    found = conda_overrides(seen)

    assert (found.cuda, found.arch, found.variables) == (None, None, {})
    assert found.warnings[0].startswith("no override is set: ")


def test_a_cap_is_said() -> None:
    found = conda_overrides(machine(CudaVersion(13, 0), "6.1"))

    assert found.warnings == (
        "CONDA_OVERRIDE_CUDA is 12.9, not 13.0: builds for CUDA 13 have no code for 6.1",
    )


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["conda", "install", "pytorch"], True),
        (["/opt/conda/bin/mamba", "create"], True),
        (["micromamba.exe"], True),
        (["pixi", "install"], True),
        (["pip", "install", "conda"], False),
        ([], False),
    ],
)
def test_a_command_is_known_by_its_first_word(command: list[str], told: bool) -> None:  # noqa: FBT001 - an expectation
    assert is_conda(command) is told


@pytest.mark.parametrize(
    ("command", "may"),
    [
        ("conda env create -f environment.yml", True),
        ("mamba env update", True),
        ("micromamba create -n x --file=env.yml", True),
        ("conda env list", False),
        ("conda install pytorch", False),
        ("pip install -f x", False),
    ],
)
def test_a_file_of_an_environment_may_name_packages_for_pip(
    command: str,
    may: bool,  # noqa: FBT001 - a column
) -> None:
    assert may_start_pip(command.split()) is may


def test_the_environment_gains_both_or_nothing() -> None:
    h100 = conda_overrides(machine("13.0", "9.0"))
    nothing = conda_overrides(replace(machine("13.0"), gpus=()))

    assert conda_environment({"A": "1", CUDA: "11"}, h100) == {
        "A": "1",
        CUDA: "13.0",
        CUDA_ARCH: "9.0",
    }
    assert conda_environment({"A": "1", CUDA: "11"}, nothing) == {"A": "1", CUDA: "11"}


def test_the_platform_has_conda_s_name() -> None:
    assert subdir(parse_target("gh200@580").machine()) == "linux-aarch64"
    assert subdir(parse_target("h100@580").machine()) == "linux-64"
