"""The libraries that come with CUDA and beside it: their names, and what their versions mean.

Sources: the contents lists of the toolkits from 11.0 on, and the file names in NVIDIA's packages on
PyPI. docs/tables.md says how to add a library.
"""

from __future__ import annotations

from typing import Final

# Libraries whose major is CUDA's own, in lower case.
MAJOR_OF_CUDA: Final = frozenset({"cudart", "cublas", "cublaslt", "nvrtc", "nvjitlink", "nvblas"})

# The others count for themselves: their major to the CUDA majors that shipped it.
CUDA_MAJORS_OF: Final[dict[str, dict[int, tuple[int, ...]]]] = {
    "cufft": {10: (11,), 11: (12,), 12: (13,)},
    "cusolver": {10: (11,), 11: (11, 12), 12: (13,)},
    "cusparse": {11: (11,), 12: (12, 13)},
    "curand": {10: (11, 12, 13)},
}

# Packages whose version is the CUDA Toolkit's; other packages count for themselves.
TOOLKIT_VERSIONED_PACKAGES: Final = frozenset(
    {
        "cuda-toolkit",
        "nvidia-cuda-runtime",
        "nvidia-cuda-nvrtc",
        "nvidia-cuda-cupti",
        "nvidia-cuda-nvcc",
        "nvidia-cuda-crt",
        "nvidia-cuda-cccl",
        "nvidia-nvjitlink",
        "nvidia-nvtx",
        "nvidia-nvfatbin",
        "nvidia-nvvm",
    }
)

# Packages whose major is that of the toolkits that they work with: 12.9 goes with CUDA 12.0, too.
MAJOR_VERSIONED_PACKAGES: Final = frozenset({"cuda-bindings", "cuda-python"})

# Projects that make device code at run time and need CUDA for it, so that their wheels, and those
# of projects that require them, need hold none. Sources: their descriptions on PyPI. Others, such
# as taichi, drjit and warp-lang, do the same for CPUs as well.
CODE_AT_RUN_TIME: Final = frozenset(
    {
        "cuda-core",
        "cuda-tile",
        "cupy",
        "numba-cuda",
        "nvidia-cutlass-dsl",
        "pytorch-triton",
        "triton",
        "triton-windows",
        *MAJOR_VERSIONED_PACKAGES,
    }
)
