"""The JSON document of ``code --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.documents import JsonModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.findings.code_pages import Section


class CodeRecord(JsonModel):
    """A stable code and the section of the documentation that explains it."""

    code: str = Field(examples=["NV214", "NVP-NONE", "wsl-driver"])
    title: str = Field(description="the section's heading; empty where the code says it all")
    meaning: str = Field(description="one sentence")
    page: str = Field(description="the page of docs/ that the section is of", examples=["lint"])
    text: str = Field(description="the section, in Markdown")


class Codes(JsonModel):
    """What ``code --json`` prints."""

    schema_version: Literal[1] = 1
    tool_version: str = __version__
    codes: tuple[CodeRecord, ...]

    @classmethod
    def of(cls, sections: Iterable[Section]) -> Codes:
        """Return the document of some sections."""
        return cls(
            codes=tuple(
                CodeRecord(
                    code=it.code, title=it.title, meaning=it.meaning, page=it.page, text=it.text
                )
                for it in sections
            )
        )
