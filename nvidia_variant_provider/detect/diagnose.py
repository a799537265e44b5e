"""The status of a machine in one word, with the reason: what works, and if not, why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from nvidia_variant_provider.detect.causes import cause, cuda_cause, device_cause
from nvidia_variant_provider.detect.diagnosis import (
    CUDA_NO_DEVICE,
    CUDA_NOT_READY,
    NVML_GPU_NOT_FOUND,
    NVML_MISMATCH,
    NVML_NO_PERMISSION,
    NVML_OPERATING_SYSTEM,
    UNKNOWN,
    Diagnosis,
)
from nvidia_variant_provider.detect.observations import kernel_gpus
from nvidia_variant_provider.model import Note, Status
from nvidia_variant_provider.tables.driver_branches import (
    FIRST_OF_OPEN_MODULE,
    FIRST_OF_OPEN_ONLY,
)
from nvidia_variant_provider.tables.status_codes import describe_code

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.answer import LibraryAnswer
    from nvidia_variant_provider.detect.observations import Observations
    from nvidia_variant_provider.model import Gpu


_NO_GPU: Final = "the driver finds no GPU it can use"
_NOT_GIVEN: Final = "no GPU device is given to this process"


def diagnose(seen: Observations, answering: tuple[Gpu, ...]) -> Diagnosis:
    """Return the diagnosis; ``answering`` are the GPUs that a library answered for."""
    if answering:
        return _with_gpus(seen, answering)
    if not seen.driver_present:
        from nvidia_variant_provider.detect.driverless import diagnose_driverless

        return diagnose_driverless(seen)
    gpus = kernel_gpus(seen)
    nvml = seen.best_nvml
    refused = (nvml.init if nvml else None) or (seen.smi.code if seen.smi else None)
    if refused:
        return _nvml_refusal(seen, refused, gpus)
    if seen.timed_out:
        notes = (cause("driver-silent"),)
        gpus = gpus or tuple(gpu.as_gpu() for gpu in seen.present_gpus or ())
        return Diagnosis(Status.TIMEOUT, "the driver did not answer in time", gpus, notes=notes)
    if nvml is not None and nvml.init == 0:
        return _no_devices(seen, nvml, gpus)
    return _cuda_refusal(seen, gpus) or _silent(seen, gpus)


def _with_gpus(seen: Observations, gpus: tuple[Gpu, ...]) -> Diagnosis:
    """Diagnose a machine whose GPUs answer; CUDA itself may still fail to start."""
    cuda = seen.best_cuda
    if seen.no_libcuda:
        status, reason, notes = _NO_LIBCUDA
    elif not seen.cuda:
        status, reason, notes = _WORKS
    elif cuda is None:
        codes = ", ".join(describe_code("cuda", answer.init) for answer in seen.cuda if answer.init)
        status, reason, notes = Status.BROKEN, f"this driver rejects every libcuda: {codes}", ()
    elif cuda.init:
        status, reason, notes = _cuda_does_not_start(seen, cuda.init)
    elif cuda.init is None:
        status, reason, notes = _cuda_is_silent(cuda)
    else:
        status, reason, notes = _WORKS
        notes = _nvml_failed(seen.best_nvml)
    return Diagnosis(status, reason, gpus, notes=(*notes, *_nvml_broke_off(seen, gpus)))


def _nvml_failed(nvml: LibraryAnswer | None) -> tuple[Note, ...]:
    """Say that NVML is there and of no use; boards without it are as they should be."""
    if nvml is None or nvml.load_error or (nvml.init == 0 and nvml.complete):
        return ()
    return (Note("nvml-failed", f"CUDA works, NVML does not: {nvml.describe()}"),)


def _nvml_broke_off(seen: Observations, gpus: tuple[Gpu, ...]) -> tuple[Note, ...]:
    """Say that NVML ended before it came to every GPU that it counts, and libcuda made up none."""
    nvml = seen.best_nvml
    if nvml is None or nvml.complete or nvml.count is None:
        return ()
    silent = nvml.count - len(nvml.failed) - len(gpus)
    if silent <= 0:
        return ()
    text = (
        f"NVML ended ({nvml.end}) and told {len(gpus)} of {nvml.count} GPUs: the others count not"
    )
    return (Note("nvml-broke-off", text),)


_Findings: TypeAlias = tuple[Status, str, tuple[Note, ...]]
_WORKS: Final[_Findings] = (Status.OK, "driver and GPUs answer", ())
_NO_LIBCUDA: Final[_Findings] = (
    Status.OK,
    "the GPUs answer; libcuda.so.1 cannot be loaded, so CUDA programs fail",
    (cause("libcuda-missing"),),
)


def _cuda_is_silent(cuda: LibraryAnswer) -> _Findings:
    """Say what it means that libcuda was asked and did not come to answer ``cuInit``."""
    if cuda.timed_out:
        return Status.TIMEOUT, "CUDA did not start in time", (cause("cuda-too-slow"),)
    if cuda.load_error:
        return _NO_LIBCUDA
    if cuda.never_asked:
        return Status.OK, "the GPUs answer; CUDA could not be asked", ()
    return Status.BROKEN, f"libcuda: {cuda.end}", ()


def _cuda_does_not_start(seen: Observations, code: int) -> _Findings:
    text = f"the GPUs answer, CUDA does not start: {describe_code('cuda', code)}"
    return Status.BROKEN, text, _why_cuda_does_not_start(seen, code)


def _why_cuda_does_not_start(seen: Observations, code: int) -> tuple[Note, ...]:
    nodes = seen.kernel.nodes if seen.kernel is not None else ()
    if code == CUDA_NOT_READY:
        release = seen.release.value if seen.release else None
        switched = seen.kernel is not None and seen.kernel.has_nvswitch
        return (cause("fabric-not-ready" if switched else "cuda-not-ready", release=release),)
    if code in {CUDA_NO_DEVICE, 101} and seen.best_nvml is not None and seen.best_nvml.mig:
        return (cause("mig-without-instance"),)
    if "nvidia0" in nodes and "nvidia-uvm" not in nodes:
        return (cause("uvm-missing"),)
    return cuda_cause(code)


def _nvml_refusal(seen: Observations, code: int, gpus: tuple[Gpu, ...]) -> Diagnosis:
    """Read the status code with which NVML refused to start."""
    text = describe_code("nvml", code)
    if code in {NVML_NO_PERMISSION, NVML_OPERATING_SYSTEM}:
        return _blocked(f"{text}: this process may not use the GPUs", gpus, _refused_by(seen))
    if code == NVML_GPU_NOT_FOUND:
        return Diagnosis(Status.DRIVER_NO_GPU, f"{text}: {_NO_GPU}", notes=_left_behind(seen))
    if _no_device_nodes(seen):
        reason = f"no GPU device is given to this process ({text})"
        return Diagnosis(Status.DRIVER_NO_GPU, reason, notes=(cause("no-device-nodes"),))
    if code == UNKNOWN:
        # Seen where a container's device cgroup was taken away while it ran.
        lost = cause("unit-devices" if seen.unit else "devices-lost", unit=seen.unit)
        return _blocked(f"{text}: the GPUs are there and do not open", gpus, lost)
    release = seen.release.value if seen.release else None
    notes = (cause("library-mismatch", loaded=release),) if code == NVML_MISMATCH else ()
    return Diagnosis(Status.BROKEN, text, gpus, notes=notes)


def _blocked(reason: str, gpus: tuple[Gpu, ...], why: Note) -> Diagnosis:
    return Diagnosis(Status.BLOCKED, reason, gpus, notes=(why,))


def _refused_by(seen: Observations) -> Note:
    """Tell permissions, a sandbox and SELinux apart, as far as the control node says it."""
    control = seen.control
    if control is None or control.error != "EACCES":
        return cause("access-blocked", target=_likely_target(seen))
    if not control.is_for_all:
        return cause("nodes-denied", group=control.group, mode=f"{control.mode:04o}")
    container = seen.surroundings.container if seen.surroundings else ""
    return cause("selinux-denied" if container else "nodes-on-nodev")


def _no_devices(seen: Observations, nvml: LibraryAnswer, gpus: tuple[Gpu, ...]) -> Diagnosis:
    """NVML started and no GPU answered."""
    codes = {code for _, code in nvml.failed}
    if codes == {NVML_NO_PERMISSION}:
        text = f"{describe_code('nvml', NVML_NO_PERMISSION)} for every GPU"
        return _blocked(f"{text}: this process may not use them", gpus, _refused_by(seen))
    if gpus or codes:
        reason = "the driver is bound to a GPU that does not answer"
        causes = tuple(note for code in sorted(codes) for note in device_cause(code))
        causes = causes or _left_behind(seen) or _wrong_kind(seen) or _not_started(seen)
        return Diagnosis(Status.BROKEN, reason, gpus, notes=causes)
    notes = _left_behind(seen)
    if not notes and seen.contained and _no_device_nodes(seen):
        return Diagnosis(Status.DRIVER_NO_GPU, _NOT_GIVEN, notes=(cause("no-device-nodes"),))
    return Diagnosis(Status.DRIVER_NO_GPU, _NO_GPU, notes=notes)


def _left_behind(seen: Observations) -> tuple[Note, ...]:
    """Name a GPU that the loaded driver is too new for, or too old."""
    if seen.kernel is None or seen.release is None or seen.tegra:
        return ()
    from nvidia_variant_provider.detect.driverless import of_another_branch

    return of_another_branch(seen.release.value, seen.kernel.pci)


def _not_started(seen: Observations) -> tuple[Note, ...]:
    """Say why NVML counts no GPU that a driver is bound to: no node, or a sick GPU."""
    return (cause("no-device-nodes" if _no_device_nodes(seen) else "adapter-does-not-start"),)


def _wrong_kind(seen: Observations) -> tuple[Note, ...]:
    """Say that the loaded module is not of the kind, open or closed, that a GPU needs."""
    kernel = seen.kernel
    if kernel is None or kernel.open_module is None:
        return ()
    capabilities = [gpu.as_gpu().capability for gpu in kernel.pci]
    known = [capability for capability in capabilities if capability is not None]
    if kernel.open_module and any(capability < FIRST_OF_OPEN_MODULE for capability in known):
        return (cause("module-open-on-old-gpu"),)
    if not kernel.open_module and any(capability >= FIRST_OF_OPEN_ONLY for capability in known):
        return (cause("module-closed-on-new-gpu"),)
    return ()


def _cuda_refusal(seen: Observations, gpus: tuple[Gpu, ...]) -> Diagnosis | None:
    """Read the status code of ``cuInit``, where NVML had nothing to say."""
    codes = [answer.init for answer in seen.cuda if answer.init]
    if not codes:
        return None
    text = describe_code("cuda", codes[0])
    if seen.tegra and codes[0] == CUDA_NO_DEVICE:
        reason = f"{text}: this process may not use the GPU's device nodes"
        return _blocked(reason, gpus, cause("tegra-group"))
    if _no_device_nodes(seen):
        reason = f"no GPU device is given to this process ({text})"
        return Diagnosis(Status.DRIVER_NO_GPU, reason, notes=(cause("no-device-nodes"),))
    return Diagnosis(Status.BROKEN, text, gpus)


def _likely_target(seen: Observations) -> str:
    """Return the host's GPU and driver as a target, ``9.0@580``: the weakest it shows."""
    pci = seen.kernel.pci if seen.kernel is not None else ()
    known = [gpu.as_gpu().capability for gpu in pci if gpu.driver == "nvidia"]
    weakest = min((capability for capability in known if capability is not None), default=None)
    if weakest is None or seen.release is None:
        return ""
    return f"{weakest}@{seen.release.value.branch}"


