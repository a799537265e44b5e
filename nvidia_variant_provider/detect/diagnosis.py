"""What a diagnosis is, and the status codes of the driver that decide one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Gpu, Note, Status

# Codes of NVML and of cuInit that decide a status. Sources: nvml.h and cuda.h of CUDA 13.5.
NVML_NO_PERMISSION: Final = 4
NVML_OPERATING_SYSTEM: Final = 17
NVML_MISMATCH: Final = 18
NVML_GPU_NOT_FOUND: Final = 28
UNKNOWN: Final = 999
CUDA_NO_DEVICE: Final = 100
CUDA_NOT_READY: Final = 802
# NVML sees the hardware: MIG without an instance, devices hidden, a fabric that is starting.
CUDA_NOT_NOW: Final = frozenset({CUDA_NO_DEVICE, 101, CUDA_NOT_READY})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A status, why, the GPUs that count, and whether a driver is there to speak of."""

    status: Status
    reason: str
    gpus: tuple[Gpu, ...] = ()
    usable_driver: bool = True
    notes: tuple[Note, ...] = ()
