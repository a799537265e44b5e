"""One machine out of everything that was observed: pure, and the only place that weighs sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.causes import device_cause
from nvidia_variant_provider.detect.diagnose import diagnose
from nvidia_variant_provider.detect.observations import REJECTED_INITS, STUB, branch_cuda
from nvidia_variant_provider.model import Machine, Note
from nvidia_variant_provider.tables.driver_branches import (
    BRANCHES,
    FIRST_OF_OPEN_MODULE,
    FIRST_OF_OPEN_ONLY,
)
from nvidia_variant_provider.tables.status_codes import describe_code
from nvidia_variant_provider.value_types import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.detect.answer import LibraryAnswer
    from nvidia_variant_provider.detect.kernel import PciGpu
    from nvidia_variant_provider.detect.observations import Observations
    from nvidia_variant_provider.model import CudaVersion, Gpu

# A library may claim billions of GPUs; a few that do not answer say it all.
_SHOWN_FAILURES: Final = 8


def reconcile(seen: Observations) -> Machine:
    """Weigh what was observed and return the machine."""
    cuda, cuda_source, derived = _weigh_cuda(seen)
    release = seen.release
    diagnosis = diagnose(seen, answering_gpus(seen))
    notes = (*seen.notes, *diagnosis.notes, *_notes(seen, cuda))
    if not diagnosis.usable_driver:
        cuda, cuda_source, derived = None, "", False
    return Machine(
        platform=seen.platform,
        status=diagnosis.status,
        reason=diagnosis.reason,
        driver_release=release.value if release else None,
        driver_source=release.source if release else "",
        cuda=cuda,
        cuda_source=cuda_source,
        cuda_derived=derived,
        gpus=diagnosis.gpus,
        tegra=seen.tegra,
        notes=notes,
    )


def answering_gpus(seen: Observations) -> tuple[Gpu, ...]:
    """Return the GPUs that a library or ``nvidia-smi`` answered for, gaps filled by others."""
    nvml = _sourced(seen.best_nvml, "NVML")
    cuda = _sourced(seen.best_cuda, "libcuda")
    smi = seen.smi.gpus if seen.smi else ()
    kernel = tuple(gpu.as_gpu() for gpu in seen.kernel.pci) if seen.kernel else ()
    main = nvml or cuda or smi
    if seen.best_nvml is not None and not seen.best_nvml.complete and len(cuda) > len(nvml):
        main = cuda  # NVML broke off in the middle of its list.
    gpus = tuple(_filled(gpu, len(main), (cuda, smi, kernel)) for gpu in main)
    if cuda and main is nvml:
        # New drivers let NVML list accelerators that are no CUDA devices: they have no capability.
        return tuple(gpu for gpu in gpus if gpu.capability is not None) or gpus
    return gpus


def _weigh_cuda(seen: Observations) -> tuple[CudaVersion | None, str, bool]:
    """Return the CUDA driver version, where it came from, and whether it was only derived."""
    native, nvml = seen.best_cuda, seen.best_nvml
    if native is not None and native.cuda is not None:
        return native.cuda, f"libcuda ({native.path})", False
    # With a rejected libcuda first on the path, NVML repeats what that library says.
    rejected = any(answer.init in REJECTED_INITS for answer in seen.cuda)
    if nvml is not None and nvml.cuda is not None and not rejected:
        return nvml.cuda, f"NVML ({nvml.path})", False
    if seen.smi is not None and seen.smi.cuda is not None:
        return seen.smi.cuda, "nvidia-smi", False
    branch = branch_cuda(seen)
    if branch is None or seen.release is None:
        return None, "", False
    return branch, f"derived from driver branch {seen.release.value.branch}", True


def _sourced(answer: LibraryAnswer | None, source: str) -> tuple[Gpu, ...]:
    if answer is None:
        return ()
    return tuple(replace(gpu, source=source if gpu.capability else "") for gpu in answer.gpus)


def _filled(gpu: Gpu, siblings: int, others: tuple[tuple[Gpu, ...], ...]) -> Gpu:
    """Add what another source knows of the same GPU."""
    for source in others:
        twin = _twin(gpu, siblings, source)
        if twin is None:
            continue
        if gpu.capability is None and twin.capability is not None:
            gpu = replace(gpu, capability=twin.capability, source=twin.source)
        if gpu.integrated is None:
            gpu = replace(gpu, integrated=twin.integrated)
        if gpu.memory is None:
            gpu = replace(gpu, memory=twin.memory)
    return gpu


def _twin(gpu: Gpu, siblings: int, source: tuple[Gpu, ...]) -> Gpu | None:
    for other in source:
        same_uuid = gpu.uuid and gpu.uuid == other.uuid
        same_address = gpu.pci_address and gpu.pci_address == other.pci_address
        if same_uuid or same_address:
            return other
    # A Tegra board has one GPU, which NVML leaves without address and libcuda without UUID.
    alone = siblings == 1 and len(source) == 1
    return source[0] if alone and not (gpu.pci_address and source[0].pci_address) else None


def _notes(seen: Observations, cuda: CudaVersion | None) -> list[Note]:
    notes = _rejected(seen)
    for answer in filter(None, (seen.best_nvml, seen.best_cuda)):
        notes += [
            Note("gpu-not-answering", f"GPU {index}: {describe_code(answer.api, code)}")
            for index, code in answer.failed[:_SHOWN_FAILURES]
        ]
        codes = sorted({code for _, code in answer.failed}) if answer.gpus else ()
        notes += [note for code in codes for note in device_cause(code)]
    branch = branch_cuda(seen)
    newest = seen.release is not None and seen.release.value.branch > BRANCHES[-1][0]
    if cuda is not None and branch is not None and cuda > branch and not newest:
        text = f"libcuda supports CUDA {cuda}, the driver branch by itself {branch}"
        notes.append(Note("forward-compatibility", text))
    notes += _of_two_modules(seen)
    if any(answer.gpus for answer in (*seen.nvml, *seen.cuda)):
        notes += [
            Note("gpu-without-driver", f"{chip.as_gpu().name} at {chip.address}: bound to {holder}")
            for chip, holder in _unserved(seen)
        ]
    if any(gpu.asleep for gpu in (seen.kernel.pci if seen.kernel else ())) and seen.nvml:
        notes.append(Note("gpu-was-asleep", "a GPU slept and was woken for a moment to be asked"))
    return notes


def _rejected(seen: Observations) -> list[Note]:
    """Name each libcuda that the driver rejects, once: the loader and its folder lead to one."""
    notes: dict[str, Note] = {}
    for answer in seen.cuda:
        file = answer.file or answer.path
        folder = file.rpartition("/")[0]
        if answer.init == STUB:
            text = f"{file} is a stub to link with, not a driver"
            notes.setdefault(file, Note("libcuda-stub", text, (("folder", folder),)))
        elif answer.init in REJECTED_INITS:
            text = (
                f"{file} is a libcuda this driver rejects ({answer.init}): the programs that find "
                "it first fail"
            )
            notes.setdefault(file, Note("libcuda-rejected", text, (("folder", folder),)))
    return list(notes.values())


def _of_two_modules(seen: Observations) -> list[Note]:
    """Say that one half of a machine stays without a driver: no kernel module drives both."""
    pci = seen.kernel.pci if seen.kernel is not None else ()
    known = [(gpu, gpu.as_gpu()) for gpu in pci if gpu.as_gpu().capability is not None]
    capabilities = [chip.capability for _, chip in known if chip.capability is not None]
    closed = any(capability < FIRST_OF_OPEN_MODULE for capability in capabilities)
    if not closed or not any(capability >= FIRST_OF_OPEN_ONLY for capability in capabilities):
        return []
    unbound = ", ".join(
        f"{chip.name} ({chip.capability})" for gpu, chip in known if gpu.driver != "nvidia"
    )
    text = (
        f"no kernel module drives GPUs before {FIRST_OF_OPEN_MODULE} and those from "
        f"{FIRST_OF_OPEN_ONLY} on: without a driver here is {unbound or 'one kind of them'}"
    )
    return [Note("gpus-of-two-modules", text)]


def _unserved(seen: Observations) -> Iterator[tuple[PciGpu, str]]:
    """Yield the GPUs on the bus that NVIDIA's driver does not have, and what has them."""
    for gpu in seen.kernel.pci if seen.kernel is not None else ():
        if gpu.driver != "nvidia":
            yield gpu, gpu.driver or "no driver"
