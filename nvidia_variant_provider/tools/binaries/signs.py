"""Signs of device code that is not embedded as such: compilers, bitcode, code for AMD GPUs.

A wheel with such a sign and without a container is no CPU wheel, whatever its list of code says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries import elf
from nvidia_variant_provider.tools.binaries.report import Sign

if TYPE_CHECKING:
    from collections.abc import Iterable

# LLVM's bitcode, and the wrapper that Apple's tools put around it.
_BITCODE: Final = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")
# The machine number of AMD's GPUs in ELF, EM_AMDGPU.
_AMD: Final = 224
_COMPILERS: Final = ("nvrtc", "nvJitLink", "nvvm", "nvptxcompiler")
_PROGRAMS: Final = re.compile(
    r"(?:ptxas|nvcc|cicc|nvlink)(?:-\w+)?(?:\.exe)?"
    r"|lib(?:nvptxcompiler|nvvm|nvrtc|nvJitLink)(?:_\w+)?(?:-[0-9a-f]+)?\.(?:so(?:\.\d+)*|a)"
    r"|(?:nvptxcompiler|nvvm|nvrtc|nvJitLink)(?:64)?_\w+\.(?:dll|lib)"
)
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


def signs_of_program(name: str, signs: frozenset[Sign]) -> frozenset[Sign]:
    """Return the signs of a file, whose name tells more where it is one of CUDA's compilers.

    PTX text in a compiler is what it writes, not what it brings.
    """
    return frozenset({Sign.IS_COMPILER}) if _PROGRAMS.fullmatch(name) else signs
