"""``run``: an installer that takes wheels for another processor than the machine's is warned of."""

from __future__ import annotations

import pytest
from packaging.tags import cpython_tags

from nvidia_variant_provider.tools.cli.run_report import other_processor
from nvidia_variant_provider.tools.views.model import Interpreter
from tests.tools.views.machines import machine


def python(*platforms: str) -> Interpreter:
    return Interpreter(tuple(cpython_tags((3, 12), platforms=platforms)), "3.12.1")


@pytest.mark.parametrize(
    ("target", "platforms"),
    [
        ("gh200@580", ["manylinux_2_28_aarch64"]),
        ("h100@580", ["manylinux_2_28_x86_64", "linux_x86_64"]),
        # Nothing is known of either: a Mac, a Python that was not asked.
        ("gh200@580", ["macosx_14_0_arm64"]),
    ],
)
def test_the_same_processor_is_not_spoken_of(target: str, platforms: list[str]) -> None:
    assert other_processor(machine(target), python(*platforms)) == ""
    assert other_processor(machine(target), None) == ""


def test_another_processor_is_named_with_the_options_that_help() -> None:
    warning = other_processor(machine("gh200@580"), python("manylinux_2_28_x86_64"))

    assert warning == (
        "this Python takes wheels for x86_64, and the machine has aarch64: run the command on "
        "aarch64, or name the platform (pip: --platform manylinux_2_28_aarch64 --only-binary "
        ":all:; uv: --python-platform aarch64-manylinux_2_28)"
    )
