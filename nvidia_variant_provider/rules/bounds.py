"""The bounds on the CUDA driver version, and the version that counts for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.model import CudaVersion, Note
from nvidia_variant_provider.rules.catalogue import CUDA_MINORS, NEWEST_CUDA, OLDEST_CUDA
from nvidia_variant_provider.rules.verdict import Verdict
from nvidia_variant_provider.tables.sm_archs import FIRST_CAPABILITY_OF_CUDA_13, LAST_CUDA_12

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine


def effective_cuda(machine: Machine) -> tuple[CudaVersion | None, Note | None]:
    """Return the CUDA version that the bounds are compared with, and why it is not the driver's.

    ``None`` means that no property is supported. Sources: docs/properties.md, "Which version
    counts".
    """
    if machine.cuda is None:
        return None, Note("no-driver", f"no usable NVIDIA driver: {machine.reason}")
    if machine.cuda < OLDEST_CUDA:
        text = f"the driver supports CUDA {machine.cuda}; variants start at {OLDEST_CUDA}"
        return None, Note("driver-too-old", text)
    if _no_gpu_takes_cuda_13(machine) and machine.cuda > LAST_CUDA_12:
        strongest = machine.capabilities[-1]
        text = (
            f"the driver says CUDA {machine.cuda}, but no toolkit after {LAST_CUDA_12} "
            f"builds for capability {strongest}: it counts as CUDA {LAST_CUDA_12}"
        )
        return LAST_CUDA_12, Note("cuda-capped", text)
    known = _newest_known(machine.cuda)
    if known == machine.cuda:
        return known, None
    text = f"CUDA {machine.cuda} is newer than this release knows: it counts as CUDA {known}"
    return known, Note("cuda-newer-than-known", text)


def judge_lower(value: str, cuda: CudaVersion) -> Verdict:
    """Decide ``cuda_version_lower_bound :: value``: the wheel needs CUDA >= value."""
    return Verdict(
        meets_lower(CudaVersion.parse(value), cuda),
        f"needs CUDA >= {value}, this machine supports {cuda}",
    )


def judge_upper(value: str, cuda: CudaVersion) -> Verdict:
    """Decide ``cuda_version_upper_bound :: value``: the wheel needs CUDA < value."""
    return Verdict(
        meets_upper(CudaVersion.parse(value), cuda),
        f"needs CUDA < {value}, this machine supports {cuda}",
    )


def meets_lower(bound: CudaVersion, cuda: CudaVersion) -> bool:
    """Tell whether a driver's CUDA is at least the lower bound."""
    return bound <= cuda


def meets_upper(bound: CudaVersion, cuda: CudaVersion) -> bool:
    """Tell whether a driver's CUDA is below the upper bound."""
    return cuda < bound


def _no_gpu_takes_cuda_13(machine: Machine) -> bool:
    """Tell whether every GPU is known and below the first capability of CUDA 13."""
    return bool(machine.gpus) and all(
        gpu.capability is not None and gpu.capability < FIRST_CAPABILITY_OF_CUDA_13
        for gpu in machine.gpus
    )


def _newest_known(cuda: CudaVersion) -> CudaVersion:
    return min(NEWEST_CUDA, CudaVersion(cuda.major, min(cuda.minor, CUDA_MINORS[-1])))
