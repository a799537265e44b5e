"""Rule set 0: what the provider 0.0.x and uv report, value for value.

Needed to predict those installers; its known faults are listed in docs/properties.md. Only the
strongest GPU counts, nothing outside the catalogue of 0.0.x is corrected, and a version that was
forced is not checked against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import ComputeCapability, Note
from nvidia_variant_provider.rules.catalogue import (
    CUDA_MAJORS,
    CUDA_MINORS,
    LOWER_BOUND,
    NEWEST_CUDA,
    OLDEST_CUDA,
    SM_ARCH,
    UPPER_BOUND,
)
from nvidia_variant_provider.rules.verdict import Decision, Feature, Verdict

if TYPE_CHECKING:
    from nvidia_variant_provider.model import CudaVersion, Machine

OLDEST_CAPABILITY: Final = ComputeCapability(5, 0)


def decide(machine: Machine) -> Decision:
    """Return the features that 0.0.x reports for a machine."""
    if machine.cuda is None:
        return Decision((), (Note("no-driver", f"no usable NVIDIA driver: {machine.reason}"),))
    if not machine.cuda_forced and not OLDEST_CUDA <= machine.cuda <= NEWEST_CUDA:
        text = f"CUDA {machine.cuda} is outside {OLDEST_CUDA} to {NEWEST_CUDA}: switched off"
        return Decision((), (Note("switched-off", text),))
    strongest = max(machine.capabilities, default=None)
    features = (
        Feature(LOWER_BOUND, tuple(_lower_bounds(machine.cuda)), multi_value=False),
        Feature(UPPER_BOUND, tuple(_upper_bounds(machine.cuda)), multi_value=False),
        Feature(SM_ARCH, tuple(_sm_archs(strongest)), multi_value=True),
    )
    return Decision(tuple(feature for feature in features if feature.values))


def judge(machine: Machine, feature: str, value: str) -> Verdict:
    """Decide one property by looking it up: this rule set has lists, not reasons."""
    decision = decide(machine)
    offered = decision.values(feature)
    if not offered:
        return Verdict(False, "; ".join(note.text for note in decision.notes) or f"no {feature}")
    return Verdict(value in offered, f"rule set 0 offers {offered[0]} ... {offered[-1]}")


def _lower_bounds(cuda: CudaVersion) -> list[str]:
    values = []
    for major in range(cuda.major, CUDA_MAJORS[0] - 1, -1):
        newest = cuda.minor if major == cuda.major else CUDA_MINORS[-1]
        values += [f"{major}.{minor}" for minor in range(newest, -1, -1)]
        values.append(str(major))
    return values


def _upper_bounds(cuda: CudaVersion) -> list[str]:
    values = []
    for major in range(CUDA_MAJORS[-1], cuda.major - 1, -1):
        oldest = cuda.minor + 1 if major == cuda.major else 0
        values += [f"{major}.{minor}" for minor in range(CUDA_MINORS[-1], oldest - 1, -1)]
        if major > cuda.major:
            values.append(str(major))
    return values


def _sm_archs(strongest: ComputeCapability | None) -> list[str]:
    if strongest is None or strongest < OLDEST_CAPABILITY:
        return []
    reals = [f"{strongest.major}{minor}_real" for minor in range(strongest.minor, -1, -1)]
    return [*reals, f"{strongest.major}0_virtual"]
