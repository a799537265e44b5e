"""Which CUDA builds of torch exist on PyTorch's own indexes, per platform, and their device code.

Sources, read 2026-11-21: the file lists of PyTorch's indexes for 2.4 to 2.13, the matrix in
PyTorch's RELEASE document for 2.14; device code from its build scripts, for 13.x confirmed by the
fatbin entries of the published wheels, and for aarch64 from the table inside torch 2.15.0.
``None`` in the place of device code means that no source was found; nothing is guessed.
docs/tables.md says how to add a release; tests/test_torch_backend.py holds the invariants.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from nvidia_variant_provider.model import CudaVersion, DriverRelease

LINUX: Final = "linux-x86_64"
ARM: Final = "linux-aarch64"
WINDOWS: Final = "windows-x86_64"
PLATFORMS: Final = (LINUX, ARM, WINDOWS)


class TorchBuild(NamedTuple):
    """One CUDA build: its releases, its platform, and what it was compiled for.

    ``archs`` are targets such as ``75``, with ``+PTX`` after the one whose PTX is in the wheel;
    ``None`` where they are not known.
    """

    cuda: CudaVersion
    platform: str
    releases: tuple[str, ...]
    archs: str | None


# The releases whose builds are known, oldest first.
RELEASES: Final = (
    "2.4.0", "2.4.1", "2.5.0", "2.5.1", "2.6.0", "2.7.0", "2.7.1", "2.8.0", "2.9.0", "2.9.1",
    "2.10.0", "2.11.0", "2.12.0", "2.12.1", "2.13.0", "2.14.0", "2.14.1",
)  # fmt: skip

# Releases that exist, and whose builds on the indexes no source names.
UNKNOWN_RELEASES: Final = ("2.15.0",)

# CUDA of the wheel that pip takes from PyPI; not listed: a wheel without CUDA. On Windows it
# never has CUDA.
DEFAULT_WHEEL: Final = {
    (LINUX, "2.4.0"): CudaVersion(12, 1),
    (LINUX, "2.4.1"): CudaVersion(12, 1),
    (LINUX, "2.5.0"): CudaVersion(12, 4),
    (LINUX, "2.5.1"): CudaVersion(12, 4),
    (LINUX, "2.6.0"): CudaVersion(12, 4),
    (LINUX, "2.7.0"): CudaVersion(12, 6),
    (LINUX, "2.7.1"): CudaVersion(12, 6),
    (LINUX, "2.8.0"): CudaVersion(12, 8),
    (LINUX, "2.9.0"): CudaVersion(12, 8),
    (LINUX, "2.9.1"): CudaVersion(12, 8),
    (LINUX, "2.10.0"): CudaVersion(12, 8),
    **{
        (platform, release): CudaVersion(13, 0)
        for platform in (LINUX, ARM)
        for release in ("2.11.0", "2.12.0", "2.12.1", "2.13.0", "2.14.0", "2.14.1")
    },
}

# The oldest driver of each CUDA major, by minor-version compatibility.
# Source: NVIDIA, CUDA Compatibility, and the release notes' table.
OLDEST_DRIVER: Final = {
    11: {"linux": DriverRelease("450.80.02"), "windows": DriverRelease("452.39")},
    12: {"linux": DriverRelease("525.60.13"), "windows": DriverRelease("527.41")},
    13: {"linux": DriverRelease("580.65.06"), "windows": DriverRelease("580.88")},
}

_V4: Final = ("2.4.0", "2.4.1")
_V5: Final = ("2.5.0", "2.5.1")
_V6: Final = ("2.6.0",)
_V7: Final = ("2.7.0", "2.7.1")
_V8: Final = ("2.8.0",)
_V9: Final = ("2.9.0", "2.9.1")
_V10: Final = ("2.10.0",)
_V11: Final = ("2.11.0",)
_V12: Final = ("2.12.0", "2.12.1")
_V13: Final = ("2.13.0",)
_V14: Final = ("2.14.0", "2.14.1")
_CUDA_11_8: Final = CudaVersion(11, 8)
_CUDA_12_1: Final = CudaVersion(12, 1)
_CUDA_12_4: Final = CudaVersion(12, 4)
_CUDA_12_6: Final = CudaVersion(12, 6)
_CUDA_12_8: Final = CudaVersion(12, 8)
_CUDA_12_9: Final = CudaVersion(12, 9)
_CUDA_13_0: Final = CudaVersion(13, 0)
_CUDA_13_2: Final = CudaVersion(13, 2)

_MAXWELL_TO_HOPPER: Final = "50 60 70 75 80 86 90"
_VOLTA_ON: Final = "70 75 80 86 90 100 120"
_TURING_ON: Final = "75 80 86 90 100 120"
_ARM_13: Final = "80 90 100 110 120"
_WINDOWS_12_6: Final = "50 60 61 70 75 80 86 90"

BUILDS: Final = (
    TorchBuild(_CUDA_11_8, LINUX, (*_V4, *_V5, *_V6, *_V7), "37 50 60 70 75 80 86 90"),
    TorchBuild(_CUDA_12_1, LINUX, (*_V4, *_V5), _MAXWELL_TO_HOPPER),
    TorchBuild(_CUDA_12_4, LINUX, (*_V4, *_V5, *_V6), _MAXWELL_TO_HOPPER),
    TorchBuild(
        _CUDA_12_6,
        LINUX,
        (*_V6, *_V7, *_V8, *_V9, *_V10, *_V11, *_V12, *_V13, *_V14),
        _MAXWELL_TO_HOPPER,
    ),
    TorchBuild(_CUDA_12_8, LINUX, _V7, f"{_TURING_ON}+PTX"),
    TorchBuild(_CUDA_12_8, LINUX, (*_V8, *_V9, *_V10), _VOLTA_ON),
    TorchBuild(_CUDA_12_8, LINUX, _V11, _TURING_ON),
    TorchBuild(_CUDA_12_9, LINUX, (*_V8, *_V9, *_V10), f"{_VOLTA_ON}+PTX"),
    TorchBuild(_CUDA_12_9, LINUX, _V11, f"{_TURING_ON}+PTX"),
    TorchBuild(_CUDA_12_9, LINUX, ("2.12.1", *_V13), _TURING_ON),
    TorchBuild(_CUDA_13_0, LINUX, (*_V9, *_V10), f"{_TURING_ON}+PTX"),
    TorchBuild(_CUDA_13_0, LINUX, (*_V11, *_V12, *_V13, *_V14), _TURING_ON),
    TorchBuild(_CUDA_13_2, LINUX, (*_V12, *_V13, *_V14), _TURING_ON),
    TorchBuild(_CUDA_12_4, ARM, _V4, None),
    TorchBuild(_CUDA_12_4, ARM, _V5, "90"),
    TorchBuild(_CUDA_12_6, ARM, (*_V6, *_V9, *_V10, *_V11), None),
    TorchBuild(_CUDA_12_6, ARM, (*_V12, *_V13, *_V14), "80 90"),
    TorchBuild(_CUDA_12_8, ARM, (*_V7, *_V9, *_V10, *_V11), None),
    TorchBuild(_CUDA_12_9, ARM, (*_V8, *_V9, *_V10, *_V11, "2.12.1"), None),
    TorchBuild(_CUDA_12_9, ARM, _V13, "80 90 100 120"),
    TorchBuild(_CUDA_13_0, ARM, (*_V9, *_V10), None),
    TorchBuild(_CUDA_13_0, ARM, (*_V11, *_V12, *_V13, *_V14), _ARM_13),
    TorchBuild(_CUDA_13_2, ARM, (*_V12, *_V13, *_V14), _ARM_13),
    TorchBuild(_CUDA_11_8, WINDOWS, (*_V4, *_V5, *_V6, *_V7), None),
    TorchBuild(_CUDA_12_1, WINDOWS, (*_V4, *_V5), None),
    TorchBuild(_CUDA_12_4, WINDOWS, (*_V4, *_V5, *_V6), None),
    TorchBuild(_CUDA_12_6, WINDOWS, (*_V6, *_V7, *_V8, *_V9), None),
    TorchBuild(_CUDA_12_6, WINDOWS, (*_V10, *_V11, *_V12, *_V13, *_V14), _WINDOWS_12_6),
    TorchBuild(_CUDA_12_8, WINDOWS, (*_V7, *_V8, *_V9), None),
    TorchBuild(_CUDA_12_8, WINDOWS, (*_V10, *_V11), _TURING_ON),
    TorchBuild(_CUDA_12_9, WINDOWS, (*_V8, "2.9.0"), None),
    TorchBuild(_CUDA_13_0, WINDOWS, _V9, None),
    TorchBuild(_CUDA_13_0, WINDOWS, (*_V10, *_V11, *_V12, *_V13, *_V14), _TURING_ON),
    TorchBuild(_CUDA_13_2, WINDOWS, (*_V12, *_V13, *_V14), _TURING_ON),
)

# What uv adds to its list of indexes for ``--torch-backend=auto``, newest first, from
# which driver on. It knows no cu134, and looks at nothing but the driver's number.
UV_INDEXES: Final = (
    (DriverRelease("580"), DriverRelease("580"), "132 130"),
    (
        DriverRelease("525.60.13"),
        DriverRelease("528.33"),
        "129 128 126 125 124 123 122 121 120",
    ),
    (DriverRelease("450.80.02"), DriverRelease("452.39"), "118 117 116 115 114 113 112 111"),
    (DriverRelease("450.36.06"), DriverRelease("451.22"), "110"),
)
