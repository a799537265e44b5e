"""What ``detect --json`` prints."""

from __future__ import annotations

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonModel
from nvidia_variant_provider.tools.machines.json_model import MachineModel, NoteModel


class StepModel(JsonModel):
    """One probe of the trail."""

    probe: str
    source: str
    found: bool
    detail: str
    seconds: float


class FeatureModel(JsonModel):
    """One feature that an installer gets, its most preferred value first."""

    name: str
    values: list[str]


class DetectionModel(MachineModel):
    """A machine file, with the trail, the advice, and what an installer gets."""

    code: str = Field(examples=["NVP-BLOCKED"])
    help: str = Field(description="the section of the documentation on this status")
    advice: list[str]
    rules: int
    features: list[FeatureModel]
    feature_notes: list[NoteModel]
    trail: list[StepModel]
