"""The JSON documents of ``tag``, with the evidence for what a wheel states, and of ``untag``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonDocument, JsonModel

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.tagging.claims import Claim
    from nvidia_variant_provider.tools.tagging.statement import Statement
    from nvidia_variant_provider.tools.tagging.variant import WheelVariant


class ClaimModel(JsonModel):
    """The code for one compute capability, counted in containers that hold kernels."""

    compute_capability: str
    kind: Literal["real", "virtual"]
    targets: dict[str, int] = Field(description="containers by spelling, such as '90a'")
    present: int = Field(description="containers with any of the targets")
    served: int = Field(description="containers that run natively on such a GPU")
    containers: int
    standing: Literal["claimed", "covered", "partial"]
    values: list[str] = Field(description="property values that are stated for it")
    reason: str

    @classmethod
    def of(cls, claim: Claim) -> ClaimModel:
        """Build the model of one claim."""
        return cls.model_validate(
            {
                "compute_capability": str(claim.capability),
                "kind": "virtual" if claim.virtual else "real",
                "targets": {arch.target: count for arch, count in claim.targets},
                "present": claim.present,
                "served": claim.served,
                "containers": claim.total,
                "standing": claim.standing.value,
                "values": [str(value) for value in claim.values],
                "reason": claim.reason,
            }
        )


class LowerBoundModel(JsonModel):
    """The lower bound that is stated, if any, and what it was concluded from."""

    value: str | None
    evidence: list[str]


class TaggedWheel(JsonModel):
    """One wheel: what it was made to state."""

    wheel: str
    target: str = Field(description="the variant wheel; its file name alone in a dry run")
    written: bool
    label: str
    variant: dict[str, dict[str, list[str]]] = Field(description="the properties that are stated")
    claims: list[ClaimModel] = Field(description="empty unless inferred from the code")
    lower_bound: LowerBoundModel
    toolkit: str | None = Field(description="CUDA Toolkit version that the wheel was built with")
    notes: list[str]

    @classmethod
    def of(
        cls, wheel: str, target: str, variant: WheelVariant, statement: Statement, *, written: bool
    ) -> TaggedWheel:
        """Build the model of one wheel."""
        return cls(
            wheel=wheel,
            target=target,
            written=written,
            label=variant.label,
            variant={
                namespace: {feature: list(values) for feature, values in features.items()}
                for namespace, features in variant.properties.items()
            },
            claims=[ClaimModel.of(claim) for claim in statement.claims],
            lower_bound=LowerBoundModel(
                value=str(statement.bound.value) if statement.bound.value else None,
                evidence=list(statement.bound.evidence),
            ),
            toolkit=str(statement.toolkit) if statement.toolkit else None,
            notes=list(statement.notes),
        )


class Tagging(JsonDocument):
    """The document that ``tag --json`` prints."""

    wheels: tuple[TaggedWheel, ...]


class PlainWheel(JsonModel):
    """An ordinary wheel that was written."""

    wheel: str = Field(description="path of the variant wheel")
    target: str = Field(description="path of the wheel that was written")
    notes: tuple[str, ...] = Field(description="what could not be kept, such as signatures")


class Untagging(JsonDocument):
    """What ``untag --json`` prints."""

    wheels: tuple[PlainWheel, ...]
