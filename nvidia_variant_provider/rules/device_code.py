"""Which device code runs on a GPU: the compatibility rules of cubins and PTX.

Source: CUDA Programming Guide 13.4, sections 1.3.4 and 5.1.2.3 with table 28; for Tegra the
guides up to 13.0 and nvlink 11.2 to 13.5. docs/properties.md lists the evidence rule by rule.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from nvidia_variant_provider.rules.catalogue import same_device, sm_archs, suffixes
from nvidia_variant_provider.rules.verdict import Verdict
from nvidia_variant_provider.tables.sm_archs import (
    TEGRA_CAPABILITIES,
    TEGRA_JOINS_DESKTOP,
    TEGRA_JOINS_MAJOR,
)

if TYPE_CHECKING:
    from nvidia_variant_provider.model import ComputeCapability, CudaVersion, SmArch


def runnable(capability: ComputeCapability, stack: CudaVersion | None) -> tuple[SmArch, ...]:
    """Return every SM architecture that runs on a capability, the most preferred first.

    Cubins before PTX, nearest first. ``stack`` is the CUDA driver version, which matters for
    Orin; ``None`` if it is not known.
    """
    return _runnable(same_device(capability), _joins(stack))


@cache
def _runnable(device: ComputeCapability, joins: bool) -> tuple[SmArch, ...]:  # noqa: FBT001
    # Nothing runs on a GPU older than what it is built for: that need not be judged one by one.
    return tuple(arch for arch in sm_archs(device) if _judge(arch, device, joins)[0])


def _joins(stack: CudaVersion | None) -> bool:
    """Tell whether a driver runs cubins of Tegra and of desktop GPUs on each other's devices."""
    return stack is not None and stack >= TEGRA_JOINS_DESKTOP


def judge_arch(arch: SmArch, capability: ComputeCapability, stack: CudaVersion | None) -> Verdict:
    """Decide whether device code for ``arch`` runs on a GPU of ``capability``."""
    supported, reason = _judge(arch, same_device(capability), _joins(stack))
    sentence = reason.format(
        arch=arch,
        own=arch.capability,
        target=same_device(arch.capability),
        gpu=capability,
        device=same_device(capability),
        stack=stack or "nothing",
    )
    return Verdict(supported, sentence)


def _judge(
    arch: SmArch,
    device: ComputeCapability,
    joins: bool,  # noqa: FBT001
) -> tuple[bool, str]:
    """Return the decision, and the form of its reason: a machine needs hundreds of decisions."""
    if arch.suffix not in suffixes(arch.capability):
        return False, f"there is no target {arch.target}"
    target = same_device(arch.capability)
    if arch.suffix == "a":
        return target == device, "{arch} runs on {target} exactly, this GPU is {gpu}"
    if arch.suffix == "f":
        supported = target.major == device.major and target <= device
        return supported, "{arch} runs on {target} to {target.major}.9, this GPU is {gpu}"
    if arch.virtual:
        # PTX goes by its own number: ptxas compiles that of sm_101 for sm_103, a cubin is Thor's.
        return arch.capability <= device, "{arch} is PTX for {own} and newer, this GPU is {gpu}"
    return _judge_cubin(target, device, joins)


def _judge_cubin(
    target: ComputeCapability,
    device: ComputeCapability,
    joins: bool,  # noqa: FBT001
) -> tuple[bool, str]:
    if target == device:
        return True, "{arch} is built for this GPU"
    reason = "{arch} runs on {target} to {target.major}.9, this GPU is {device}"
    if target.major != device.major or target > device:
        return False, reason
    if target not in TEGRA_CAPABILITIES and device not in TEGRA_CAPABILITIES:
        return True, reason
    return device.major == TEGRA_JOINS_MAJOR and joins, (
        "{arch} and this GPU ({device}) are on different sides of Tegra and desktop, "
        f"which mix from CUDA {TEGRA_JOINS_DESKTOP} on, this machine supports {{stack}}"
    )
