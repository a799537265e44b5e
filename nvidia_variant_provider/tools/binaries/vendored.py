"""Which libraries of a wheel are copies of other people's: decided by what the wheel is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from nvidia_variant_provider.tools.binaries.report import Library

# The file names of the libraries that come with CUDA and beside it, without version and hash.
_NVIDIA: Final = re.compile(
    r"(?:lib)?(cudart|cublas|cublasLt|cufftw?|curand|cusolver|cusolverMg|cusparse|cusparseLt|"
    r"nvjpeg|npp[a-z]{1,4}|nccl|cudnn(?:_\w+)?|nvrtc|nvrtc-builtins|nvJitLink|nvfatbin|cupti|"
    r"nvToolsExt|cufile|cufile_rdma|nvshmem_host|cudss|cutensor|cutensorMg|nvperf_\w+)"
    r"(?:64|32)?(?:[-._]\w+)*\.(?:so(?:\.\d+)*|dll|a|lib)"
)
# A library beside CUPTI whose name alone says too little.
_BESIDE_CUPTI: Final = re.compile(r"(?:^|/)cupti[^/]*/(?:.*/)?libcheckpoint\.so")
# An extension module of Python carries the interpreter's tag and is never NVIDIA's library.
_EXTENSION: Final = re.compile(r"\.(?:cpython-[^/]+|abi3|pypy[^/]+)\.so$|\.pyd$")
# auditwheel and delvewheel put copies into a folder "<distribution>.libs", with a hash in the name.
_LIBS_FOLDER: Final = ".libs"
# What distributions add to the name of a library: "cutensor-cu12", "faiss-gpu".
_ADDED: Final = re.compile(r"[-_.]+(?:cu(?:da)?\d*x?|gpu)(?=[-_.]|$)", re.IGNORECASE)
_SHORTEST: Final = 4


def is_vendored(path: str, distribution: str) -> bool:
    """Tell whether a library in a wheel is a copy; a wheel's own library has the wheel's name."""
    return _is_nvidia(path, distribution) or (
        _is_moved(path) and not _is_named_after(path, distribution)
    )


def copies(libraries: Collection[Library], distribution: str) -> frozenset[str]:
    """Return the paths of the copies.

    Repairing a wheel also moves the project's own libraries into the folder of the copies: where
    no kernels lie elsewhere, those that are not NVIDIA's are taken for its own.
    """
    marks = {library: is_vendored(library.path, distribution) for library in libraries}
    if not any(library.has_kernels for library, is_copy in marks.items() if not is_copy):
        for library in marks:
            marks[library] &= not library.has_kernels or _is_nvidia(library.path, distribution)
    return frozenset(library.path for library, is_copy in marks.items() if is_copy)


def _is_moved(path: str) -> bool:
    top, _, rest = path.partition("/")
    return bool(rest) and top.endswith(_LIBS_FOLDER)


def _is_nvidia(path: str, distribution: str) -> bool:
    name = path.rpartition("/")[2]
    if distribution.lower().startswith("nvidia") or _EXTENSION.search(name):
        return False
    if _BESIDE_CUPTI.search(path):
        return True
    match = _NVIDIA.fullmatch(name)
    return match is not None and not _is_same(match[1], distribution)


def _is_named_after(path: str, distribution: str) -> bool:
    stem = path.rpartition("/")[2].removeprefix("lib").partition(".")[0]
    return _is_same(stem.partition("-")[0], distribution)


def _is_same(library: str, distribution: str) -> bool:
    """Compare ``cutensorMg`` with ``cutensor-cu12``: one begins with the other."""
    own, name = (
        re.sub(r"[-_.]", "", _ADDED.sub("", text)).lower() for text in (distribution, library)
    )
    long_enough = min(len(own), len(name)) >= _SHORTEST
    return long_enough and (name.startswith(own) or own.startswith(name))
