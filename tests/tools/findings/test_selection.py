"""Of a selected and an ignored beginning of a code the longer one wins, in every tool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.findings.model import Finding, Problem, Rule, Severity
from nvidia_variant_provider.tools.findings.selection import EVERYTHING, Selection, check_codes

RULES = [Rule(code, Severity.WARNING, code) for code in ("NV214", "NV219", "NV301", "NV503")]
prefixes = st.lists(st.sampled_from(["", "NV", "NV2", "NV21", "NV214", "NV3", "NV9"]), max_size=3)


def selected(select: list[str], ignore: list[str]) -> set[str]:
    selection = Selection(tuple(select), tuple(ignore))
    return {rule.code for rule in RULES if rule in selection}


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        pytest.param([], [], {"NV214", "NV219", "NV301", "NV503"}, id="all"),
        pytest.param(["NV2"], [], {"NV214", "NV219"}, id="beginning"),
        pytest.param([], ["NV219"], {"NV214", "NV301", "NV503"}, id="all but one"),
        pytest.param(["NV2"], ["NV219"], {"NV214"}, id="beginning but one"),
        pytest.param(["NV219"], ["NV2"], {"NV219"}, id="one of an ignored beginning"),
        pytest.param(["NV301"], ["NV30"], {"NV301"}, id="verify as lint"),
        pytest.param(["NV2"], ["NV2"], set(), id="selected and ignored"),
    ],
)
def test_the_longer_beginning_wins(
    select: list[str], ignore: list[str], expected: set[str]
) -> None:
    assert selected(select, ignore) == expected


@given(prefixes, prefixes)
def test_what_is_ignored_alone_is_never_selected(select: list[str], ignore: list[str]) -> None:
    assert selected(select, ignore) <= selected(select, [])
    assert selected([], ignore) | selected(select, ignore) == selected([], ignore) | {
        code for code in selected(select, ignore) if any(code.startswith(it) for it in select)
    }


@pytest.mark.parametrize(
    ("source", "pattern", "kept"),
    [
        pytest.param("dist/demo-null.whl", "*-null.whl", False, id="name"),
        pytest.param("dist/demo-null.whl", "dist/*", False, id="path"),
        pytest.param("dist/demo-null.whl!x/variant.json", "*-null.whl", False, id="member"),
        pytest.param("dist/demo-cu.whl", "*-null.whl", True, id="another file"),
    ],
)
def test_a_code_is_ignored_in_the_files_of_a_pattern(
    source: str, pattern: str, *, kept: bool
) -> None:
    finding = Finding(RULES[0], Problem(source, "", "wrong"))

    assert Selection(per_file=((pattern, ("NV2",)),)).keeps(finding) is kept
    assert Selection(per_file=((pattern, ("NV3",)),)).keeps(finding)


def test_a_beginning_without_codes_is_an_error_that_names_near_ones() -> None:
    with pytest.raises(InvalidValueError, match="no code starts with 'NV20'; there are NV214, NV2"):
        check_codes(["NV20"], RULES)


def test_everything_is_what_nobody_asked_to_reduce() -> None:
    assert EVERYTHING.is_everything
    assert not Selection(ignore=("NV2",)).is_everything
