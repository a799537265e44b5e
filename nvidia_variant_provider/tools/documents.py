"""JSON documents: what their models have in common, and where each of them is."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from nvidia_variant_provider import __version__

# The name of the file, ``schemas/<name>.schema.json``, and where its model is.
# ``.ci/regen_schemas.py`` rewrites every file of this table.
SCHEMAS: Final[dict[str, str]] = {
    "codes": "nvidia_variant_provider.tools.findings.json_model:Codes",
    "conformance-cases": "nvidia_variant_provider.tools.conformance.json_model:CaseFile",
    "conformance-report": "nvidia_variant_provider.tools.conformance.json_model:ConformanceReport",
    "conversion": "nvidia_variant_provider.tools.convert.json_model:ConversionDocument",
    "coverage": "nvidia_variant_provider.tools.coverage.json_model:CoverageModel",
    "detection": "nvidia_variant_provider.tools.machines.json_model:DetectionModel",
    "inventory": "nvidia_variant_provider.tools.inventory.json_model:InventoryModel",
    "machine": "nvidia_variant_provider.tools.machines.json_model:MachineModel",
    "nvidia-data": "nvidia_variant_provider.tools.conformance.data_model:NvidiaData",
    "properties": "nvidia_variant_provider.tools.machines.properties_model:Properties",
    "record": "nvidia_variant_provider.tools.machines.json_model:RecordModel",
    "targets": "nvidia_variant_provider.tools.machines.targets_model:Targets",
    "torch-backend": "nvidia_variant_provider.tools.torch.json_model:TorchBackend",
    "explanation": "nvidia_variant_provider.tools.explain.json_model:Explanations",
    "inspection": "nvidia_variant_provider.tools.binaries.json_model:Inspection",
    "tagging": "nvidia_variant_provider.tools.tagging.json_model:Tagging",
    "untagging": "nvidia_variant_provider.tools.tagging.json_model:Untagging",
    "verification": "nvidia_variant_provider.tools.verify.json_model:Verification",
    "survey-line": "nvidia_variant_provider.tools.survey.json_model:SurveyLine",
    "survey-summary": "nvidia_variant_provider.tools.survey.json_model:SurveySummary",
    "lint": "nvidia_variant_provider.tools.lint.json_model:LintDocument",
    "index": "nvidia_variant_provider.tools.index.json_model:IndexDocument",
}


class JsonModel(BaseModel):
    """A part of a document: it does not change, and a key that it does not know is an error."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class FailureModel(JsonModel):
    """A file that could not be examined, and why."""

    path: str
    error: str


class JsonDocument(JsonModel):
    """A whole document, as a command prints it with ``--json``.

    ``schema_version`` changes when a key is removed or changes its meaning; new keys may appear
    without that.
    """

    schema_version: Literal[1] = 1
    tool_version: str = Field(
        default=__version__, description="the release that wrote the document"
    )
