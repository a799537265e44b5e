"""The JSON documents of the tools, as pydantic models; ``schemas/`` is generated from them.

Importing this package is cheap: the table holds names, and the models load with their module.
"""

from __future__ import annotations

from typing import Final

# The name of the file, ``schemas/<name>.schema.json``, and where its model is.
# ``.ci/regen_schemas.py`` rewrites every file of this table.
SCHEMAS: Final[dict[str, str]] = {
    "codes": "nvidia_variant_provider.records.codes:Codes",
    "conformance-cases": "nvidia_variant_provider.records.conformance:CaseFile",
    "conformance-report": "nvidia_variant_provider.records.conformance:ConformanceReport",
    "conversion": "nvidia_variant_provider.records.conversion:ConversionDocument",
    "coverage": "nvidia_variant_provider.records.coverage:CoverageModel",
    "detection": "nvidia_variant_provider.records.detection:DetectionModel",
    "machine": "nvidia_variant_provider.records.machine:MachineModel",
    "nvidia-data": "nvidia_variant_provider.records.data:NvidiaData",
    "properties": "nvidia_variant_provider.records.properties:Properties",
    "record": "nvidia_variant_provider.records.machine:RecordModel",
    "targets": "nvidia_variant_provider.records.targets:Targets",
    "torch-backend": "nvidia_variant_provider.records.torch_backend:TorchBackend",
    "explanation": "nvidia_variant_provider.records.explanation:Explanations",
    "inspection": "nvidia_variant_provider.records.inspection:Inspection",
    "tagging": "nvidia_variant_provider.records.tagging:Tagging",
    "untagging": "nvidia_variant_provider.records.untagging:Untagging",
    "verification": "nvidia_variant_provider.records.verification:Verification",
    "survey-line": "nvidia_variant_provider.records.survey:SurveyLine",
    "survey-summary": "nvidia_variant_provider.records.survey:SurveySummary",
    "lint": "nvidia_variant_provider.records.lint:LintDocument",
    "index": "nvidia_variant_provider.records.index:IndexDocument",
}
