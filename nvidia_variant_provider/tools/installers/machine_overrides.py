"""A machine as the two variables that uv reads, and what those two cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.model import Gpu
from nvidia_variant_provider.overrides import FORCE_CUDA, FORCE_SM_ARCH
from nvidia_variant_provider.rules import decide, judge
from nvidia_variant_provider.rules.bounds import effective_cuda
from nvidia_variant_provider.rules.catalogue import SM_ARCH
from nvidia_variant_provider.tables.sm_archs import TEGRA_CAPABILITIES
from nvidia_variant_provider.value_types import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.model import ComputeCapability, CudaVersion, Machine


@dataclass(frozen=True, slots=True)
class MachineOverrides:
    """Variables that make uv see a machine, and warnings about what they leave out."""

    cuda: CudaVersion | None
    capability: ComputeCapability | None
    warnings: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        """The variables by name; empty where no driver is usable."""
        forced = {FORCE_CUDA: self.cuda, FORCE_SM_ARCH: self.capability}
        return {name: str(fact) for name, fact in forced.items() if fact is not None}


def overrides_for(machine: Machine) -> MachineOverrides:
    """Return the variables for a machine.

    The CUDA version is the one that counts for rule set 1, so that uv, which takes it as it is,
    does not choose a CUDA 13 build for a Pascal GPU. Of several capabilities the weakest is
    given, as its values lead in rule set 1.
    """
    cuda, note = effective_cuda(machine)
    if cuda is None:
        why = note.text if note else machine.reason
        warning = f"uv will choose the CPU build: {why}; for another machine: --target NAME@DRIVER"
        return MachineOverrides(None, None, (warning,))
    warnings = [note.text] if note else []
    if not machine.capabilities:
        warnings.append(
            f"{FORCE_SM_ARCH} cannot be given: the GPU's compute capability is not known. "
            "Unless nvidia-smi tells uv, it refuses every build that states sm_arch"
        )
        return MachineOverrides(cuda, None, tuple(warnings))
    weakest = machine.capabilities[0]
    if len(machine.capabilities) > 1:
        shown = ", ".join(map(str, machine.capabilities))
        warnings.append(
            f"{FORCE_SM_ARCH} holds one capability and the GPUs have {shown}: "
            "the weakest is given. Left alone, uv takes the strongest. Choose with --gpu highest, "
            "lowest or an index"
        )
    warnings.extend(_differences(machine, cuda, weakest))
    return MachineOverrides(cuda, weakest, tuple(warnings))


def as_uv_sees(machine: Machine, cuda: CudaVersion, capability: ComputeCapability) -> Machine:
    """Return the machine that uv is left with once both variables are set."""
    gpu = Gpu("forced", capability=capability)
    return replace(machine, cuda=cuda, cuda_forced=True, gpus=(gpu,))


def _differences(
    machine: Machine, cuda: CudaVersion, capability: ComputeCapability
) -> Iterator[str]:
    """Say where uv's rules take device code that does not run, or none at all."""
    offered = decide(as_uv_sees(machine, cuda, capability), 0).values(SM_ARCH)
    if not offered:
        yield f"uv's rules offer no sm_arch for capability {capability}"
    if capability not in TEGRA_CAPABILITIES:
        return
    alone = replace(machine, gpus=(Gpu(capability=capability),))
    wrong = [value for value in offered if not judge(alone, SM_ARCH, value).supported]
    if wrong:
        yield (
            f"uv's rules also take {', '.join(wrong)} for capability {capability}, "
            f"which does not run there with CUDA {cuda}"
        )
