"""The JSON document of ``convert --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonDocument, JsonModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.convert.files import Planned


class ChangeModel(JsonModel):
    """One difference that means something."""

    key: str = Field(description="the path in the old document, its steps parted by '/'")
    action: str = Field(description="what was done")
    reason: str = Field(description="why nothing is lost")


class ConvertedModel(JsonModel):
    """One file."""

    source: str = Field(description="the file; a wheel's member follows after '!'")
    target: str = Field(description="the file's new name, mostly the same")
    changes: tuple[ChangeModel, ...] = Field(description="empty for a file that is current")
    document: dict[str, Any] = Field(
        description="the metadata or the table after the conversion; empty for METADATA"
    )


class ConversionDocument(JsonDocument):
    """What ``convert --json`` prints."""

    written: bool = Field(description="whether the files were changed, not only looked at")
    files: tuple[ConvertedModel, ...]

    @classmethod
    def of(cls, planned: Iterable[Planned], *, written: bool) -> ConversionDocument:
        """Return the document of a run."""
        return cls(written=written, files=tuple(_record(file) for file in planned))


def _record(planned: Planned) -> ConvertedModel:
    return ConvertedModel(
        source=planned.source,
        target=str(planned.target),
        changes=tuple(
            ChangeModel(key=change.key, action=change.action, reason=change.reason)
            for change in planned.changes
        ),
        document=planned.document,
    )
