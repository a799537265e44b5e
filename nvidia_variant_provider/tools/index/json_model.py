"""The JSON document of ``index --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.documents import JsonModel

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.index.plan import Plan
    from nvidia_variant_provider.tools.index.releases import ListedRelease

SCHEMA_VERSION: Final = 1


class ReleaseRecord(JsonModel):
    """One version of a project, as it is listed."""

    project: str = Field(description="the normalised name")
    version: str
    files: tuple[str, ...] = Field(description="the names of wheels and source distributions")
    labels: tuple[str, ...] = Field(description="the variant labels, sorted")
    metadata: str | None = Field(description="the release's metadata file; null without variants")


class IndexDocument(JsonModel):
    """What ``index --json`` prints."""

    schema_version: Literal[1]
    tool_version: str
    folder: str = Field(description="where the index was written")
    releases: tuple[ReleaseRecord, ...]


def build_document(plan: Plan) -> IndexDocument:
    """Return the document of a run."""
    return IndexDocument(
        schema_version=SCHEMA_VERSION,
        tool_version=__version__,
        folder=str(plan.folder),
        releases=tuple(_record(it) for it in plan.releases),
    )


def _record(release: ListedRelease) -> ReleaseRecord:
    return ReleaseRecord(
        project=release.key.project,
        version=str(release.key.version),
        files=tuple(it.path.name for it in release.files),
        labels=tuple(release.labels),
        metadata=release.key.metadata_name if release.metadata is not None else None,
    )
