"""The JSON document of ``lint --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonDocument
from nvidia_variant_provider.tools.findings.json_model import FindingModel

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.lint.engine import Report


class LintDocument(JsonDocument):
    """What ``lint --json`` prints."""

    files: tuple[str, ...] = Field(description="the files that were read")
    findings: tuple[FindingModel, ...]

    @classmethod
    def of(cls, report: Report) -> LintDocument:
        """Return the document of a run."""
        findings = tuple(FindingModel.of(finding) for finding in report.findings)
        return cls(files=report.files, findings=findings)
