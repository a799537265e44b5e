"""Which GPUs the containers of a library serve: by a cubin, through the driver's compiler, or not.

At run time one image is taken out of each container, so coverage is counted in containers that
hold kernels. A list of the architectures somewhere in a file says much less.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.rules.catalogue import same_device
from nvidia_variant_provider.rules.device_code import judge_arch
from nvidia_variant_provider.tables.products import sold_capabilities
from nvidia_variant_provider.tools.binaries.report import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.model import ComputeCapability, SmArch
    from nvidia_variant_provider.tools.binaries.report import Library

# One GPU of each compute capability that products have; what the code names beyond these is added
# to the columns.
GPUS: Final = sold_capabilities()


@dataclass(frozen=True, slots=True)
class GpuShare:
    """How many of ``total`` kernel-bearing containers serve a GPU natively, and by JIT only."""

    gpu: ComputeCapability
    native: int
    jit: int
    total: int

    @property
    def uncovered(self) -> int:
        """Containers with nothing for this GPU: their kernels fail when launched."""
        return self.total - self.native - self.jit

    @property
    def native_share(self) -> float:
        """The share of containers with a fitting cubin, between 0 and 1."""
        return self.native / self.total if self.total else 0.0

    @property
    def jit_share(self) -> float:
        """The share of containers that only have PTX for this GPU."""
        return self.jit / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Matrix:
    """Coverage per GPU, and three short answers that differ for most real wheels.

    ``union`` is in some container, ``full`` are real architectures on whose GPUs every container
    runs natively, ``dominant`` is the set that most containers have.
    """

    rows: tuple[GpuShare, ...]
    union: tuple[SmArch, ...]
    full: tuple[SmArch, ...]
    dominant: tuple[SmArch, ...]


@cache
def is_fit(arch: SmArch, gpu: ComputeCapability) -> bool:
    """Tell whether code for an architecture can be used on a GPU, by the rules of the provider.

    The driver is not known here, so Tegra parts are apart, as they are before CUDA 13.2.
    """
    return judge_arch(arch, gpu, None).supported


def cover(profiles: Sequence[Profile], gpu: ComputeCapability) -> GpuShare:
    """Count the containers that serve one GPU."""
    native = jit = 0
    for profile in profiles:
        fitting = [arch for arch in profile.archs if is_fit(arch, gpu)]
        if any(not arch.virtual for arch in fitting):
            native += profile.count
        elif fitting:
            jit += profile.count
    return GpuShare(gpu, native, jit, sum(profile.count for profile in profiles))


def merge(libraries: Iterable[Library]) -> tuple[Profile, ...]:
    """Add up the profiles of several libraries, the most frequent first."""
    counts: Counter[tuple[SmArch, ...]] = Counter()
    for library in libraries:
        for profile in library.profiles:
            counts[profile.archs] += profile.count
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Profile(archs, count) for archs, count in ranked)


def build_matrix(profiles: Sequence[Profile]) -> Matrix:
    """Work out the coverage of all GPUs, those that the code itself names included."""
    union = tuple(sorted({arch for profile in profiles for arch in profile.archs}))
    named = (same_device(arch.capability) for arch in union if not arch.virtual)
    gpus = sorted({*GPUS, *named})
    rows = tuple(cover(profiles, gpu) for gpu in gpus)
    everywhere = {row.gpu for row in rows if row.total and row.native == row.total}
    return Matrix(
        rows,
        union,
        tuple(
            arch
            for arch in union
            if not arch.virtual and same_device(arch.capability) in everywhere
        ),
        profiles[0].archs if profiles else (),
    )
