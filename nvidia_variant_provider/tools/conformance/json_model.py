"""Conformance cases, and the report that ``conformance --json`` prints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nvidia_variant_provider.tools.documents import JsonModel
from nvidia_variant_provider.tools.machines.json_model import ObservedModel  # noqa: TC001 - pydantic reads it

Evidence = Literal["uv", "variantlib", "specification", "hand", "record"]


class PropertiesRequest(JsonModel):
    """Ask what a machine supports."""

    ask: Literal["properties"]
    machine: dict[str, object] | None = Field(
        description="a machine file (machine.schema.json), not necessarily a valid one; "
        "null where detection found nothing"
    )
    environment: dict[str, str] = Field(
        description="the override variables that are set; no other counts"
    )


class ChoiceRequest(JsonModel):
    """Ask which wheel of a release a machine gets."""

    ask: Literal["choice"]
    machine: dict[str, object] | None
    environment: dict[str, str]
    metadata: dict[str, object] = Field(
        description="the release's NAME-VERSION-variants.json (PEP 825, PEP 850)"
    )


class DetectionRequest(JsonModel):
    """Ask what a machine is."""

    ask: Literal["detection"]
    observed: ObservedModel


class ExpectedFeature(JsonModel):
    """A supported feature with its values, most preferred first."""

    name: str
    values: list[str]
    multi_value: bool


class ExpectedFeatures(JsonModel):
    """The exact supported features, most preferred first."""

    features: list[ExpectedFeature]


class Fault(JsonModel):
    """Which variable is at fault; the words are the implementation's own."""

    variable: str


class ExpectedError(JsonModel):
    """The override is refused."""

    error: Fault


class ExpectedLabel(JsonModel):
    """The chosen variant label; null is the wheel without a label."""

    label: str | None


class Facts(JsonModel):
    """What detection makes of a machine; the capabilities are distinct, weakest first."""

    status: str
    driver_release: str | None
    cuda_driver_version: str | None
    cuda_derived: bool
    compute_capabilities: list[str]


class ExpectedFacts(JsonModel):
    """The machine that is found."""

    facts: Facts


class CaseModel(JsonModel):
    """One question, the answer, and what the answer rests on."""

    id: str = Field(pattern=r"^[a-z0-9-]+/[a-z0-9._+-]+$", examples=["properties-1/h100"])
    title: str
    evidence: Evidence = Field(description="docs/conformance.md says what each word means")
    request: Annotated[
        PropertiesRequest | ChoiceRequest | DetectionRequest, Field(discriminator="ask")
    ]
    expected: ExpectedFeatures | ExpectedError | ExpectedLabel | ExpectedFacts


class CaseFile(JsonModel):
    """A group of cases."""

    model_config = ConfigDict(
        json_schema_extra={"$id": "urn:nvidia-variant-provider:schema:conformance-cases:1"},
    )

    schema_version: Literal[1]
    group: str = Field(pattern=r"^[a-z0-9-]+$")
    about: str
    cases: list[CaseModel] = Field(min_length=1)


class GroupTally(JsonModel):
    """How the cases of one group went."""

    group: str
    passed: int
    failed: int
    skipped: int


class Failure(JsonModel):
    """A case that failed; ``seen`` is the reply, null where there was none to read."""

    id: str
    reason: str
    seen: dict[str, object] | None
    expected: dict[str, object]


class ConformanceReport(JsonModel):
    """What ``conformance --json`` prints."""

    model_config = ConfigDict(
        json_schema_extra={"$id": "urn:nvidia-variant-provider:schema:conformance-report:1"},
    )

    schema_version: Literal[1]
    provider_version: str = Field(description="the release whose cases and runner were used")
    protocol: Literal[1]
    conforms: bool = Field(description="at least one case passed and none failed")
    groups: list[GroupTally]
    failures: list[Failure]
