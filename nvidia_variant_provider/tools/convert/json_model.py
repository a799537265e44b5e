"""The JSON document of ``convert --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.documents import JsonModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.convert.files import Planned

SCHEMA_VERSION: Final = 1


class ChangeRecord(JsonModel):
    """One difference that means something."""

    key: str = Field(description="the path in the old document, its steps parted by '/'")
    action: str = Field(description="what was done")
    reason: str = Field(description="why nothing is lost")


class ConvertedRecord(JsonModel):
    """One file."""

    source: str = Field(description="the file; a wheel's member follows after '!'")
    target: str = Field(description="the file's new name, mostly the same")
    changes: tuple[ChangeRecord, ...] = Field(description="empty for a file that is current")
    document: dict[str, Any] = Field(
        description="the metadata or the table after the conversion; empty for METADATA"
    )


class ConversionDocument(JsonModel):
    """What ``convert --json`` prints."""

    schema_version: Literal[1]
    tool_version: str
    written: bool = Field(description="whether the files were changed, not only looked at")
    files: tuple[ConvertedRecord, ...]


def build_document(planned: Iterable[Planned], *, written: bool) -> ConversionDocument:
    """Return the document of a run."""
    return ConversionDocument(
        schema_version=SCHEMA_VERSION,
        tool_version=__version__,
        written=written,
        files=tuple(_record(it) for it in planned),
    )


def _record(planned: Planned) -> ConvertedRecord:
    return ConvertedRecord(
        source=planned.source,
        target=str(planned.target),
        changes=tuple(
            ChangeRecord(key=it.key, action=it.action, reason=it.reason) for it in planned.changes
        ),
        document=planned.document,
    )
