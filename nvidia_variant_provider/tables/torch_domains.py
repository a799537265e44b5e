"""Device code of torchvision and torchaudio, which is not that of the torch they pair with.

Source: pytorch/test-infra, pytorch_pkg_helpers/cuda.py on the branches release/2.1 to 2.14, read
2026-11-25; the libraries of PyPI's torchvision 0.21, 0.23, 0.25, 0.26 and 0.28 to 0.29.2 agree.
torchvision carries PTX that torch lacks from 0.26 on, and its builds for CUDA 12.9 lack code for
Blackwell. docs/tables.md says how to add a release.
"""

from __future__ import annotations

from typing import Final

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tables.torch_builds import (
    ARM,
    LINUX,
    VOLTA_ON,
    WINDOWS,
    Confidence,
    TorchBuild,
)

PROJECTS: Final = ("torchvision", "torchaudio")

_X86: Final = (LINUX, WINDOWS)
_ALL: Final = (LINUX, WINDOWS, ARM)
_KEPLER_ON: Final = "35 50+PTX 60 70 75 80 86"
_MAXWELL_PTX: Final = "50+PTX 60 70 75 80 86 90"
_MAXWELL_ON: Final = "50 60 70 75 80 86 90"
_TURING_ON: Final = "75 80 86 90 100 120+PTX"
_ARM_13: Final = "80 90 100 110 120+PTX"

# CUDA, platforms, first and last torch, list. The script knows no list for 12.9.
_LISTS: Final = (
    ("11.7", _X86, "2.0.0", "2.0.1", _KEPLER_ON),
    ("11.8", _X86, "2.0.0", "2.7.1", _KEPLER_ON),
    ("12.1", _X86, "2.1.0", "2.5.1", _MAXWELL_PTX),
    ("12.4", _ALL, "2.4.0", "2.6.0", _MAXWELL_PTX),
    ("12.6", _ALL, "2.6.0", "2.8.0", _MAXWELL_PTX),
    ("12.6", _ALL, "2.9.0", "2.14.1", _MAXWELL_ON),
    ("12.8", _ALL, "2.7.0", "2.8.0", f"{_MAXWELL_PTX} 100 120"),
    ("12.8", _ALL, "2.9.0", "2.11.0", VOLTA_ON),
    ("12.9", _ALL, "2.8.0", "2.8.0", _MAXWELL_PTX),
    ("12.9", _ALL, "2.9.0", "2.13.0", _MAXWELL_ON),
    ("13.0", _X86, "2.9.0", "2.14.1", _TURING_ON),
    ("13.0", (ARM,), "2.9.0", "2.14.1", _ARM_13),
    ("13.2", _X86, "2.12.0", "2.15.0", _TURING_ON),
    ("13.2", (ARM,), "2.12.0", "2.15.0", _ARM_13),
)

# The pairing's releases as in ``torch_builds.PAIRS``; whether an index has each of these wheels is
# the index's to say.
DOMAIN_BUILDS: Final = tuple(
    TorchBuild(
        CudaVersion.parse(cuda),
        platform,
        first,
        last,
        archs,
        "pytorch/test-infra pytorch_pkg_helpers/cuda.py",
        Confidence.SOURCE,
    )
    for cuda, platforms, first, last, archs in _LISTS
    for platform in platforms
)
