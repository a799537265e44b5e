"""The JSON document of ``lint --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.documents import JsonModel

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.lint.engine import Report
    from nvidia_variant_provider.tools.lint.model import Finding

SCHEMA_VERSION: Final = 1


class FindingRecord(JsonModel):
    """One finding; ``docs/lint.md`` has a section for its code."""

    code: str = Field(pattern=r"^NV\d{3}$")
    severity: Literal["error", "warning", "note"]
    title: str = Field(description="what the code stands for")
    uv: Literal["refuses", "skips", "none"] = Field(description="what uv does about it")
    source: str = Field(description="the file; a wheel's member follows after '!'")
    key: str = Field(description="the path in the document, its steps parted by '/'; may be empty")
    message: str = Field(description="what was seen and what was expected")
    also_in: tuple[str, ...] = Field(description="other files with the very same fault")


class LintDocument(JsonModel):
    """What ``lint --json`` prints."""

    schema_version: Literal[1]
    tool_version: str
    files: tuple[str, ...] = Field(description="the files that were read")
    findings: tuple[FindingRecord, ...]


def build_document(report: Report) -> LintDocument:
    """Return the document of a run."""
    return LintDocument(
        schema_version=SCHEMA_VERSION,
        tool_version=__version__,
        files=report.files,
        findings=tuple(_record(it, also_in) for it, also_in in report.findings),
    )


def _record(finding: Finding, also_in: tuple[str, ...]) -> FindingRecord:
    return FindingRecord(
        code=finding.rule.code,
        severity=finding.rule.severity.value,
        title=finding.rule.title,
        uv=finding.rule.uv.value,
        source=finding.problem.source,
        key=finding.problem.key,
        message=finding.problem.message,
        also_in=also_in,
    )
