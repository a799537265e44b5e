"""Platform tags and the machines they admit."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.model import Platform
from nvidia_variant_provider.tools.wheels.platform import admits


@pytest.mark.parametrize(
    ("tags", "platform", "expected"),
    [
        ("any", Platform("linux", "riscv64"), True),
        ("any", Platform("darwin", "arm64"), True),
        ("manylinux_2_28_x86_64", Platform("linux", "x86_64", "glibc"), True),
        ("manylinux_2_28_x86_64", Platform("linux", "x86_64"), True),
        ("manylinux_2_28_x86_64", Platform("linux", ""), True),
        ("manylinux_2_28_x86_64", Platform("linux", "aarch64"), False),
        ("manylinux_2_28_x86_64", Platform("linux", "x86_64", "musl"), False),
        ("musllinux_1_2_aarch64", Platform("linux", "aarch64", "musl"), True),
        ("musllinux_1_2_x86_64", Platform("linux", "x86_64"), False),
        ("linux_x86_64", Platform("linux", "x86_64", "musl"), True),
        ("linux_x86_64", Platform("linux", "x86_64", "unheard-of"), True),
        ("manylinux2014_x86_64.win_amd64", Platform("win32", "x86_64"), True),
        ("win_arm64", Platform("win32", "aarch64"), True),
        ("win_amd64", Platform("linux", "x86_64"), False),
        ("win_amd64", Platform("plan9", "x86_64"), False),
        ("macosx_11_0_arm64", Platform("darwin", "arm64"), True),
        ("macosx_11_0_arm64", Platform("darwin", "x86_64"), False),
        ("macosx_11_0_universal2", Platform("darwin", "x86_64"), True),
        ("macosx_11_0_arm64", Platform("linux", "aarch64"), False),
    ],
    ids=str,
)
def test_tags_admit_platforms(tags: str, platform: Platform, expected: bool) -> None:  # noqa: FBT001
    assert admits(tags.split("."), platform) is expected
