"""The JSON documents of the tools, as pydantic models; ``schemas/`` is generated from them.

Importing this package is cheap: the table holds names, and the models load with their module.
"""

from __future__ import annotations

from typing import Final

# The name of the file, ``schemas/<name>.schema.json``, and where its model is.
# ``.ci/regen_schemas.py`` rewrites every file of this table.
SCHEMAS: Final[dict[str, str]] = {
    "conformance-cases": "nvidia_variant_provider.records.conformance:CaseFile",
    "conformance-report": "nvidia_variant_provider.records.conformance:ConformanceReport",
    "detection": "nvidia_variant_provider.records.detection:DetectionModel",
    "machine": "nvidia_variant_provider.records.machine:MachineModel",
    "record": "nvidia_variant_provider.records.machine:RecordModel",
    "inspection": "nvidia_variant_provider.records.inspection:Inspection",
}
