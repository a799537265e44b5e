"""Tell causes apart that an installer need not tell apart: for a person who asks, and only there.

Each function looks at one cause and returns what it is more exactly, as far as clues or NVML say.
No fact of the machine changes here, only what a person reads of the cause.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.causes import cause, holders
from nvidia_variant_provider.detect.diagnosis import UNKNOWN
from nvidia_variant_provider.detect.health import MODE_PROHIBITED
from nvidia_variant_provider.detect.libraries import LOADER_FOLDERS
from nvidia_variant_provider.detect.remedies import CAUSES
from nvidia_variant_provider.model import Note, Status
from nvidia_variant_provider.tables.driver_branches import FIRST_OF_OPEN_ONLY
from nvidia_variant_provider.tables.memory import VGPU_PROFILE
from nvidia_variant_provider.value_types import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvidia_variant_provider.detect.clues import Clues
    from nvidia_variant_provider.detect.health import Health
    from nvidia_variant_provider.detect.observations import Observations
    from nvidia_variant_provider.model import Machine


@dataclass(frozen=True, slots=True)
class Case:
    """A machine that does not work, and everything known of it.

    ``dangling`` is a link to a library that leads nowhere.
    """

    machine: Machine
    seen: Observations
    clues: Clues
    health: Health | None
    contained: bool
    dangling: str = ""
    slurm_job: bool = False

    @property
    def release(self) -> str:
        """The release of the kernel-mode driver, as text."""
        return str(self.machine.driver_release or "")


def refined(case: Case) -> Machine:
    """Return the machine with the causes told apart, each once."""
    notes: list[Note] = []
    for note in case.machine.notes:
        refine = _REFINEMENTS.get(note.code)
        finer = refine(case) if refine else ()
        notes += finer or (note,)
    notes = [*_beside(case), *notes]
    return replace(case.machine, notes=tuple(dict.fromkeys(notes)))


def _not_loaded(case: Case) -> tuple[Note, ...]:
    """Say why a module that is installed is not loaded."""
    clues, release = case.clues, case.seen.installed
    if clues.module == "gone":
        return (cause("kernel-was-upgraded", kernel=clues.kernel),)
    if clues.blacklist:
        switcher = clues.blacklist.endswith(_SWITCHERS)
        return (
            cause("gpu-switched-off" if switcher else "module-blacklisted", file=clues.blacklist),
        )
    if clues.module == "other":
        return (cause("module-for-another-kernel", kernel=clues.kernel, release=release),)
    if clues.module == "here" and clues.secure_boot:
        return (cause("module-not-signed"),)
    return ()


# Files that programs write to switch a laptop's GPU off.
_SWITCHERS: Final = ("/lib/modprobe.d/blacklist-nvidia.conf", "/supergfxd.conf")


def _adapter(case: Case) -> tuple[Note, ...]:
    kernel = case.seen.kernel
    is_open = kernel is not None and kernel.open_module
    if case.clues.firmware is False and is_open and case.release:
        return (cause("firmware-missing", release=case.release),)
    return ()


def _lost(case: Case) -> tuple[Note, ...]:
    """Tell an external GPU and one that did not wake up from one that failed."""
    pci = case.seen.kernel.pci if case.seen.kernel is not None else ()
    silent = {gpu.address for gpu in pci} - {gpu.pci_address for gpu in case.machine.gpus}
    if case.clues.powered_off & silent:
        return (cause("gpu-did-not-wake"),)
    return (cause("external-gpu-lost"),) if case.clues.removable & silent else ()


def _not_ready(case: Case) -> tuple[Note, ...]:
    """Tell apart what ``cuInit`` calls 802: confidential computing, the fabric, neither."""
    health = case.health
    if health is None:
        return ()
    if health.confidential and health.ready is False:
        return (cause("confidential-not-ready"),)
    if health.fabric_failed:
        return (cause("fabric-failed", release=case.release),)
    if health.fabric_waits:
        return (_waiting(case),)
    if health.fabric or health.ready is not None:
        return (cause("uvm-stuck"),)
    return ()


def _no_library(case: Case) -> tuple[Note, ...]:
    """Say that a container was made for another release of the driver."""
    if not case.contained or not case.dangling:
        return ()
    return (cause("libraries-of-another-driver", file=case.dangling),)


def _waiting(case: Case) -> Note:
    """Name who has to start the fabric: on Blackwell it takes more, in racks it is elsewhere."""
    newest = max(case.machine.capabilities, default=None)
    if newest is None or newest < FIRST_OF_OPEN_ONLY:
        return cause("fabric-not-ready", release=case.release)
    if case.machine.platform.architecture == "aarch64":
        return cause("fabric-of-the-rack")
    return cause("fabric-needs-subnet-manager", release=case.release)


def _exclusive(case: Case) -> tuple[Note, ...]:
    """Tell a mode of the GPU from a virtual GPU without a licence."""
    modes = case.health.modes if case.health else ()
    if MODE_PROHIBITED in modes:
        return (cause("gpu-computing-prohibited"),)
    shared = bool(modes) and not any(modes)
    virtual = any(re.fullmatch(VGPU_PROFILE, gpu.name) for gpu in case.machine.gpus)
    return (cause("vgpu-licence"),) if shared and virtual else ()


def _no_libcuda(case: Case) -> tuple[Note, ...]:
    """Say of which branch the package must be that is missing."""
    release = case.machine.driver_release
    if release is None or case.seen.tegra or case.contained:
        return ()
    return (cause("libcuda-missing", branch=release.branch),)


def _folder(case: Case) -> tuple[Note, ...]:
    """Say that the loader's cache is stale, where it would search the folder by itself."""
    triple = f"{case.machine.platform.architecture}-linux-gnu"
    searched = {folder.replace("{triple}", triple) for folder in LOADER_FOLDERS}
    return tuple(
        replace(note, code="loader-cache-stale")
        for note in case.machine.notes
        if note.code == "library-folder" and dict(note.facts).get("folder", "") in searched
    )


