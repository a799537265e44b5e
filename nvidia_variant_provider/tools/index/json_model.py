"""The JSON document of ``index --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonDocument, JsonModel

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.index.plan import Plan
    from nvidia_variant_provider.tools.releases.release import Release


class ReleaseModel(JsonModel):
    """One version of a project, as it is listed."""

    project: str = Field(description="the normalised name")
    version: str
    files: tuple[str, ...] = Field(description="the names of wheels and source distributions")
    labels: tuple[str, ...] = Field(description="the variant labels, sorted")
    metadata: str | None = Field(description="the release's metadata file; null without variants")


class MisnamedModel(JsonModel):
    """A file that ends in ``.whl`` and has no wheel's name."""

    file: str
    reason: str


class IndexDocument(JsonDocument):
    """What ``index --json`` prints."""

    folder: str = Field(description="where the index was written")
    releases: tuple[ReleaseModel, ...]
    misnamed: tuple[MisnamedModel, ...] = Field(
        default=(), description="left out, as no installer finds them; the exit code is 1 then"
    )

    @classmethod
    def of(cls, plan: Plan) -> IndexDocument:
        """Return the document of a run."""
        return cls(
            folder=str(plan.folder),
            releases=tuple(_record(release) for release in plan.releases),
            misnamed=tuple(
                MisnamedModel(file=file.path.name, reason=file.reason) for file in plan.misnamed
            ),
        )


def _record(release: Release) -> ReleaseModel:
    return ReleaseModel(
        project=release.name,
        version=release.version,
        files=release.files,
        labels=tuple(sorted(release.labels)),
        metadata=release.document_name or None,
    )
