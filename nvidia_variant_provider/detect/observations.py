"""Everything the probes brought home, and the first conclusions that need no weighing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.outcome import Hit
from nvidia_variant_provider.tables.driver_branches import cuda_of_branch, last_branch_for
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.answer import LibraryAnswer
    from nvidia_variant_provider.detect.control import ControlNode
    from nvidia_variant_provider.detect.kernel import KernelView, PciGpu
    from nvidia_variant_provider.detect.smi import SmiAnswer
    from nvidia_variant_provider.detect.surroundings import Surroundings
    from nvidia_variant_provider.model import CudaVersion, DriverRelease, Gpu, Note, Platform

# A stub, or a libcuda that does not fit the kernel-mode driver: what it says does not count.
STUB: Final = 34
REJECTED_INITS: Final = frozenset({STUB, 803, 804})


@dataclass(frozen=True, slots=True)
class Observations:
    """Everything the probes brought home.

    ``installed`` is the driver release in the name of a library on disk, which need not be the
    loaded one; ``no_libcuda`` tells that no folder had one, ``unlinked`` names one without the link
    that programs load; ``foreign_files`` tells that a library of another architecture was ignored.
    Windows remembers GPUs that were removed (``remembered_gpus``); which are present is ``None``
    where that was not asked or not answered. ``surroundings`` and ``control`` are looked at only
    where no GPU answers.
    """

    platform: Platform
    kernel: KernelView | None = None
    nvml: tuple[LibraryAnswer, ...] = ()
    cuda: tuple[LibraryAnswer, ...] = ()
    smi: SmiAnswer | None = None
    remembered_gpus: tuple[PciGpu, ...] = ()
    present_gpus: tuple[PciGpu, ...] | None = None
    surroundings: Surroundings | None = None
    control: ControlNode | None = None
    no_libcuda: bool = False
    no_child: bool = False
    installed: str = ""
    unlinked: str = ""
    foreign_files: bool = False
    notes: tuple[Note, ...] = ()

    @property
    def best_nvml(self) -> LibraryAnswer | None:
        """The NVML that initialised, else the one whose refusal says most."""
        return None if self.is_shim else _best(self.nvml)

    @property
    def best_cuda(self) -> LibraryAnswer | None:
        """The libcuda that counts: one that initialised, else one that was not rejected.

        ``None`` if those that load are all rejected.
        """
        fitting = tuple(answer for answer in self.cuda if answer.init not in REJECTED_INITS)
        if len(fitting) < len(self.cuda):
            fitting = tuple(answer for answer in fitting if not answer.load_error)
        return None if self.is_shim else _best(fitting)

    @property
    def is_shim(self) -> bool:
        """Whether a CUDA look-alike answers for another maker's GPU.

        Its devices have no identity. On Tegra real ones may lack it too, so hardware decides.
        """
        kernel = self.kernel
        seen = bool(self.present_gpus) or (
            kernel is not None and (kernel.module or kernel.proc or kernel.pci or kernel.nodes)
        )
        return not seen and any(answer.is_shim for answer in (*self.nvml, *self.cuda))

    @property
    def release(self) -> Hit[DriverRelease] | None:
        """The release of the kernel-mode driver, from the kernel itself if it says so."""
        if self.kernel is not None and isinstance(self.kernel.release, Hit):
            return self.kernel.release
        if self.best_nvml is not None and self.best_nvml.release is not None:
            return Hit(self.best_nvml.release, "NVML")
        if self.smi is not None and self.smi.release is not None:
            return Hit(self.smi.release, "nvidia-smi")
        return None

    @property
    def bus_gpus(self) -> tuple[PciGpu, ...]:
        """The GPUs that the system sees, driver or not."""
        return self.kernel.pci if self.kernel is not None else self.present_gpus or ()

    @property
    def driver_present(self) -> bool:
        """Whether a driver works here or is at least loaded."""
        answered = any(answer.init == 0 for answer in (self.best_nvml, self.best_cuda) if answer)
        return self.release is not None or answered

    @property
    def tegra(self) -> bool:
        """Whether driver releases follow the numbering of Tegra boards."""
        return self.kernel is not None and self.kernel.tegra

    @property
    def contained(self) -> bool:
        """Whether this process has devices of its own: a container, a unit with a list of them.

        WSL goes by its one device, Tegra by nodes of its own.
        """
        if self.kernel is None or self.kernel.wsl or self.tegra or self.surroundings is None:
            return False
        return self.surroundings.contained

    @property
    def unit(self) -> str:
        """The unit of systemd that this process runs in, as far as that was looked at."""
        return self.surroundings.unit if self.surroundings else ""

    @property
    def could_ask(self) -> bool:
        """Whether the driver's libraries could be asked at all from this interpreter."""
        return not self.no_child and self.platform.libc != "musl"

    @property
    def only_foreign(self) -> bool:
        """Whether there are driver libraries, all of another architecture."""
        answers = (*self.nvml, *self.cuda)
        loaded = any(answer.loaded for answer in answers)
        return not loaded and (self.foreign_files or any(answer.is_foreign for answer in answers))

    @property
    def timed_out(self) -> bool:
        """Whether a probe did not come back in time."""
        answers = (*self.nvml, *self.cuda)
        return any(answer.timed_out for answer in answers) or (
            self.smi is not None and self.smi.end.timed_out
        )


def branch_cuda(seen: Observations) -> CudaVersion | None:
    """Return what the driver branch's own libcuda reports; ``None`` for Tegra's numbers."""
    if seen.release is None or seen.tegra:
        return None
    return cuda_of_branch(seen.release.value.branch)


def kernel_gpus(seen: Observations) -> tuple[Gpu, ...]:
    """Return the GPUs that the driver serves here, as far as their device ids tell them."""
    if seen.kernel is None:
        return ()
    if seen.kernel.tegra_gpu is not None:
        return (seen.kernel.tegra_gpu,)
    served = (
        gpu.as_gpu() for gpu in seen.kernel.pci if seen.kernel.serves(gpu, contained=seen.contained)
    )
    return tuple(gpu for gpu in served if not left_behind(gpu, seen.release))


def left_behind(gpu: Gpu, release: Hit[DriverRelease] | None) -> bool:
    """Tell whether the loaded driver branch no longer serves this GPU."""
    if gpu.capability is None or release is None:
        return False
    last = last_branch_for(gpu.capability)
    return last is not None and release.value.branch > last


def _best(answers: tuple[LibraryAnswer, ...]) -> LibraryAnswer | None:
    return max(
        answers,
        key=lambda answer: (answer.init == 0, answer.init is not None, answer.cuda is not None),
        default=None,
    )


def wants_libcuda(seen: Observations) -> bool:
    """Tell whether NVML left something open, or said something that only ``cuInit`` confirms."""
    nvml = seen.best_nvml
    if nvml is None or not nvml.complete or nvml.init or nvml.cuda is None or not nvml.gpus:
        return True
    if any(gpu.capability is None for gpu in nvml.gpus):
        return True
    branch = branch_cuda(seen)
    if branch is not None and nvml.cuda != branch:
        return True  # A forward compatibility package, which this driver may reject.
    kernel = seen.kernel
    node_missing = (
        kernel is not None and "nvidia0" in kernel.nodes and "nvidia-uvm" not in kernel.nodes
    )
    return node_missing and not seen.tegra


def wants_smi(seen: Observations) -> bool:
    """Tell whether no library could be asked; one that answered or hangs makes it pointless."""
    answers = (*seen.nvml, *seen.cuda)
    spoke = any(answer.init is not None or answer.timed_out for answer in answers)
    return not spoke
