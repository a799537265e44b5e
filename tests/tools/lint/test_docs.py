from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.findings.model import Uv
from nvidia_variant_provider.tools.lint.engine import RULES, lint
from nvidia_variant_provider.tools.verify.engine import RULES as VERIFY
from tests.tools.lint.releases import Section, merge_patch, read_base, read_sections, write_release

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = read_sections()
UV_WORDS = {Uv.REFUSES: "; uv refuses", Uv.SKIPS: "; uv skips", Uv.NONE: ""}


def codes(folder: Path) -> set[str]:
    return {finding.rule.code for finding in lint([str(folder)]).findings}


def test_every_code_has_a_section_with_its_title_and_severity() -> None:
    documented = [(it.code, it.title, it.text.strip().splitlines()[0]) for it in SECTIONS]

    assert documented == [
        (it.code, it.title, f"*{it.severity.value.capitalize()}{UV_WORDS[it.uv]}.*") for it in RULES
    ]


def test_codes_are_unique_and_none_is_of_verify() -> None:
    codes = [rule.code for rule in RULES] + [rule.code for rule in VERIFY]

    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda it: it.code)
def test_a_section_says_what_to_do(section: Section) -> None:
    assert "\n**Fix:** " in section.text


def test_the_release_that_the_examples_change_has_no_findings(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", read_base())

    assert codes(folder) == set()


@pytest.mark.parametrize("section", SECTIONS, ids=lambda it: it.code)
def test_the_example_of_a_code_triggers_it(section: Section, tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", merge_patch(read_base(), section.example))

    report = lint([str(folder)], for_pypi=section.code.startswith("NV7"))
    assert section.code in {finding.rule.code for finding in report.findings}
