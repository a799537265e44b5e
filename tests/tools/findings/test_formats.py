"""Findings in the forms of GitHub, GitLab, SARIF and JUnit, read as those tools read them."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog

from nvidia_variant_provider.tools.findings.formats import FORMATS, Run, failure
from nvidia_variant_provider.tools.findings.model import Finding, Problem, Rule, Severity

ERROR = Rule("NV214", Severity.ERROR, "the versions exclude uv's copy")
NOTE = Rule("NV219", Severity.NOTE, "uv has no provider for the namespace")
RUN = Run(
    "lint",
    ("dist/a-cu.whl", "dist/b 1.json", "dist/c.whl"),
    (
        Finding(ERROR, Problem("dist/a-cu.whl!a/variant.json", "providers", "100 % <wrong>\n&")),
        Finding(NOTE, Problem("dist/b 1.json", "", 'seen, "twice"'), ("dist/c.whl",)),
    ),
)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
findings = st.builds(
    Finding,
    st.sampled_from([ERROR, NOTE]),
    st.builds(Problem, texts, texts, texts),
    st.lists(texts, max_size=2).map(tuple),
)
runs = st.builds(Run, st.just("verify"), st.lists(texts).map(tuple), st.lists(findings).map(tuple))


def rendered(form: str, run: Run = RUN) -> str:
    return "\n".join(FORMATS[form](run))


def test_github_gets_a_command_for_each_finding() -> None:
    assert rendered("github").splitlines() == [
        (
            "::error file=dist/a-cu.whl,line=1,title=NV214::"
            "NV214: a/variant.json: providers: 100 %25 <wrong>%0A&"
        ),
        (
            "::notice file=dist/b 1.json,line=1,title=NV219::"
            'NV219: seen, "twice" (and in dist/c.whl)'
        ),
    ]


@given(runs)
def test_a_command_is_one_line_with_one_place(run: Run) -> None:
    lines = rendered("github", run).split("\n") if run.findings else []

    assert len(lines) == len(run.findings)
    assert all(re.match(r"::(error|notice) file=[^,:]*,line=1,title=NV\d+::NV", it) for it in lines)


def test_gitlab_gets_a_code_quality_report() -> None:
    report = json.loads(rendered("gitlab"))

    assert [(it["check_name"], it["severity"], it["location"]) for it in report] == [
        ("NV214", "major", {"path": "dist/a-cu.whl", "lines": {"begin": 1}}),
        ("NV219", "info", {"path": "dist/b 1.json", "lines": {"begin": 1}}),
    ]
    assert len({it["fingerprint"] for it in report}) == 2


def test_a_fingerprint_stays_the_same_from_run_to_run() -> None:
    first, second = (json.loads(rendered("gitlab")) for _ in range(2))

    assert [it["fingerprint"] for it in first] == [it["fingerprint"] for it in second]


def sarif(run: Run) -> Any:  # noqa: ANN401 - any JSON
    log = json.loads(rendered("sarif", run))
    # Its models are made from the schema of OASIS, and forbid what that does not know.
    SarifLog.model_validate(log)
    return log["runs"][0]


def test_sarif_names_rules_levels_and_every_file() -> None:
    run = sarif(RUN)

    assert [it["id"] for it in run["tool"]["driver"]["rules"]] == ["NV214", "NV219"]
    assert [(it["ruleId"], it["level"]) for it in run["results"]] == [
        ("NV214", "error"),
        ("NV219", "note"),
    ]
    assert [
        place["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
        for place in result["locations"]
    ] == ["dist/a-cu.whl", "dist/b%201.json", "dist/c.whl"]


@given(runs)
def test_sarif_is_of_its_schema_whatever_was_found(run: Run) -> None:
    assert len(sarif(run)["results"]) == len(run.findings)


def junit(run: Run) -> ET.Element:
    return ET.fromstring(rendered("junit", run))  # noqa: S314 - ours


def test_junit_has_a_case_for_each_file_and_notes_do_not_fail() -> None:
    root = junit(RUN)

    assert root.attrib == {
        "name": "nvidia-variant-provider", "tests": "3", "failures": "1", "errors": "0"
    }  # fmt: skip
    assert [
        (case.get("name"), [(child.tag, child.get("type")) for child in case])
        for case in root.iter("testcase")
    ] == [
        ("dist/a-cu.whl", [("failure", "NV214")]),
        ("dist/b 1.json", [("system-out", None)]),
        ("dist/c.whl", []),
    ]


@given(runs)
def test_junit_is_xml_whatever_was_found(run: Run) -> None:
    root = junit(run)

    assert len([*root.iter("failure"), *root.iter("system-out")]) == len(run.findings)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_could_not_be_examined_is_an_error(form: str) -> None:
    run = Run("verify", ("a.whl",), (failure("a.whl", "a.whl: no such file"),))

    assert "no such file" in rendered(form, run)
    assert run.findings[0].fails
