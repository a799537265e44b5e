"""The JSON documents of the tools, as pydantic models; ``schemas/`` is generated from them.

Importing this package is cheap: the table holds names, and the models load with their module.
"""

from __future__ import annotations

from typing import Final

# The name of the file, ``schemas/<name>.schema.json``, and where its model is.
# ``.ci/regen_schemas.py`` rewrites every file of this table.
SCHEMAS: Final[dict[str, str]] = {
    "coverage": "nvidia_variant_provider.records.coverage:CoverageModel",
    "detection": "nvidia_variant_provider.records.detection:DetectionModel",
    "machine": "nvidia_variant_provider.records.machine:MachineModel",
    "properties": "nvidia_variant_provider.records.properties:Properties",
    "record": "nvidia_variant_provider.records.machine:RecordModel",
    "targets": "nvidia_variant_provider.records.targets:Targets",
    "inspection": "nvidia_variant_provider.records.inspection:Inspection",
}
