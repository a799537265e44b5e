"""Which libraries of a wheel are copies of other people's."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.binaries.report import Library

# The file names of the libraries that come with CUDA and beside it, without version and hash.
_NVIDIA: Final = re.compile(
    r"(?:lib)?(?:cudart|cublas|cublasLt|cufftw?|curand|cusolver|cusolverMg|cusparse|cusparseLt|"
    r"nvjpeg|npp[a-z]{1,4}|nccl|cudnn(?:_\w+)?|nvrtc|nvrtc-builtins|nvJitLink|nvfatbin|cupti|"
    r"nvToolsExt|cufile|cufile_rdma|nvshmem_host|cudss|cutensor|cutensorMg)"
    r"(?:64|32)?(?:[-._]\w+)*\.(?:so(?:\.\d+)*|dll)"
)
# auditwheel and delvewheel put copies into a folder "<distribution>.libs".
_LIBS_FOLDER: Final = ".libs/"


def is_vendored(path: str, distribution: str) -> bool:
    """Tell whether a library in a wheel is a copy; NVIDIA's own wheels hold their own."""
    folder, _, name = path.rpartition("/")
    if (folder + "/").split("/", 1)[0].endswith(_LIBS_FOLDER[:-1]):
        return True
    return not distribution.startswith("nvidia") and _NVIDIA.fullmatch(name) is not None


def marked(libraries: Iterable[Library], distribution: str) -> tuple[Library, ...]:
    """Mark the copies among the libraries, in the order of their paths."""
    return tuple(
        replace(library, vendored=is_vendored(library.path, distribution))
        for library in sorted(libraries, key=lambda library: library.path)
    )
