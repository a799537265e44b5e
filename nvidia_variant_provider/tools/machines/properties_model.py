"""The JSON document of ``properties``: the features an installer gets, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from nvidia_variant_provider.targets.target import ASSUMED
from nvidia_variant_provider.tools.documents import JsonModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.model import Machine, Note
    from nvidia_variant_provider.provider import Answer
    from nvidia_variant_provider.rules import Feature

SCHEMA_VERSION: Final = 1


class GpuSummary(JsonModel):
    """A GPU by name and compute capability."""

    name: str
    compute_capability: str | None = Field(examples=["9.0"])


class MachineSummary(JsonModel):
    """The machine the properties are for."""

    status: str = Field(examples=["ok", "pinned"])
    reason: str
    architecture: str = Field(description="of the CPU", examples=["x86_64", "aarch64"])
    driver_release: str | None = Field(examples=["580.65.06"])
    cuda_driver_version: str | None = Field(examples=["13.0"])
    gpus: tuple[GpuSummary, ...]
    assumed: tuple[str, ...] = Field(
        default=(), description="what was assumed of a machine that was named, in sentences"
    )

    @classmethod
    def of(cls, machine: Machine) -> MachineSummary:
        """Build the model of a machine."""
        return cls(
            status=machine.status.value,
            reason=machine.reason,
            architecture=machine.platform.architecture,
            driver_release=None if machine.driver_release is None else str(machine.driver_release),
            cuda_driver_version=None if machine.cuda is None else str(machine.cuda),
            gpus=tuple(
                GpuSummary(
                    name=gpu.name,
                    compute_capability=None if gpu.capability is None else str(gpu.capability),
                )
                for gpu in machine.gpus
            ),
            assumed=tuple(note.text for note in machine.notes if note.code == ASSUMED),
        )


class FeatureModel(JsonModel):
    """A feature and its values, the most preferred first."""

    name: str = Field(examples=["sm_arch"])
    values: tuple[str, ...]
    multi_value: bool = Field(description="whether a wheel may state several of the values")


class NoteModel(JsonModel):
    """A remark: a stable code and a sentence."""

    code: str
    text: str

    @classmethod
    def of_all(cls, notes: Iterable[Note]) -> tuple[NoteModel, ...]:
        """Build the models of several remarks."""
        return tuple(cls(code=note.code, text=note.text) for note in notes)


class Properties(JsonModel):
    """What an installer gets. ``machine`` is null for the catalogue of every valid value."""

    schema_version: Literal[1] = 1
    namespace: Literal["nvidia"] = "nvidia"
    rules: Literal[0, 1] | None = Field(description="the rule set; null for the catalogue")
    machine: MachineSummary | None
    features: tuple[FeatureModel, ...] = Field(description="the most preferred first")
    notes: tuple[NoteModel, ...]

    @classmethod
    def of(cls, answer: Answer) -> Properties:
        """Build the document of one machine."""
        machine = answer.detection.machine
        return cls.model_validate(
            {
                "rules": answer.rules,
                "machine": MachineSummary.of(machine),
                "features": _features(answer.decision.features),
                "notes": NoteModel.of_all((*machine.notes, *answer.decision.notes)),
            }
        )

    @classmethod
    def of_catalogue(cls, features: Iterable[Feature]) -> Properties:
        """Build the document of every valid value."""
        return cls(rules=None, machine=None, features=_features(features), notes=())


def _features(features: Iterable[Feature]) -> tuple[FeatureModel, ...]:
    return tuple(
        FeatureModel(name=feature.name, values=feature.values, multi_value=feature.multi_value)
        for feature in features
    )
