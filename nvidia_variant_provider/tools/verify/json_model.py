"""The JSON document of ``verify``: findings by wheel, and the share behind every claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from nvidia_variant_provider.tools.documents import FailureModel, JsonDocument, JsonModel
from nvidia_variant_provider.tools.findings.json_model import FindingModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nvidia_variant_provider.tools.findings.model import Finding
    from nvidia_variant_provider.tools.verify.code import GroupCode
    from nvidia_variant_provider.tools.verify.wheel import ExaminedWheel


class ShareModel(JsonModel):
    """The containers behind one stated architecture."""

    value: str
    serving: int = Field(
        description="containers with a cubin that runs on such a GPU, or PTX it compiles"
    )
    exact: int = Field(description="containers with code for just this compute capability")

    @classmethod
    def all_of(cls, wheel: ExaminedWheel, code: GroupCode) -> list[ShareModel]:
        """Build the models of every stated architecture."""
        return [
            cls(value=str(arch), serving=code.serving(arch), exact=code.exact(arch))
            for arch in wheel.stated
        ]


class GroupModel(JsonModel):
    """The libraries for one CUDA, in a wheel that brings some for several."""

    name: str = Field(description="such as 'CUDA 11.8'")
    containers: int
    stated: list[ShareModel]


class WheelModel(JsonModel):
    """One wheel: what it states, and what was found."""

    path: str
    label: str
    containers: int = Field(description="containers with kernels in the wheel's own libraries")
    stated: list[ShareModel]
    groups: list[GroupModel] = Field(
        description="the shares by CUDA, which count; empty unless there are libraries for several"
    )
    lower_bound: str | None
    findings: list[FindingModel]

    @classmethod
    def of(cls, wheel: ExaminedWheel, findings: Iterable[Finding], path: str = "") -> WheelModel:
        """Build the model of one wheel; ``path`` names it otherwise than it was opened."""
        return cls(
            path=path or wheel.path,
            label=wheel.name.label,
            containers=wheel.code.total,
            stated=ShareModel.all_of(wheel, wheel.code),
            groups=[
                GroupModel(
                    name=code.group.name,
                    containers=code.total,
                    stated=ShareModel.all_of(wheel, code),
                )
                for code in wheel.groups
                if code.group.name
            ],
            lower_bound=str(wheel.lower_bound) if wheel.lower_bound else None,
            findings=[FindingModel.of(finding, path) for finding in findings],
        )


class Verification(JsonDocument):
    """The document that ``verify --json`` prints; true if nothing worse than a note was found."""

    threshold: float = Field(description="share of containers that a claim needs")
    passed: bool
    wheels: list[WheelModel]
    failures: list[FailureModel]

    @classmethod
    def of(
        cls,
        threshold: float,
        verified: Sequence[tuple[ExaminedWheel, Sequence[Finding]]],
        failures: Mapping[str, str],
    ) -> Verification:
        """Build the document from the wheels with their findings, and those that failed."""
        worse = any(finding.fails for _, findings in verified for finding in findings)
        return cls(
            threshold=threshold,
            passed=not worse and not failures,
            wheels=[WheelModel.of(wheel, findings) for wheel, findings in verified],
            failures=[FailureModel(path=path, error=error) for path, error in failures.items()],
        )
