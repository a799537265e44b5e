"""What PTX text and its ISA version tell."""

from __future__ import annotations

import re
from typing import Final

from nvidia_variant_provider.model import CudaVersion

_VERSION: Final = re.compile(rb"\.version\s+(\d{1,2})\.(\d{1,2})")
_TARGET: Final = re.compile(rb"^\s*\.target\s+sm_(\d{2,3})([af]?)\b", re.MULTILINE)
_KERNEL: Final = re.compile(rb"\.(?:entry|func)\b")
_COMMENT: Final = re.compile(rb"(?:\s|//[^\n]*\n|/\*.*?\*/)*", re.DOTALL)

# The first CUDA whose driver compiles an ISA version. From 7.0 the minor runs with the toolkit's,
# but 8.5 stayed for two toolkits, so that the rest of CUDA 12 is one ahead.
# Source: the release history in the PTX ISA manual.
_FIRST_CUDA: Final[dict[tuple[int, int], CudaVersion]] = (
    {(6, minor): CudaVersion(9, minor) for minor in range(3)}
    | {(6, minor): CudaVersion(10, minor - 3) for minor in range(3, 6)}
    | {(7, minor): CudaVersion(11, minor) for minor in range(9)}
    | {(8, minor): CudaVersion(12, minor) for minor in range(6)}
    | {(8, minor): CudaVersion(12, minor + 1) for minor in range(6, 9)}
    | {(9, minor): CudaVersion(13, minor) for minor in range(6)}
)


def first_cuda(isa: tuple[int, int]) -> CudaVersion | None:
    """Return the oldest CUDA driver version that compiles an ISA version; ``None`` if unknown."""
    return _FIRST_CUDA.get(isa)


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
