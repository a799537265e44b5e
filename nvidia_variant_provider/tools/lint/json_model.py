"""The JSON document of ``lint --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.documents import JsonModel
from nvidia_variant_provider.tools.findings.json_model import FindingRecord

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.lint.engine import Report

SCHEMA_VERSION: Final = 1


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
        findings=tuple(FindingRecord.of(finding) for finding in report.findings),
    )
