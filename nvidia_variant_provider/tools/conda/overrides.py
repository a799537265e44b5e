"""A machine as ``__cuda`` and ``__cuda_arch``, which decide for conda what variants decide for pip.

Source: CEP 30 and CEP 46 of conda, and the recipes of conda-forge, summer 2026. ``__cuda`` is one
version and ``__cuda_arch`` the lowest capability of all GPUs. Both variables are given or none: one
alone makes a solver that asks for the other take a CPU build without a word.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.sm_archs import FIRST_CAPABILITY_OF_CUDA_13, LAST_CUDA_12
from nvidia_variant_provider.tables.toolkits import CONDA_TEGRA_BUILDS
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvidia_variant_provider.model import ComputeCapability, CudaVersion, Machine

CUDA: Final = "CONDA_OVERRIDE_CUDA"
CUDA_ARCH: Final = "CONDA_OVERRIDE_CUDA_ARCH"
TOOLS: Final = frozenset({"conda", "mamba", "micromamba", "pixi"})

# What has to be asked for by hand on a Jetson before the builds for all of Arm know it: the solver
# has no virtual package for Tegra.
TEGRA_SPEC: Final = "arm-variant * tegra"
_SUBDIRS: Final = {
    ("linux", "x86_64"): "linux-64",
    ("linux", "aarch64"): "linux-aarch64",
    ("win32", "x86_64"): "win-64",
    ("win32", "aarch64"): "win-arm64",
}


@dataclass(frozen=True, slots=True)
class CondaOverrides:
    """The values of both overrides, ``None`` where they cannot be given, and what they leave out.

    ``specs`` are packages to ask for besides.
    """

    cuda: CudaVersion | None
    arch: ComputeCapability | None
    specs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        """The variables by name: both, or none."""
        if self.cuda is None or self.arch is None:
            return {}
        return {CUDA: str(self.cuda), CUDA_ARCH: str(self.arch)}


def conda_overrides(machine: Machine) -> CondaOverrides:
    """Return the overrides for a machine.

    CUDA is capped at 12.9 if any GPU is older than CUDA 13 builds for: conda compares versions
    alone, and would give it a build without code for it.
    """
    if machine.cuda is None:
        why = f"no usable NVIDIA driver: {machine.reason or 'none was found'}"
        return CondaOverrides(None, None, warnings=(f"no override is set: {why}",))
    if not machine.capabilities:
        why = "the compute capability is not known, and CUDA alone means CPU builds to some solves"
        return CondaOverrides(None, None, warnings=(f"no override is set: {why}",))
    lowest = machine.capabilities[0]
    is_old = lowest < FIRST_CAPABILITY_OF_CUDA_13
    cuda = min(machine.cuda, LAST_CUDA_12) if is_old else machine.cuda
    specs = (TEGRA_SPEC,) if machine.tegra and cuda < CONDA_TEGRA_BUILDS[1] else ()
    warnings = tuple(_warnings(machine, cuda, specs))
    return CondaOverrides(cuda, lowest, specs, warnings)


def _warnings(machine: Machine, cuda: CudaVersion, specs: tuple[str, ...]) -> Iterator[str]:
    lowest = machine.capabilities[0]
    if cuda != machine.cuda:
        yield (
            f"{CUDA} is {cuda}, not {machine.cuda}: builds for CUDA 13 have no code for {lowest}"
        )
    if len(machine.capabilities) > 1:
        shown = ", ".join(map(str, machine.capabilities))
        yield f"{CUDA_ARCH} holds the lowest capability of {shown}"
    for spec in specs:
        yield f"ask for {spec!r} too: the builds for server Arm have no code for this Jetson"
    if cuda < CONDA_TEGRA_BUILDS[0]:
        yield f"conda-forge has no current build for CUDA {cuda}: expect CPU builds"


def subdir(machine: Machine) -> str | None:
    """Return what conda calls the platform, ``linux-aarch64``, which no override tells."""
    return _SUBDIRS.get((machine.platform.system, machine.platform.architecture))


def is_conda(command: Sequence[str]) -> bool:
    """Whether a command starts conda, mamba, micromamba or pixi."""
    return bool(command) and os.path.basename(command[0]).removesuffix(".exe").lower() in TOOLS


def may_start_pip(command: Sequence[str]) -> bool:
    """Whether conda makes an environment of a file, which may name packages for pip.

    conda and mamba do for ``env create`` and ``env update``, micromamba for ``create -f``.
    """
    words = [word for word in command[1:] if not word.startswith("-")]
    has_file = any(word.startswith(("-f", "--file")) for word in command)
    is_env = words[:1] == ["env"] and words[1:2] in (["create"], ["update"])
    return is_conda(command) and (is_env or (has_file and bool({"create", "install"} & {*words})))


def conda_environment(environ: Mapping[str, str], overrides: CondaOverrides) -> dict[str, str]:
    """Return the environment of a conda that sees the machine.

    Where the overrides cannot be given, the environment stays as it is.
    """
    return {**environ, **overrides.variables}