def _no_device_nodes(seen: Observations) -> bool:
    return seen.kernel is not None and not seen.kernel.gpu_nodes


def _silent(seen: Observations, gpus: tuple[Gpu, ...]) -> Diagnosis:
    """No library spoke at all: none was found, none could be loaded, or none could be asked."""
    answers = (*seen.nvml, *seen.cuda)
    if not seen.could_ask:
        reason = "known from the kernel's files: the driver's libraries could not be asked"
        present = bool(gpus) or not _no_device_nodes(seen)
        return Diagnosis(Status.OK if present else Status.DRIVER_NO_GPU, reason, gpus)
    ended = [answer.end for answer in answers if not answer.load_error and not answer.complete]
    if ended:
        return Diagnosis(Status.BROKEN, f"the driver's library: {ended[0]}", gpus)
    if _no_device_nodes(seen):
        # The kernel is the host's; nothing of the driver was given to this process.
        reason = "a driver is loaded on the host; neither its libraries nor a GPU are given here"
        notes = (cause("host-driver-only", target=_likely_target(seen)),)
        return Diagnosis(Status.DRIVER_NO_GPU, reason, usable_driver=False, notes=notes)
    if seen.unlinked:
        links = cause("library-links-missing", file=seen.unlinked)
        return Diagnosis(Status.BROKEN, "no driver library loads", gpus, notes=(links,))
    why = "foreign-library" if seen.only_foreign else "no-driver-library"
    return Diagnosis(Status.BROKEN, "no driver library loads", gpus, notes=(cause(why),))
