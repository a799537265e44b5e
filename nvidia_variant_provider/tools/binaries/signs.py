"""Signs of device code that is not embedded as such: compilers, bitcode, code for AMD GPUs.

A wheel with such a sign and without a container is no CPU wheel, whatever its list of code says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries import elf
from nvidia_variant_provider.tools.binaries.report import Library, Sign

if TYPE_CHECKING:
    from collections.abc import Iterable

# LLVM's bitcode, and the wrapper that Apple's tools put around it.
_BITCODE: Final = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")
# The machine number of AMD's GPUs in ELF, EM_AMDGPU.
_AMD: Final = 224
_COMPILERS: Final = ("nvrtc", "nvJitLink", "nvvm", "nvptxcompiler")
_AMD_LIBRARIES: Final = ("amdhip64", "hiprtc", "hsa-runtime64", "rccl", "rocblas", "hipblas")


def sign_of(head: bytes) -> Sign | None:
    """Return what a whole file is by its first bytes: bitcode, or an object for AMD GPUs."""
    if head.startswith(_BITCODE):
        return Sign.BITCODE
    return Sign.ROCM if elf.machine_of(head) == _AMD else None


def signs_of_links(needed: Iterable[str]) -> frozenset[Sign]:
    """Return what the libraries tell that a library is linked with."""
    stems = [file.removeprefix("lib").lower() for file in needed]
    words = ((_COMPILERS, Sign.COMPILER), (_AMD_LIBRARIES, Sign.ROCM))
    return frozenset(
        sign
        for names, sign in words
        if any(stem.startswith(tuple(name.lower() for name in names)) for stem in stems)
    )


def unembedded(libraries: Iterable[Library]) -> dict[str, tuple[Sign, ...]]:
    """Return the signs of libraries without device code of their own, by their paths.

    That a library opens the driver says nothing about one that has kernels or CUDA's runtime.
    """
    return {
        one.path: tuple(sorted(one.signs, key=list(Sign).index))
        for one in libraries
        if one.signs and not one.has_device_code
    }
