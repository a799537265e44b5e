"""The status of a machine in one word, with the reason: what works, and if not, why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvidia_variant_provider.detect.answer import describe_code
from nvidia_variant_provider.detect.observations import kernel_gpus, left_behind
from nvidia_variant_provider.model import Note, Status

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.observations import Observations
    from nvidia_variant_provider.model import Gpu


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A status, why, the GPUs that count, and whether a driver is there to speak of."""

    status: Status
    reason: str
    gpus: tuple[Gpu, ...] = ()
    usable_driver: bool = True
    notes: tuple[Note, ...] = ()


def diagnose(seen: Observations, answering: tuple[Gpu, ...]) -> Diagnosis:
    """Return the diagnosis; ``answering`` are the GPUs that a library answered for."""
    if answering:
        return _with_gpus(seen, answering)
    if not seen.driver_present:
        return _without_driver(seen)
    gpus = kernel_gpus(seen)
    if seen.timed_out:
        return Diagnosis(Status.TIMEOUT, "the driver did not answer in time", gpus)
    refusal = _refusal(seen, gpus)
    if refusal is not None:
        return refusal
    if _no_device_nodes(seen):
        reason = "the driver is loaded, but no GPU device is given to this process"
        return Diagnosis(Status.DRIVER_NO_GPU, reason)
    return _silent(seen, gpus)


def _with_gpus(seen: Observations, gpus: tuple[Gpu, ...]) -> Diagnosis:
    """Some GPU answered; CUDA itself may still fail to start."""
    cuda = seen.best_cuda
    code = cuda.init if cuda is not None else None
    if cuda is None or not code:
        return Diagnosis(Status.OK, "driver and GPUs answer", gpus)
    text = f"CUDA does not start: {describe_code('cuda', code)}"
    if code in {100, 101, 802}:
        # NVML sees the hardware: MIG without an instance, or a fabric that is still starting.
        return Diagnosis(Status.OK, "driver and GPUs answer", gpus, notes=(Note("cuda-init", text),))
    return Diagnosis(Status.BROKEN, text, gpus)


def _without_driver(seen: Observations) -> Diagnosis:
    """No kernel-mode driver answers: is there hardware that one could serve?"""
    refused = next((found for found in (seen.best_nvml, seen.best_cuda) if found and found.init), None)
    if seen.kernel is not None and seen.kernel.wsl:
        return _silent_wsl(seen)
    if seen.tegra and seen.kernel is not None and seen.kernel.tegra_gpu is not None:
        reason = "the GPU's device nodes are there, but this process may not use them"
        if refused is not None and refused.init is not None:
            reason += f": {describe_code(refused.api, refused.init)}"
        return Diagnosis(Status.BLOCKED, reason, (seen.kernel.tegra_gpu,), usable_driver=False)
    pci = seen.kernel.pci if seen.kernel is not None else seen.windows_gpus
    present = tuple(found.as_gpu() for found in pci if found.driver != "vfio-pci")
    if present:
        reason = "an NVIDIA GPU is there, but no kernel-mode driver is loaded"
        return Diagnosis(Status.GPU_NO_DRIVER, reason, present, usable_driver=False)
    notes: tuple[Note, ...] = ()
    if any(answer.is_shim for answer in seen.cuda):
        notes = (Note("cuda-look-alike", "a CUDA look-alike answers, without NVIDIA hardware"),)
    elif seen.timed_out:
        return Diagnosis(Status.TIMEOUT, "the driver did not answer in time", usable_driver=False)
    return Diagnosis(Status.NONE, "no sign of NVIDIA hardware", usable_driver=False, notes=notes)


def _silent_wsl(seen: Observations) -> Diagnosis:
    if seen.timed_out:
        return Diagnosis(Status.TIMEOUT, "the driver did not answer in time", usable_driver=False)
    nvml = seen.best_nvml
    if nvml is not None and nvml.init == 17:  # noqa: PLR2004 - NVML_ERROR_OPERATING_SYSTEM
        reason = f"{describe_code('nvml', 17)}: this process may not use the GPU of Windows"
        return Diagnosis(Status.BLOCKED, reason, usable_driver=False)
    if nvml is None and seen.best_cuda is None:
        reason = "WSL without the NVIDIA driver of Windows: no driver library is mounted"
        return Diagnosis(Status.NONE, reason, usable_driver=False)
    return Diagnosis(Status.BROKEN, "the driver of Windows does not answer", usable_driver=False)


def _refusal(seen: Observations, gpus: tuple[Gpu, ...]) -> Diagnosis | None:
    """Read the status code with which NVML, or else libcuda, refused; ``None`` if neither did."""
    nvml = seen.best_nvml
    if nvml is not None and nvml.init == 0 and not nvml.gpus:
        return _no_devices(seen, gpus)
    if nvml is not None and nvml.init:
        return _nvml_refusal(seen, nvml.init, gpus)
    rejected = [found.init for found in seen.cuda if found.init]
    if rejected:
        text = describe_code("cuda", rejected[0])
        blocked = seen.tegra and rejected[0] == 100  # noqa: PLR2004 - CUDA_ERROR_NO_DEVICE
        return Diagnosis(Status.BLOCKED if blocked else Status.BROKEN, text, gpus)
    return None


def _nvml_refusal(seen: Observations, code: int, gpus: tuple[Gpu, ...]) -> Diagnosis:
    text = describe_code("nvml", code)
    if code in {4, 17}:
        return Diagnosis(Status.BLOCKED, f"{text}: this process may not use the GPUs", gpus)
    if code == 28:  # noqa: PLR2004 - NVML_ERROR_GPU_NOT_FOUND
        return _no_devices(seen, gpus)
    if _no_device_nodes(seen):
        reason = f"no GPU device is given to this process ({text})"
        return Diagnosis(Status.DRIVER_NO_GPU, reason)
    if code == 999:  # noqa: PLR2004 - seen where the device cgroup was taken away
        return Diagnosis(Status.BLOCKED, f"{text}: the GPUs are there and do not open", gpus)
    return Diagnosis(Status.BROKEN, text, gpus)


def _no_devices(seen: Observations, gpus: tuple[Gpu, ...]) -> Diagnosis:
    if gpus and not (seen.best_nvml and seen.best_nvml.init):
        reason = "the driver is bound to a GPU but finds none that works"
        return Diagnosis(Status.BROKEN, reason, gpus)
    notes: tuple[Note, ...] = ()
    pci = seen.kernel.pci if seen.kernel is not None else ()
    for found in pci:
        gpu = found.as_gpu()
        if left_behind(gpu, seen.release) and seen.release is not None:
            text = f"{gpu.name} ({gpu.capability}) is no longer served by driver {seen.release.value}"
            notes = (*notes, Note("gpu-left-behind", text))
    return Diagnosis(Status.DRIVER_NO_GPU, "the driver finds no GPU it can use", notes=notes)


def _no_device_nodes(seen: Observations) -> bool:
    return seen.kernel is not None and not seen.kernel.gpu_nodes


def _silent(seen: Observations, gpus: tuple[Gpu, ...]) -> Diagnosis:
    """No library spoke at all: none was found, none could be loaded, or none could be asked."""
    if seen.no_child or seen.platform.libc == "musl":
        reason = "known from the kernel's files only"
        return Diagnosis(Status.OK if gpus else Status.DRIVER_NO_GPU, reason, gpus)
    ended = [found.end for found in (*seen.nvml, *seen.cuda) if found.loaded]
    reason = f"the driver's library ended with {ended[0]}" if ended else "no driver library loads"
    return Diagnosis(Status.BROKEN, reason, gpus)
