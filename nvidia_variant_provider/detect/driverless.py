"""The diagnosis where no kernel-mode driver answers: what hardware could one serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.detect.causes import cause, holders, windows_cause
from nvidia_variant_provider.detect.diagnosis import (
    CUDA_NO_DEVICE,
    NVML_NO_PERMISSION,
    NVML_OPERATING_SYSTEM,
    Diagnosis,
)
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import DriverRelease, Note, Status
from nvidia_variant_provider.tables.driver_branches import first_branch_for, last_branch_for
from nvidia_variant_provider.tables.status_codes import describe_code

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.kernel import PciGpu
    from nvidia_variant_provider.detect.observations import Observations

PASSED_THROUGH = "vfio-pci"


def diagnose_driverless(seen: Observations) -> Diagnosis:
    """Return the diagnosis of a machine whose driver neither answers nor shows its release."""
    if seen.timed_out:
        return _timed_out(seen)
    kernel = seen.kernel
    if kernel is not None and (kernel.wsl or kernel.wsl_libraries):
        return _wsl(seen)
    if kernel is not None and kernel.tegra_gpu is not None:
        return _tegra(seen)
    if seen.bus_gpus:
        return _hardware(seen, seen.bus_gpus)
    if kernel is not None and kernel.driver_present:
        return _traces(seen)
    return _nothing(seen)


def _nothing(seen: Observations) -> Diagnosis:
    """Diagnose a machine without hardware for a driver, as far as is known."""
    if seen.remembered_gpus and not seen.is_shim:
        return _remembered(seen)
    shim = Note("cuda-look-alike", "a CUDA look-alike answers, without NVIDIA hardware")
    return _unusable(Status.NONE, "no sign of NVIDIA hardware", (shim,) if seen.is_shim else ())


def _unusable(status: Status, reason: str, notes: tuple[Note, ...] = ()) -> Diagnosis:
    return Diagnosis(status, reason, usable_driver=False, notes=notes)


def _timed_out(seen: Observations) -> Diagnosis:
    """Keep what is known without the driver: the hardware, and what libcuda said at first."""
    gpus = tuple(gpu.as_gpu() for gpu in seen.bus_gpus if gpu.driver != PASSED_THROUGH)
    if seen.kernel is not None and seen.kernel.tegra_gpu is not None:
        gpus = (seen.kernel.tegra_gpu,)
    spoke = seen.best_cuda is not None and seen.best_cuda.cuda is not None
    reason, notes = "the driver did not answer in time", (cause("driver-silent"),)
    return Diagnosis(Status.TIMEOUT, reason, gpus, usable_driver=spoke, notes=notes)


def _wsl(seen: Observations) -> Diagnosis:
    """Diagnose WSL, whose driver is that of Windows and not in the kernel's files."""
    kernel, nvml, cuda = seen.kernel, seen.best_nvml, seen.best_cuda
    if kernel is not None and not kernel.wsl:
        reason = "the driver libraries of WSL are here, /dev/dxg is not given to this process"
        return _unusable(Status.BLOCKED, reason, (cause("wsl-blocked"),))
    if nvml is not None and nvml.init in {NVML_NO_PERMISSION, NVML_OPERATING_SYSTEM}:
        reason = f"{describe_code('nvml', nvml.init)}: this process may not use the GPU of Windows"
        return _unusable(Status.BLOCKED, reason, (cause("wsl-blocked"),))
    if not seen.could_ask:
        reason = "the driver of Windows could not be asked: it says nothing in files"
        return _unusable(Status.BLOCKED, reason)
    if not any(answer.loaded for answer in (nvml, cuda) if answer) and not _crashed(seen):
        reason = "WSL without the NVIDIA driver of Windows: no driver library is there"
        return _unusable(Status.NONE, reason)
    answers = (answer for answer in (nvml, cuda) if answer)
    refusals = (answer.describe() for answer in answers if answer.init or not answer.complete)
    reason = f"the driver of Windows does not answer: {next(refusals, '')}"
    return _unusable(Status.BROKEN, reason, (cause("wsl-driver"),))


def _tegra(seen: Observations) -> Diagnosis:
    """Diagnose a Tegra board, whose device nodes stand for a driver built into the kernel."""
    cuda, gpus = seen.best_cuda, (seen.kernel.tegra_gpu,) if seen.kernel else ()
    known = tuple(gpu for gpu in gpus if gpu is not None)
    if cuda is not None and cuda.init:
        why = "tegra-group" if cuda.init == CUDA_NO_DEVICE else "access-blocked"
        reason = f"{describe_code('cuda', cuda.init)}: this process may not use the GPU"
        return Diagnosis(Status.BLOCKED, reason, known, notes=(cause(why),))
    if not seen.could_ask:
        reason = "known from the kernel's files: the driver's libraries could not be asked"
        return Diagnosis(Status.OK, reason, known)
    reason = "the GPU's device nodes are there, and no driver library loads"
    return Diagnosis(Status.BROKEN, reason, known, notes=(cause("no-driver-library"),))


