"""The JSON document of ``explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonDocument, JsonModel
from nvidia_variant_provider.tools.installers.table import EXPLAINED, PIP
from nvidia_variant_provider.tools.machines.properties_model import MachineSummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.tools.explain.fitness import Fitness
    from nvidia_variant_provider.tools.explain.ordinary import InstalledBuild
    from nvidia_variant_provider.tools.explain.results import Explanation, View
    from nvidia_variant_provider.tools.releases.release import Release


class RowModel(JsonModel):
    """One variant, or the wheel without a label."""

    label: str | None = Field(description="null for the wheel without a label")
    place: int | None = Field(description="in the order, from 1; null if it cannot be taken")
    reason: str


class ViewModel(JsonModel):
    """What one installer makes of the release."""

    installer: str = Field(
        description="the name of an installer",
        json_schema_extra={"enum": [installer.name for installer in EXPLAINED]},
    )
    version: str = Field(
        default="", description="the version that it sees; installers differ over several indexes"
    )
    winner: str | None = Field(description="a label; null for the wheel without one, or nothing")
    takes: Literal["variant", "ordinary", "nothing"]
    gpu_build: bool = Field(description="whether the winner states a property of nvidia")
    remark: str
    rows: tuple[RowModel, ...] = Field(description="best first, then those that cannot be taken")

    @classmethod
    def of(cls, view: View, release: Release) -> ViewModel:
        """Build the model of one installer."""
        from nvidia_variant_provider.tools.explain.results import ORDINARY

        named = None if view.winner == ORDINARY else view.winner
        takes = "nothing" if view.winner is None else "variant" if named else "ordinary"
        return cls.model_validate(
            {
                "installer": view.installer.name,
                "version": (release.seen_by_pip if view.installer is PIP else release).version,
                "winner": named,
                "takes": takes,
                "gpu_build": view.has_gpu_build,
                "remark": view.remark,
                "rows": tuple(
                    RowModel(
                        label=None if row.label == ORDINARY else row.label,
                        place=row.place,
                        reason=row.reason,
                    )
                    for row in view.rows
                ),
            }
        )


class InstalledModel(JsonModel):
    """What is installed, where it has no label: the build by the signs in it."""

    name: str
    version: str = Field(examples=["2.14.1+cu130"])
    label: str = Field(
        description="as PyTorch's index calls it; empty if not known", examples=["cu130", "cpu"]
    )
    cuda: str | None = Field(description="null for a build without CUDA", examples=["13.0"])
    device_code: tuple[str, ...] = Field(examples=[["75_real", "80_real"]])
    device_code_source: str
    evidence: tuple[str, ...] = Field(description="the surest first")
    disagreements: tuple[str, ...] = Field(
        description="of other installed projects, built for another CUDA or torch"
    )

    @classmethod
    def of(cls, build: InstalledBuild, disagreements: Iterable[str]) -> InstalledModel:
        """Build the model."""
        return cls(
            name=build.name,
            version=build.version,
            label=build.label,
            cuda=None if build.cuda is None else str(build.cuda),
            device_code=tuple(map(str, build.archs)),
            device_code_source=build.code_source,
            evidence=(*(sign.text for sign in build.evidence), *build.uses),
            disagreements=tuple(disagreements),
        )


class FitnessModel(JsonModel):
    """Whether what is installed runs on a machine."""

    runs: bool | None = Field(description="null where it cannot be told")
    reason: str
    repair: tuple[str, ...] = Field(description="commands or hints; empty where it runs")

    @classmethod
    def of(cls, fitness: Fitness) -> FitnessModel:
        """Build the model."""
        return cls(runs=fitness.runs, reason=fitness.reason, repair=fitness.repair)


class UnlabelledModel(JsonModel):
    """A wheel without a label in the folder or index: its build, and whether it runs."""

    version: str = Field(examples=["2.14.1+cu130"])
    label: str = Field(examples=["cu130", "cpu"])
    runs: bool | None = Field(description="null where it cannot be told")
    reason: str

    @classmethod
    def of(cls, build: InstalledBuild, fitness: Fitness) -> UnlabelledModel:
        """Build the model."""
        return cls(
            version=build.version, label=build.label, runs=fitness.runs, reason=fitness.reason
        )


class MachineResult(JsonModel):
    """The results for one machine."""

    name: str = Field(description="the target, the machine file, or 'this machine'")
    machine: MachineSummary
    installers: tuple[ViewModel, ...]
    warnings: tuple[str, ...]
    installed: FitnessModel | None = Field(
        default=None, description="the verdict on what is installed, where it has no label"
    )
    unlabelled: tuple[UnlabelledModel, ...] = Field(
        default=(), description="wheels without a label in which something is of CUDA"
    )


class Explanations(JsonDocument):
    """A release explained on one or more machines."""

    package: str
    version: str
    source: str
    indexes: tuple[str, ...] = Field(
        default=(), description="a sentence for each index that decides or is ignored"
    )
    machines: tuple[MachineResult, ...]
    installed: InstalledModel | None = Field(
        default=None, description="what is installed, where it has no label"
    )

    @classmethod
    def of(
        cls,
        release: Release,
        explanations: Sequence[tuple[str, Explanation]],
        ordinary: Sequence[Iterable[tuple[InstalledBuild, Fitness]]] = (),
    ) -> Explanations:
        """Build the document; ``ordinary`` has the wheels without a label, for each machine."""
        return cls(
            package=release.name,
            version=release.version,
            source=release.origin,
            indexes=release.several.lines if release.several is not None else (),
            machines=tuple(
                MachineResult(
                    name=name,
                    machine=MachineSummary.of(explanation.machine),
                    installers=tuple(ViewModel.of(view, release) for view in explanation.views),
                    warnings=explanation.warnings,
                    unlabelled=tuple(UnlabelledModel.of(*unlabelled) for unlabelled in judged),
                )
                for (name, explanation), judged in zip(
                    explanations, ordinary or [()] * len(explanations), strict=True
                )
            ),
        )
