"""Findings in the forms that other tools read: GitHub, GitLab, SARIF, JUnit.

Pure: findings in, text out. A wheel or a JSON file has no lines that would help anybody, so every
finding stands at line 1 of its file, and the place in it is part of the message.

Sources: workflow commands of GitHub Actions, GitLab's code quality report, OASIS SARIF 2.1.0, and
the JUnit XML that Jenkins and GitLab read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.findings.model import Finding, Problem, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAILED: Final = Rule("failed", Severity.ERROR, "a file that could not be examined")
"""For files that a tool could not open: in these forms they are findings, too."""

_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_GITHUB: Final = {"error": "error", "warning": "warning", "note": "notice"}
_GITLAB: Final = {"error": "major", "warning": "minor", "note": "info"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a tool: its name, such as ``lint``, its files and what was found in them."""

    tool: str
    files: tuple[str, ...]
    findings: tuple[Finding, ...]


def failure(path: str, error: str) -> Finding:
    """Return the finding of a file that could not be examined."""
    return Finding(FAILED, Problem(path, "", error.removeprefix(f"{path}: ")))


def _file(source: str) -> str:
    """Return the file of a source: without the member of a wheel or the table of a TOML file."""
    return source.partition("!")[0].removesuffix("[variant]")


def _text(finding: Finding) -> str:
    """Return what a reader of a list needs: the place, the message, and where else it is."""
    source, key, message = finding.problem
    member = source.partition("!")[2]
    where = ": ".join(filter(None, (member, key, message)))
    return where + (f" (and in {', '.join(finding.also_in)})" if finding.also_in else "")


def github(run: Run) -> Iterator[str]:
    """Yield a workflow command for each finding."""
    for finding in run.findings:
        level = _GITHUB[finding.rule.severity.value]
        code = finding.rule.code
        place = f"file={_property(_file(finding.problem.source))},line=1,title={_property(code)}"
        yield f"::{level} {place}::{_escaped(f'{code}: {_text(finding)}')}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def gitlab(run: Run) -> Iterator[str]:
    """Yield the lines of a code quality report."""
    report = [
        {
            "description": f"{finding.rule.code}: {_text(finding)}",
            "check_name": finding.rule.code,
            "fingerprint": hashlib.sha256(
                "\0".join((finding.rule.code, *finding.problem)).encode("utf-8", "backslashreplace")
            ).hexdigest(),
            "severity": _GITLAB[finding.rule.severity.value],
            "location": {"path": _file(finding.problem.source), "lines": {"begin": 1}},
        }
        for finding in run.findings
    ]
    yield from json.dumps(report, indent=2).splitlines()


def sarif(run: Run) -> Iterator[str]:
    """Yield the lines of a SARIF log."""
    rules = {finding.rule.code: finding.rule for finding in run.findings}
    index = {code: at for at, code in enumerate(rules)}
    driver = {
        "name": f"nvidia-variant-provider {run.tool}",
        "version": __version__,
        "rules": [_sarif_rule(rule) for rule in rules.values()],
    }
    results = [_sarif_result(finding, index[finding.rule.code]) for finding in run.findings]
    log = {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}],
    }
    yield from json.dumps(log, indent=2).splitlines()


def _sarif_rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "help": {"text": f"nvidia-variant-provider code {rule.code}"},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _sarif_result(finding: Finding, rule_index: int) -> dict[str, object]:
    places = (_file(finding.problem.source), *(_file(source) for source in finding.also_in))
    return {
        "ruleId": finding.rule.code,
        "ruleIndex": rule_index,
        "level": finding.rule.severity.value,
        "message": {"text": _text(finding)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(path)},
                    "region": {"startLine": 1},
                }
            }
            for path in dict.fromkeys(places)
        ],
    }


def _uri(path: str) -> str:
    path = path.replace("\\", "/")
    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{quoted}" if path.startswith("/") else quoted


def junit(run: Run) -> Iterator[str]:
    """Yield the lines of a JUnit report: a file is a test case, notes do not fail it."""
    by_file: dict[str, list[Finding]] = {path: [] for path in run.files}
    for finding in run.findings:
        by_file.setdefault(_file(finding.problem.source), []).append(finding)
    bad = sum(any(finding.fails for finding in findings) for findings in by_file.values())
    counts = f'tests="{len(by_file)}" failures="{bad}" errors="0"'
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<testsuites name="nvidia-variant-provider" {counts}>'
    yield f"  <testsuite name={_attribute(run.tool)} {counts}>"
    for path, findings in by_file.items():
        yield f"    <testcase name={_attribute(path)} classname={_attribute(run.tool)}>"
        for finding in findings:
            tag = "failure" if finding.fails else "system-out"
            yield f"      {_junit_element(tag, finding)}"
        yield "    </testcase>"
    yield "  </testsuite>"
    yield "</testsuites>"


def _junit_element(tag: str, finding: Finding) -> str:
    text = f"{finding.rule.code} {finding.rule.severity.value}: {_text(finding)}"
    if tag == "system-out":
        return f"<system-out>{_attribute(text)[1:-1]}</system-out>"
    return f"<failure type={_attribute(finding.rule.code)} message={_attribute(text)}/>"


def _attribute(text: str) -> str:
    # The module also loads a client of HTTP, and every --help looks at the table below.
    from xml.sax.saxutils import quoteattr

    # XML 1.0 cannot hold control characters, not even escaped.
    return quoteattr(
        "".join(
            character if character.isprintable() else repr(character)[1:-1] for character in text
        )
    )


FORMATS: Final[dict[str, Callable[[Run], Iterator[str]]]] = {
    "github": github,
    "gitlab": gitlab,
    "sarif": sarif,
    "junit": junit,
}
"""The forms beside ``text`` and ``json``, which each command has of its own."""
