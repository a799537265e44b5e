"""What ``coverage --json`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from nvidia_variant_provider.tools.coverage.reasons import Reasons
from nvidia_variant_provider.tools.documents import JsonModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.tools.coverage.findings import FleetFinding
    from nvidia_variant_provider.tools.coverage.kinds import Kind
    from nvidia_variant_provider.tools.coverage.matrix import Coverage, Row
    from nvidia_variant_provider.tools.coverage.what_if import Answer

SCHEMA_VERSION: Final = 1


class RefusalModel(JsonModel):
    """A variant that a kind of machine cannot install."""

    label: str
    reason: str


class KindModel(JsonModel):
    """Machines that no choice can tell apart."""

    device: str = Field(examples=["H100", "Tesla T4 + Tesla V100", "no GPU"])
    capabilities: list[str | None] = Field(description="weakest first; null where unknown")
    architecture: str = Field(examples=["x86_64", "aarch64"])
    system: str = Field(description="as sys.platform", examples=["linux", "win32"])
    driver_branch: int | None = Field(examples=[580])
    cuda_driver_version: str | None = Field(examples=["13.0"])
    assumed: list[str] = Field(
        description="the facts that the inventory does not state, and sentences for other guesses",
        examples=[["driver", "architecture"]],
    )

    @classmethod
    def of(cls, kind: Kind) -> KindModel:
        """Build the part of a kind."""
        return cls(**_of_kind(kind))


def _of_kind(kind: Kind) -> dict[str, Any]:
    return {
        "device": kind.device,
        "capabilities": [str(known) if known else None for known in kind.capabilities],
        "architecture": kind.architecture,
        "system": kind.system,
        "driver_branch": kind.driver,
        "cuda_driver_version": str(kind.cuda) if kind.cuda else None,
        "assumed": list(kind.assumed),
    }


class RowModel(KindModel):
    """One kind of machine with what it takes."""

    machines: int
    example: str = Field(description="the name of one of the machines, if any was named")
    ending: Literal["gpu", "other variant", "null", "ordinary wheel", "nothing"]
    label: str = Field(description="the variant chosen; empty where none is")
    hole: bool = Field(description="a machine with a GPU gets no build for it")
    reason: str = Field(description="what decides for the choice, or why it is a hole")
    through_view: str | None = Field(
        description="what an installer that knows no variants gets through a view; null where it "
        "knows them"
    )
    order: list[str] = Field(description="the variants the machine can install, best first")
    refused: list[RefusalModel]

    @classmethod
    def of_row(cls, row: Row, reasons: Reasons) -> RowModel:
        """Build the part of a row of the matrix."""
        refusals = reasons.refusals(row).items()
        return cls(
            **_of_kind(row.kind),
            machines=row.group.machines,
            example=row.group.example,
            ending=row.choice.ending.value,
            label=row.choice.label,
            hole=row.is_hole,
            reason=reasons.choice(row),
            through_view=str(row.through_view) if row.through_view else None,
            order=list(row.order),
            refused=[RefusalModel(label=label, reason=reason) for label, reason in refusals],
        )


class FindingModel(JsonModel):
    """A problem; docs/coverage.md has a section for each."""

    problem: str = Field(examples=["no-build", "hole", "unused"])
    severity: Literal["error", "warning", "note"]
    labels: list[str]
    machines: int
    kinds: list[KindModel]
    text: str

    @classmethod
    def of(cls, finding: FleetFinding) -> FindingModel:
        """Build the part of a finding."""
        return cls(
            problem=finding.rule.code,
            severity=finding.rule.severity.value,
            labels=list(finding.labels),
            machines=finding.machines,
            kinds=[KindModel.of(kind) for kind in finding.kinds],
            text=finding.text,
        )


class ChangeModel(JsonModel):
    """Machines that would choose otherwise."""

    machines: int
    before: str = Field(examples=["null"])
    after: str = Field(examples=["cuda13.0"])
    devices: list[str]


class WhatIfModel(JsonModel):
    """The answer to one question of ``--what-if``."""

    question: str = Field(examples=["driver=580", "add=cuda12.6"])
    assumed: str = Field(description="what the answer takes for granted")
    holes: int = Field(description="how many holes there would be")
    changes: list[ChangeModel]

    @classmethod
    def of(cls, told: Answer) -> WhatIfModel:
        """Build the part of an answer."""
        changes = [
            ChangeModel(
                machines=change.machines,
                before=str(change.before),
                after=str(change.after),
                devices=list(change.devices),
            )
            for change in told.changes
        ]
        return cls(question=told.question, assumed=told.assumed, holes=told.holes, changes=changes)


class CoverageModel(JsonModel):
    """The matrix of a release and a fleet, its problems, and what a mirror must carry."""

    schema_version: Literal[1]
    package: str
    version: str
    rules: Literal[0, 1]
    installer: str | None = Field(
        description="the installer that knows no variants, where the choices are its own",
        examples=["pip"],
    )
    machines: int
    skipped: int = Field(description="entries of the inventory that could not be read")
    holes: int = Field(description="how many machines with a GPU get no build for it")
    variants: list[str]
    rows: list[RowModel]
    findings: list[FindingModel]
    mirror: list[str] = Field(
        description="the smallest set of labels that changes no choice; empty text: the wheel "
        "without a label"
    )
    what_if: list[WhatIfModel]

    @classmethod
    def of(
        cls,
        coverage: Coverage,
        findings: Iterable[FleetFinding],
        mirror: Sequence[str],
        answers: Iterable[Answer] = (),
    ) -> CoverageModel:
        """Build the document."""
        reasons = Reasons(coverage)
        return cls(
            schema_version=SCHEMA_VERSION,
            package=coverage.release.name,
            version=coverage.release.version,
            rules=0 if coverage.rules == 0 else 1,
            installer=coverage.installer or None,
            machines=coverage.machines,
            skipped=coverage.skipped,
            holes=coverage.holes,
            variants=list(coverage.release.strict.variants),
            rows=[RowModel.of_row(row, reasons) for row in coverage.rows],
            findings=[FindingModel.of(finding) for finding in findings],
            mirror=list(mirror),
            what_if=[WhatIfModel.of(told) for told in answers],
        )
