"""What can be off in a file that could still be read: the codes of ``inspect``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries.report import PACKED
from nvidia_variant_provider.tools.findings.model import Finding, Problem, Rule, Severity

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.binaries.report import Contents
    from nvidia_variant_provider.tools.findings.selection import Selection

DAMAGED: Final = Rule("damaged", Severity.WARNING, "a member that could not be read to its end")
DAMAGED_CONTAINER: Final = Rule(
    "damaged-container", Severity.WARNING, "a container that contradicts itself"
)
NESTED_ARCHIVE: Final = Rule(PACKED, Severity.NOTE, "an archive inside the wheel, not looked into")
SUSPICIOUS_SIZE: Final = Rule(
    "suspicious-size", Severity.WARNING, "a member that would inflate more than 100-fold, not read"
)
TOO_MANY: Final = Rule(
    "too-many", Severity.WARNING, "more containers or sorts of images than any real file has"
)
UNREADABLE: Final = Rule(
    "unreadable", Severity.WARNING, "a file of a folder that could not be read"
)
UNREADABLE_MEMBER: Final = Rule(
    "unreadable-member", Severity.WARNING, "a member packed as wheels do not do it, not read"
)

RULES: Final = (
    DAMAGED,
    DAMAGED_CONTAINER,
    NESTED_ARCHIVE,
    SUSPICIOUS_SIZE,
    TOO_MANY,
    UNREADABLE,
    UNREADABLE_MEMBER,
)
"""Every rule, by code; docs/inspect.md has a section for each."""


def findings_of(contents: Contents, selection: Selection) -> list[Finding]:
    """Return the selected findings of a file, each naming it."""
    named = (
        replace(finding, problem=finding.problem._replace(source=contents.path))
        for finding in contents.all_findings
    )
    return [finding for finding in named if selection.keeps(finding)]


def finding_in(rule: Rule, part: str, text: str) -> Finding:
    """Return a finding in a part of a file; whoever opened the file knows its name."""
    return Finding(rule, Problem("", part, text))
