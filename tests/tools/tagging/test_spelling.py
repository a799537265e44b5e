from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.rules.catalogue import sm_archs
from nvidia_variant_provider.tools.tagging.spelling import parse_archs

if TYPE_CHECKING:
    from nvidia_variant_provider.model import SmArch


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7.5;8.0;9.0a+PTX", "75_real 80_real 90a_real 90a_virtual"),
        ("8.0 8.6 12.0+PTX", "80_real 86_real 120_real 120_virtual"),
        ("10.0f,8.0;;8.0", "80_real 100f_real"),
        ("80-real;90a-virtual", "80_real 90a_virtual"),
        ("75;120", "75_real 120_real 75_virtual 120_virtual"),
        ("8.0;90-real", "80_real 90_real"),
    ],
)
def test_both_spellings(text: str, expected: str) -> None:
    assert [str(arch) for arch in parse_archs(text)] == expected.split()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no list of targets"),
        (" ; ", "no list of targets"),
        ("8.0;" * 2000, "no list of targets"),
        ("Hopper", "another list in every release"),
        ("all-major", "another list in every release"),
        ("8.0;sm_90", "not a target: 'sm_90'"),
        ("9.0+SASS", "not a target"),
        ("8.0a", "no compiler has the target '80a'"),
        ("9.0f", "no compiler has the target '90f'"),
        ("99.0", "no compiler has the target '990'"),
        ("٨.0", "not a target"),
    ],
)
def test_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        parse_archs(text)


@given(st.lists(st.sampled_from(sm_archs()), min_size=1, max_size=20))
def test_every_target_can_be_spelled(archs: list[SmArch]) -> None:
    text = ";".join(f"{arch.target}-{'virtual' if arch.virtual else 'real'}" for arch in archs)

    assert set(parse_archs(text)) == set(archs)
