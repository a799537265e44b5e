"""The lines that ``survey`` writes, one a wheel, and the document of ``survey summary --json``."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import ConfigDict, Field

from nvidia_variant_provider.tools.binaries.json_model import FileModel  # noqa: TC001 - pydantic reads it
from nvidia_variant_provider.tools.documents import JsonModel
from nvidia_variant_provider.tools.verify.json_model import WheelModel  # noqa: TC001 - the same

SCHEMA_VERSION: Final = 1
_URN: Final = "urn:nvidia-variant-provider:schema"


FailureCode = Literal[
    "damaged",
    "internal-error",
    "invalid",
    "no-label",
    "out-of-memory",
    "timeout",
    "unreadable",
    "worker-died",
]


class SurveyFailure(JsonModel):
    """Why there is no result for a wheel; docs/survey.md lists the codes."""

    code: FailureCode
    error: str


class SurveyLine(JsonModel):
    """One wheel. The last line about a path is the one that counts."""

    model_config = ConfigDict(json_schema_extra={"$id": f"{_URN}:survey-line:{SCHEMA_VERSION}"})

    schema_version: Literal[1] = 1
    provider_version: str
    command: Literal["inspect", "verify"]
    threshold: float | None = Field(description="of verify: share of containers a claim needs")
    path: str = Field(description="absolute; bytes that are not UTF-8 are escaped")
    size: int | None = Field(description="bytes; null where the path could not be looked up")
    mtime_ns: int | None = Field(description="time of the last change, in ns since 1970")
    outcome: Literal["done", "failed", "skipped"]
    failure: SurveyFailure | None = None
    inspection: FileModel | None = Field(None, description="as in 'inspect --json', files[]")
    verification: WheelModel | None = Field(None, description="as in 'verify --json', wheels[]")


class ArchCount(JsonModel):
    """Wheels whose own libraries have code for an architecture, by how many containers do."""

    arch: str = Field(examples=["90a_real"])
    full: int = Field(description="wheels where every container runs natively on such a GPU")
    dominant: int = Field(description="wheels where it is in the set that most containers have")
    union: int = Field(description="wheels where it is in some container")


class BoundCount(JsonModel):
    """Wheels by the oldest CUDA driver version that serves, by minor-version compatibility."""

    compatible: str = Field(description="such as '12.0', or 'none' without any evidence")
    wheels: int


class FindingCount(JsonModel):
    """A finding of ``inspect`` or ``verify``: how often, and in how many wheels."""

    code: str
    severity: str = Field(description="of verify only")
    title: str = Field(description="of verify only")
    count: int
    wheels: int


class FailureCount(JsonModel):
    """Wheels without a result, by reason, with the first of them."""

    code: str
    wheels: int
    examples: list[str]


class SurveySummary(JsonModel):
    """The document that ``survey summary --json`` prints."""

    model_config = ConfigDict(json_schema_extra={"$id": f"{_URN}:survey-summary:{SCHEMA_VERSION}"})

    schema_version: Literal[1] = 1
    command: Literal["inspect", "verify"]
    wheels: int
    bytes: int
    done: int
    skipped: int
    failed: int
    without_device_code: int
    code_elsewhere: int = Field(
        description="of these, wheels that use CUDA all the same: their code is made at run time"
        " or lies in other packages; files of older releases do not tell"
    )
    archs: list[ArchCount]
    bounds: list[BoundCount]
    findings: list[FindingCount]
    failures: list[FailureCount]