def _counted_none(case: Case) -> tuple[Note, ...]:
    """Say why NVML counts no GPU although one is bound: firmware, or a job that was given none."""
    return (cause("no-device-nodes"),) if case.slurm_job else _adapter(case)


_REFINEMENTS: Final[dict[str, Callable[[Case], tuple[Note, ...]]]] = {
    "driver-installed-not-loaded": _not_loaded,
    "adapter-does-not-start": _counted_none,
    "gpu-lost": _lost,
    "cuda-not-ready": _not_ready,
    "fabric-not-ready": _not_ready,
    "gpu-exclusive": _exclusive,
    "no-driver-library": _no_library,
    "libcuda-missing": _no_libcuda,
    "library-folder": _folder,
}


def _beside(case: Case) -> tuple[Note, ...]:
    """Return the causes that no probe of an installer gives a name at all."""
    machine, health, clues = case.machine, case.health, case.clues
    notes: list[Note] = []
    if machine.status is not Status.OK and clues.preloaded:
        notes.append(cause("shim-preloaded", file=clues.preloaded))
    notes += _hiding(case)
    if machine.status is Status.NONE:
        notes += _of_wsl(case)
    if machine.status is Status.DRIVER_NO_GPU and not case.contained:
        notes += _unbound(case)
    if health is not None and health.confidential and _failed(case, UNKNOWN):
        notes.append(cause("confidential-without-host"))
    if health is not None and health.failed_rows:
        notes.append(cause("memory-rows-failed", index=str(health.failed_rows[0])))
    elif health is not None and health.pending_rows:
        notes.append(cause("memory-rows-pending", index=str(health.pending_rows[0])))
    return tuple(notes)


def _hiding(case: Case) -> list[Note]:
    """Name the folders of a libcuda of no use, where another one works or surely would."""
    works = case.seen.best_cuda is not None and case.seen.best_cuda.init == 0
    hiding = (
        dict(note.facts).get("folder", "")
        for note in case.machine.notes
        if note.code in {"libcuda-rejected", "libcuda-stub"}
    )
    return [
        cause("libcuda-hides-another", folder=folder)
        for folder in hiding
        if folder and (works or "/compat" in folder or "/stubs" in folder)
    ]


def _failed(case: Case, code: int) -> bool:
    nvml = case.seen.best_nvml
    return nvml is not None and any(failed == code for _, failed in nvml.failed)


def _of_wsl(case: Case) -> tuple[Note, ...]:
    """Say what WSL lacks, if this is WSL; its kernels have Microsoft's name."""
    has_device = case.seen.kernel is not None and case.seen.kernel.wsl
    if "microsoft" not in case.clues.kernel.lower():
        return (cause("paravirtual-driver-missing"),) if has_device else ()
    if has_device:
        return (cause("wsl-no-driver"),)
    return (cause("wsl-one" if "Microsoft" in case.clues.kernel else "wsl-no-device"),)


def _unbound(case: Case) -> tuple[Note, ...]:
    """Say that the loaded driver did not take a GPU, where nothing else explains that."""
    kernel = case.seen.kernel
    if kernel is None or not kernel.pci or any(note.code in CAUSES for note in case.machine.notes):
        return ()
    if held := holders(kernel.pci):
        return held
    unbound = [gpu.address for gpu in kernel.pci if not gpu.driver]
    return (cause("gpu-not-taken", address=unbound[0]),) if unbound else ()
