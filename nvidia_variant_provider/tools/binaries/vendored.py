"""Which libraries of a wheel are copies of other people's."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.binaries.report import Library

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
    folder = path.rpartition("/")[0]
    if (folder + "/").split("/", 1)[0].endswith(_LIBS_FOLDER[:-1]):
        return True
    return _is_nvidia(path, distribution)


def _is_nvidia(path: str, distribution: str) -> bool:
    name = path.rpartition("/")[2]
    return not distribution.startswith("nvidia") and _NVIDIA.fullmatch(name) is not None


def marked(libraries: Iterable[Library], distribution: str) -> tuple[Library, ...]:
    """Mark the copies among the libraries, in the order of their paths.

    Repairing a wheel also moves the project's own libraries into the folder of the copies: where
    no kernels lie elsewhere, those that are not NVIDIA's are taken for its own.
    """
    marks = {one: is_vendored(one.path, distribution) for one in libraries}
    if not any(_has_kernels(one) for one, is_copy in marks.items() if not is_copy):
        for one in marks:
            marks[one] &= not _has_kernels(one) or _is_nvidia(one.path, distribution)
    ordered = sorted(marks, key=lambda library: library.path)
    return tuple(replace(library, vendored=marks[library]) for library in ordered)


def _has_kernels(library: Library) -> bool:
    return any(tally.image.has_kernels for tally in (*library.images, *library.bare))
