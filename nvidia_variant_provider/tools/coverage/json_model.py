"""What ``coverage --json`` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonModel


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
    assumed: list[Literal["driver", "capability", "architecture"]] = Field(
        description="what no record stated"
    )


class RowModel(KindModel):
    """One kind of machine with what it takes."""

    machines: int
    example: str = Field(description="the name of one of the machines, if any was named")
    ending: Literal["gpu", "other variant", "null", "ordinary wheel", "nothing"]
    label: str = Field(description="the variant chosen; empty where none is")
    hole: bool = Field(description="a machine with a GPU gets no build for it")
    reason: str = Field(description="what decides for the choice, or why it is a hole")
    order: list[str] = Field(description="the variants the machine can install, best first")
    refused: list[RefusalModel]


class FindingModel(JsonModel):
    """A problem; docs/coverage.md has a section for each."""

    problem: Literal["no-build", "hole", "shadow", "tie", "some-gpus", "unused"]
    labels: list[str]
    machines: int
    kinds: list[KindModel]
    text: str


class CoverageModel(JsonModel):
    """The matrix of a release and a fleet, its problems, and what a mirror must carry."""

    schema_version: Literal[1]
    package: str
    version: str
    rules: Literal[0, 1]
    machines: int
    holes: int = Field(description="how many machines with a GPU get no build for it")
    variants: list[str]
    rows: list[RowModel]
    findings: list[FindingModel]
    mirror: list[str] = Field(
        description="the smallest set of labels that changes no choice; empty text: the wheel "
        "without a label"
    )
