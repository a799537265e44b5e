"""The JSON of a finding, in whatever document, and the document of ``code --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonDocument, JsonModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.findings.code_pages import Section
    from nvidia_variant_provider.tools.findings.model import Finding


class FindingModel(JsonModel):
    """One finding of lint, verify or inspect; the command `code` explains its code."""

    code: str = Field(examples=["NV214", "damaged"])
    severity: Literal["error", "warning", "note"]
    title: str = Field(description="what the code stands for")
    uv: Literal["refuses", "skips", "none"] = Field(description="what uv does about it")
    source: str = Field(description="the file; a wheel's member follows after '!'")
    key: str = Field(
        description="the place in it: the path of a key with '/', a property or a member; or empty"
    )
    message: str = Field(description="what was seen and what was expected")
    also_in: tuple[str, ...] = Field(description="other files with the very same fault")

    @classmethod
    def of(cls, finding: Finding, source: str = "") -> FindingModel:
        """Return the model of a finding; ``source`` names its file otherwise than it does."""
        return cls(
            code=finding.rule.code,
            severity=finding.rule.severity.value,
            title=finding.rule.title,
            uv=finding.rule.uv.value,
            source=source or finding.problem.source,
            key=finding.problem.key,
            message=finding.problem.message,
            also_in=finding.also_in,
        )


class CodeModel(JsonModel):
    """A stable code and the section of the documentation that explains it."""

    code: str = Field(examples=["NV214", "NVP-NONE", "wsl-driver"])
    title: str = Field(description="the section's heading; empty where the code says it all")
    meaning: str = Field(description="one sentence")
    page: str = Field(description="the page of docs/ that the section is of", examples=["lint"])
    text: str = Field(description="the section, in Markdown")


class Codes(JsonDocument):
    """What ``code --json`` prints."""

    codes: tuple[CodeModel, ...]

    @classmethod
    def of(cls, sections: Iterable[Section]) -> Codes:
        """Return the document of some sections."""
        return cls(
            codes=tuple(
                CodeModel(
                    code=section.code,
                    title=section.title,
                    meaning=section.meaning,
                    page=section.page,
                    text=section.text,
                )
                for section in sections
            )
        )