def _hardware(seen: Observations, pci: tuple[PciGpu, ...]) -> Diagnosis:
    """Diagnose GPUs on the bus without a driver for them."""
    gpus = tuple(gpu.as_gpu() for gpu in pci if gpu.driver != PASSED_THROUGH)
    if not gpus:
        reason = "the NVIDIA GPUs here are given to virtual machines"
        return _unusable(Status.GPU_NO_DRIVER, reason, holders(pci))
    if seen.only_foreign:
        reason = "the driver's libraries are for another architecture than this interpreter"
        return Diagnosis(Status.BROKEN, reason, gpus, notes=(cause("foreign-library"),))
    asked = seen.kernel is None or seen.kernel.driver_present
    if asked and (not seen.could_ask or _crashed(seen)):
        reason = "the driver could not be asked" if not seen.could_ask else "its library crashed"
        return Diagnosis(Status.BROKEN, reason, gpus, usable_driver=False)
    others = sorted({gpu.driver for gpu in pci} - {"", "nvidia", PASSED_THROUGH})
    bound = f" (bound to {', '.join(others)})" if others else ""
    reason = f"an NVIDIA GPU is there{bound}, but no kernel-mode driver of NVIDIA is loaded"
    notes = _why_no_driver(seen, pci)
    if seen.installed:
        text = f"libraries of driver {seen.installed} are installed"
        notes = (Note("driver-installed", text), *notes)
    return Diagnosis(Status.GPU_NO_DRIVER, reason, gpus, usable_driver=False, notes=notes)


def _why_no_driver(seen: Observations, pci: tuple[PciGpu, ...]) -> tuple[Note, ...]:
    """Name what keeps a driver from a GPU: another one, one of another branch, or none."""
    problems = [note for gpu in pci for note in windows_cause(gpu.problem)]
    if problems or seen.kernel is None:
        return tuple(dict.fromkeys(problems)) or (cause("win-failed"),)
    if held := holders(pci):
        return held
    return _installed_for_others(seen.installed, pci) or (
        (cause("driver-installed-not-loaded", release=seen.installed),)
        if seen.installed
        else (cause("driver-not-installed"),)
    )


def _installed_for_others(installed: str, pci: tuple[PciGpu, ...]) -> tuple[Note, ...]:
    try:
        return of_another_branch(DriverRelease.parse(installed), pci)
    except InvalidValueError:
        return ()


def of_another_branch(release: DriverRelease, pci: tuple[PciGpu, ...]) -> tuple[Note, ...]:
    """Name the first GPU that a driver release no longer serves, or does not serve yet."""
    for gpu in pci:
        capability = gpu.as_gpu().capability
        last = last_branch_for(capability) if capability else None
        first = first_branch_for(capability) if capability else None
        if last is not None and release.branch > last:
            return (cause("gpu-left-behind", branch=last),)
        if first is not None and release.branch < first:
            return (cause("gpu-newer-than-driver", branch=first, release=release),)
    return ()


def _remembered(seen: Observations) -> Diagnosis:
    """Diagnose Windows without a GPU that is known to be present: it remembers removed ones."""
    names = ", ".join(sorted({gpu.as_gpu().name for gpu in seen.remembered_gpus}))
    if _crashed(seen):
        return _unusable(Status.BROKEN, f"its library crashed; Windows has had {names}")
    if seen.present_gpus is None:
        reason = f"Windows has had {names}; whether it still has could not be asked"
        return _unusable(Status.GPU_NO_DRIVER, reason)
    return _unusable(Status.NONE, f"no NVIDIA GPU is present; Windows remembers {names}")


def _traces(seen: Observations) -> Diagnosis:
    """Diagnose device nodes or folders of a driver without a release and without an answer."""
    refused = next(
        (answer for answer in (seen.best_nvml, seen.best_cuda) if answer and answer.init), None
    )
    nodes = seen.kernel.gpu_nodes if seen.kernel is not None else ()
    if refused is not None and refused.init in {NVML_NO_PERMISSION, NVML_OPERATING_SYSTEM}:
        reason = f"{refused.describe()}: this process may not use the GPUs"
        return _unusable(Status.BLOCKED, reason, (cause("access-blocked"),))
    if nodes:
        trouble = refused.describe() if refused else "no driver library loads"
        notes = () if refused else (cause("no-driver-library"),)
        return _unusable(Status.BROKEN, f"GPU device nodes are there: {trouble}", notes)
    if seen.kernel is not None and (seen.kernel.module or seen.kernel.proc):
        reason = "a driver is loaded that hides its release, and no GPU is given to this process"
        return _unusable(Status.DRIVER_NO_GPU, reason, (cause("no-device-nodes"),))
    # Initialising NVML or CUDA as root makes /dev/nvidiactl, driver or not.
    return _unusable(Status.NONE, "no NVIDIA hardware, only traces of its software")


def _crashed(seen: Observations) -> bool:
    return any(
        not answer.complete and not answer.load_error and not answer.never_asked
        for answer in (*seen.nvml, *seen.cuda)
    )
