"""What PTX text and its ISA version tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.toolkits import FIRST_CUDA_OF_ISA

if TYPE_CHECKING:
    from nvidia_variant_provider.model import CudaVersion

_VERSION: Final = re.compile(rb"\.version\s+(\d{1,2})\.(\d{1,2})")
_TARGET: Final = re.compile(rb"^\s*\.target\s+sm_(\d{2,3})([af]?)\b", re.MULTILINE)
_KERNEL: Final = re.compile(rb"\.(?:entry|func)\b")
_COMMENT: Final = re.compile(rb"(?:\s|//[^\n]*\n|/\*.*?\*/)*", re.DOTALL)


def first_cuda(isa: tuple[int, int]) -> CudaVersion | None:
    """Return the oldest CUDA driver version that compiles an ISA version; ``None`` if unknown."""
    return FIRST_CUDA_OF_ISA.get(isa)


def parse_text(head: bytes) -> tuple[tuple[int, int], int, str] | None:
    """Read ISA version, number and suffix of the target from the start of a PTX file.

    ``None`` when the text does not start as PTX does: ``.version 8.7`` after comments.
    """
    start = _COMMENT.match(head)
    version = _VERSION.match(head, start.end() if start else 0)
    target = _TARGET.search(head)
    if version is None or target is None:
        return None
    return (int(version[1]), int(version[2])), int(target[1]), target[2].decode()


def has_kernels(text: bytes) -> bool:
    """Tell whether PTX text defines a kernel or a function."""
    return _KERNEL.search(text) is not None
