"""Hypothesis strategies for the value types."""

from __future__ import annotations

from hypothesis import strategies as st

from nvidia_variant_provider.model import (
    ComputeCapability,
    CudaVersion,
    Gpu,
    Machine,
    Platform,
    SmArch,
    Status,
)
from nvidia_variant_provider.rules.catalogue import sm_archs

LINUX = Platform("linux", "x86_64", "glibc")

cuda_versions = st.builds(CudaVersion, st.integers(0, 99), st.integers(0, 99))
capabilities = st.builds(ComputeCapability, st.integers(1, 30), st.integers(0, 9))
known_capabilities = st.builds(ComputeCapability, st.integers(5, 12), st.integers(0, 9))
archs: st.SearchStrategy[SmArch] = st.sampled_from(sm_archs())
gpus = st.builds(
    Gpu, capability=st.none() | capabilities, uuid=st.sampled_from(["", "GPU-1", "GPU-2"])
)


def machine(
    cuda: str | CudaVersion | None, *of: str | ComputeCapability, **facts: object
) -> Machine:
    """Return a machine with a CUDA driver version and a GPU of each capability."""
    version = CudaVersion.parse(cuda) if isinstance(cuda, str) else cuda
    found = [ComputeCapability.parse(it) if isinstance(it, str) else it for it in of]
    named = tuple(Gpu(capability=capability) for capability in found)
    return Machine(LINUX, Status.OK, "test", cuda=version, gpus=named, **facts)  # type: ignore[arg-type]


machines = st.builds(
    lambda cuda, found: Machine(LINUX, Status.OK, "test", cuda=cuda, gpus=tuple(found)),
    st.none() | cuda_versions,
    st.lists(gpus, max_size=4),
)
