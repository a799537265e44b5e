"""The JSON document of ``explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonDocument, JsonModel
from nvidia_variant_provider.tools.installers.table import EXPLAINED
from nvidia_variant_provider.tools.machines.properties_model import MachineSummary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.explain.results import Explanation, View
    from nvidia_variant_provider.tools.releases.release import Release


class RowRecord(JsonModel):
    """One variant, or the wheel without a label."""

    label: str | None = Field(description="null for the wheel without a label")
    place: int | None = Field(description="in the order, from 1; null if it cannot be taken")
    reason: str


class ViewRecord(JsonModel):
    """What one installer makes of the release."""

    installer: str = Field(
        description="the name of an installer",
        json_schema_extra={"enum": [it.name for it in EXPLAINED]},
    )
    winner: str | None = Field(description="a label; null for the wheel without one, or nothing")
    takes: Literal["variant", "ordinary", "nothing"]
    gpu_build: bool = Field(description="whether the winner states a property of nvidia")
    remark: str
    rows: tuple[RowRecord, ...] = Field(description="best first, then those that cannot be taken")

    @classmethod
    def of(cls, view: View) -> ViewRecord:
        """Build the record of one installer."""
        from nvidia_variant_provider.tools.explain.results import ORDINARY

        named = None if view.winner == ORDINARY else view.winner
        takes = "nothing" if view.winner is None else "variant" if named else "ordinary"
        return cls.model_validate(
            {
                "installer": view.installer.name,
                "winner": named,
                "takes": takes,
                "gpu_build": view.has_gpu_build,
                "remark": view.remark,
                "rows": tuple(
                    RowRecord(
                        label=None if row.label == ORDINARY else row.label,
                        place=row.place,
                        reason=row.reason,
                    )
                    for row in view.rows
                ),
            }
        )


class MachineResult(JsonModel):
    """The results for one machine."""

    name: str = Field(description="the target, the machine file, or 'this machine'")
    machine: MachineSummary
    installers: tuple[ViewRecord, ...]
    warnings: tuple[str, ...]


class Explanations(JsonDocument):
    """A release explained on one or more machines."""

    package: str
    version: str
    source: str
    machines: tuple[MachineResult, ...]

    @classmethod
    def of(cls, release: Release, found: Iterable[tuple[str, Explanation]]) -> Explanations:
        """Build the document."""
        return cls(
            package=release.name,
            version=release.version,
            source=release.origin,
            machines=tuple(
                MachineResult(
                    name=name,
                    machine=MachineSummary.of(one.machine),
                    installers=tuple(ViewRecord.of(it) for it in one.views),
                    warnings=one.warnings,
                )
                for name, one in found
            ),
        )
