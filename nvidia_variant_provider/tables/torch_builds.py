"""CUDA builds of torch by release and platform, with their device code, and what pairs with it.

Every row names its source and how sure it is. Which builds exist: PyTorch's build matrix
(pytorch/test-infra, release/2.1 to 2.14), the file lists of its indexes and package metadata; for
2.15 its public release plan and the default wheel. Read 2026-11-25. docs/tables.md says how to add
a release; tests/tools/torch/test_builds.py holds the invariants.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from nvidia_variant_provider.model import CudaVersion, DriverRelease

LINUX: Final = "linux-x86_64"
ARM: Final = "linux-aarch64"
WINDOWS: Final = "windows-x86_64"
WINDOWS_ARM: Final = "windows-aarch64"
PLATFORMS: Final = (LINUX, ARM, WINDOWS, WINDOWS_ARM)

# Where PyTorch publishes CPU wheels alone, and what is known of CUDA builds from elsewhere.
NO_CUDA: Final = {
    WINDOWS_ARM: (
        "PyTorch publishes CPU wheels only for Windows on Arm; NVIDIA's own package index has "
        "CUDA 13.4 builds in its channel nvtorch_oot_nightly"
    )
}


class Confidence(Enum):
    """How sure a row is: seen in the published wheel, or read about it."""

    MEASURED = "measured"
    SOURCE = "source"
    REPORTED = "reported"
    UNVERIFIED = "unverified"


class TorchBuild(NamedTuple):
    """A build: CUDA, platform, first and last release, and what it was compiled for.

    ``archs`` are targets such as ``75``, with ``+PTX`` after one whose PTX is in the wheel. The
    releases of torchvision's and torchaudio's builds are those of the torch they pair with.
    """

    cuda: CudaVersion
    platform: str
    first: str
    last: str
    archs: str
    source: str
    confidence: Confidence


RELEASES: Final = (
    "2.0.0", "2.0.1", "2.1.0", "2.1.1", "2.1.2", "2.2.0", "2.2.1", "2.2.2", "2.3.0", "2.3.1",
    "2.4.0", "2.4.1", "2.5.0", "2.5.1", "2.6.0", "2.7.0", "2.7.1", "2.8.0", "2.9.0", "2.9.1",
    "2.10.0", "2.11.0", "2.12.0", "2.12.1", "2.13.0", "2.14.0", "2.14.1", "2.15.0",
)  # fmt: skip

# CUDA of the wheel that pip takes from PyPI, by first and last release; elsewhere, and on Windows
# always, it is a CPU build. Read from the metadata of PyPI's wheels.
DEFAULT_WHEEL: Final = (
    (LINUX, "2.0.0", "2.0.1", CudaVersion(11, 7)),
    (LINUX, "2.1.0", "2.4.1", CudaVersion(12, 1)),
    (LINUX, "2.5.0", "2.6.0", CudaVersion(12, 4)),
    (LINUX, "2.7.0", "2.7.1", CudaVersion(12, 6)),
    (LINUX, "2.8.0", "2.10.0", CudaVersion(12, 8)),
    (LINUX, "2.11.0", "2.14.1", CudaVersion(13, 0)),
    (LINUX, "2.15.0", "2.15.0", CudaVersion(13, 2)),
    (ARM, "2.11.0", "2.14.1", CudaVersion(13, 0)),
    (ARM, "2.15.0", "2.15.0", CudaVersion(13, 2)),
)

# Builds whose wheels have no local version (``+cu124``) in their names; the path alone tells.
UNLABELLED: Final = ((ARM, "2.4.0", "2.5.1"),)

# torch, torchvision, torchaudio, which ended with 2.11.0.
# Source: replicate/cog's pairs to 2.11; from 2.12 on the requirements of torchvision's wheels, and
# for 0.29.2, which requires torch>=2.14.0, the CUDA 13.2 that its wheel states.
PAIRS: Final = (
    ("2.0.0", "0.15.1", "2.0.1"),
    ("2.0.1", "0.15.2", "2.0.2"),
    ("2.1.0", "0.16.0", "2.1.0"),
    ("2.1.1", "0.16.1", "2.1.1"),
    ("2.1.2", "0.16.2", "2.1.2"),
    ("2.2.0", "0.17.0", "2.2.0"),
    ("2.2.1", "0.17.1", "2.2.1"),
    ("2.2.2", "0.17.2", "2.2.2"),
    ("2.3.0", "0.18.0", "2.3.0"),
    ("2.3.1", "0.18.1", "2.3.1"),
    ("2.4.0", "0.19.0", "2.4.0"),
    ("2.4.1", "0.19.1", "2.4.1"),
    ("2.5.0", "0.20.0", "2.5.0"),
    ("2.5.1", "0.20.1", "2.5.1"),
    ("2.6.0", "0.21.0", "2.6.0"),
    ("2.7.0", "0.22.0", "2.7.0"),
    ("2.7.1", "0.22.1", "2.7.1"),
    ("2.8.0", "0.23.0", "2.8.0"),
    ("2.9.0", "0.24.0", "2.9.0"),
    ("2.9.1", "0.24.1", "2.9.1"),
    ("2.10.0", "0.25.0", "2.10.0"),
    ("2.11.0", "0.26.0", "2.11.0"),
    ("2.12.0", "0.27.0", ""),
    ("2.12.1", "0.27.1", ""),
    ("2.13.0", "0.28.0", ""),
    ("2.14.0", "0.29.0", ""),
    ("2.14.1", "0.29.1", ""),
    ("2.15.0", "0.29.2", ""),
)

# The first releases that pin no exact torch: they go with the paired one and newer ones.
# Source: the requirements of the wheels.
UNPINNED_FROM: Final = {"torchvision": "0.29.1", "torchaudio": "2.11.0"}

# The oldest driver of each CUDA major, by minor-version compatibility.
# Source: NVIDIA, CUDA Compatibility, and the release notes' table; for 13 on Windows the driver of
# the toolkit's first release, as NVIDIA names no minimum.
OLDEST_DRIVER: Final = {
    11: {"linux": DriverRelease("450.80.02"), "windows": DriverRelease("452.39")},
    12: {"linux": DriverRelease("525.60.13"), "windows": DriverRelease("528.33")},
    13: {"linux": DriverRelease("580.65.06"), "windows": DriverRelease("580.88")},
}

_11_7: Final = CudaVersion(11, 7)
_11_8: Final = CudaVersion(11, 8)
_12_1: Final = CudaVersion(12, 1)
_12_4: Final = CudaVersion(12, 4)
_12_6: Final = CudaVersion(12, 6)
_12_8: Final = CudaVersion(12, 8)
_12_9: Final = CudaVersion(12, 9)
_13_0: Final = CudaVersion(13, 0)
_13_2: Final = CudaVersion(13, 2)

_MEASURED: Final = Confidence.MEASURED
_SOURCE: Final = Confidence.SOURCE
_REPORTED: Final = Confidence.REPORTED
_UNVERIFIED: Final = Confidence.UNVERIFIED

_MAXWELL_TO_HOPPER: Final = "50 60 70 75 80 86 90"
VOLTA_ON: Final = "70 75 80 86 90 100 120"
_TURING_ON: Final = "75 80 86 90 100 120"
_ARM_12: Final = "80 90 100 120"
_ARM_13: Final = "80 90 100 110 120"
_WINDOWS_12: Final = "50 60 61 70 75 80 86 90"

_BUILDER: Final = "pytorch/builder release branches, manywheel/build_cuda.sh"
_SCRIPT: Final = "pytorch/pytorch .ci/manywheel/build_cuda.sh at the release tags"
_INSIDE: Final = "table inside torch 2.13.0, 2.14.1 and 2.15.0"
_BATCH: Final = "pytorch/builder release branches, windows/cuda*.bat"
_CONFIG: Final = "pytorch/pytorch windows/cuda_config.bat and build_env_setup.py"
_ARM_SCRIPT: Final = "pytorch/pytorch aarch64_ci_build.sh"
_PLAN: Final = "PyTorch's release plan; device code as in 2.14"
_AT_RUN_TIME: Final = "get_arch_list() in public reports"

BUILDS: Final = (
    TorchBuild(_11_7, LINUX, "2.0.0", "2.0.1", "37 50 60 70 75 80 86", _BUILDER, _SOURCE),
    TorchBuild(_11_8, LINUX, "2.0.0", "2.7.1", f"37 {_MAXWELL_TO_HOPPER}", _BUILDER, _SOURCE),
    TorchBuild(_12_1, LINUX, "2.1.0", "2.5.1", _MAXWELL_TO_HOPPER, _BUILDER, _SOURCE),
    TorchBuild(_12_4, LINUX, "2.4.0", "2.6.0", _MAXWELL_TO_HOPPER, _BUILDER, _SOURCE),
    TorchBuild(_12_6, LINUX, "2.6.0", "2.14.1", _MAXWELL_TO_HOPPER, _SCRIPT, _SOURCE),
    TorchBuild(_12_8, LINUX, "2.7.0", "2.7.1", f"{_TURING_ON}+PTX", _SCRIPT, _SOURCE),
    TorchBuild(_12_8, LINUX, "2.8.0", "2.10.0", VOLTA_ON, _SCRIPT, _SOURCE),
    TorchBuild(_12_8, LINUX, "2.11.0", "2.11.0", _TURING_ON, _SCRIPT, _SOURCE),
    TorchBuild(_12_9, LINUX, "2.8.0", "2.10.0", f"{VOLTA_ON}+PTX", _SCRIPT, _SOURCE),
    TorchBuild(_12_9, LINUX, "2.11.0", "2.11.0", f"{_TURING_ON}+PTX", _SCRIPT, _SOURCE),
    TorchBuild(_12_9, LINUX, "2.12.1", "2.13.0", _TURING_ON, _SCRIPT, _SOURCE),
    TorchBuild(_13_0, LINUX, "2.9.0", "2.10.0", f"{_TURING_ON}+PTX", _SCRIPT, _SOURCE),
    TorchBuild(_13_0, LINUX, "2.11.0", "2.14.1", _TURING_ON, "fatbins of PyPI's wheels", _MEASURED),
    TorchBuild(_13_0, LINUX, "2.15.0", "2.15.0", _TURING_ON, _PLAN, _SOURCE),
    TorchBuild(_13_2, LINUX, "2.12.0", "2.14.1", _TURING_ON, _SCRIPT, _SOURCE),
    TorchBuild(_13_2, LINUX, "2.15.0", "2.15.0", _TURING_ON, "fatbins of PyPI's wheel", _MEASURED),
    # The script of 2.4 and 2.5 sets no list, so that CMake's common one applied.
    TorchBuild(
        _12_4, ARM, "2.4.0", "2.5.1", "50 80 86 89 90 90a", "pytorch/pytorch#140844", _UNVERIFIED
    ),
    TorchBuild(_12_6, ARM, "2.6.0", "2.6.0", "90", "pytorch/pytorch#144436", _UNVERIFIED),
    TorchBuild(_12_6, ARM, "2.9.0", "2.11.0", "80 90", _ARM_SCRIPT, _SOURCE),
    TorchBuild(_12_6, ARM, "2.12.0", "2.14.1", "80 90", _INSIDE, _MEASURED),
    TorchBuild(_12_8, ARM, "2.7.0", "2.7.1", "90 100 120", _ARM_SCRIPT, _SOURCE),
    TorchBuild(_12_8, ARM, "2.9.0", "2.11.0", _ARM_12, _ARM_SCRIPT, _SOURCE),
    TorchBuild(_12_9, ARM, "2.8.0", "2.8.0", _ARM_12, _ARM_SCRIPT, _SOURCE),
    TorchBuild(_12_9, ARM, "2.9.0", "2.9.1", _ARM_12, "pytorch/pytorch#165794", _UNVERIFIED),
    TorchBuild(_12_9, ARM, "2.10.0", "2.10.0", f"{_ARM_12}+PTX", _SCRIPT, _SOURCE),
    # The script of 2.11 has PTX on x86_64, and so perhaps here.
    TorchBuild(_12_9, ARM, "2.11.0", "2.11.0", _ARM_12, "as 2.12.1", _UNVERIFIED),
    TorchBuild(_12_9, ARM, "2.12.1", "2.12.1", _ARM_12, "pytorch/pytorch#188443", _SOURCE),
    TorchBuild(_12_9, ARM, "2.13.0", "2.13.0", _ARM_12, _INSIDE, _MEASURED),
    TorchBuild(_13_0, ARM, "2.9.0", "2.10.0", f"{_ARM_13}+PTX", _ARM_SCRIPT, _SOURCE),
    TorchBuild(_13_0, ARM, "2.11.0", "2.14.1", _ARM_13, _INSIDE, _MEASURED),
    TorchBuild(_13_0, ARM, "2.15.0", "2.15.0", _ARM_13, _PLAN, _SOURCE),
    TorchBuild(_13_2, ARM, "2.12.0", "2.14.1", _ARM_13, _INSIDE, _MEASURED),
    TorchBuild(_13_2, ARM, "2.15.0", "2.15.0", _ARM_13, "fatbins of PyPI's wheel", _MEASURED),
    TorchBuild(_11_7, WINDOWS, "2.0.0", "2.0.1", "37+PTX 50 60 61 70 75 80 86", _BATCH, _SOURCE),
    TorchBuild(_11_8, WINDOWS, "2.0.0", "2.7.1", f"37+PTX {_WINDOWS_12}", _BATCH, _SOURCE),
    TorchBuild(_12_1, WINDOWS, "2.1.0", "2.5.1", _WINDOWS_12, _BATCH, _SOURCE),
    TorchBuild(_12_4, WINDOWS, "2.4.0", "2.5.1", _WINDOWS_12, _BATCH, _SOURCE),
    TorchBuild(_12_4, WINDOWS, "2.6.0", "2.6.0", _WINDOWS_12, "as 2.5", _UNVERIFIED),
    TorchBuild(_12_6, WINDOWS, "2.6.0", "2.7.1", _WINDOWS_12, "windows/cuda126.bat", _SOURCE),
    TorchBuild(_12_6, WINDOWS, "2.8.0", "2.8.0", "61 70 75 80 86 90", _AT_RUN_TIME, _REPORTED),
    # No source: what both its neighbours have.
    TorchBuild(_12_6, WINDOWS, "2.9.0", "2.9.1", "61 70 75 80 86 90", "2.8 and 2.10", _UNVERIFIED),
    TorchBuild(_12_6, WINDOWS, "2.10.0", "2.14.1", _WINDOWS_12, _CONFIG, _SOURCE),
    TorchBuild(_12_8, WINDOWS, "2.7.0", "2.7.1", f"{_WINDOWS_12} 100 120", _AT_RUN_TIME, _REPORTED),
    TorchBuild(_12_8, WINDOWS, "2.8.0", "2.8.0", f"61 {VOLTA_ON}", _AT_RUN_TIME, _REPORTED),
    # 2.9.0 may still hold 6.1.
    TorchBuild(_12_8, WINDOWS, "2.9.0", "2.9.1", VOLTA_ON, "pytorch/pytorch#164470", _UNVERIFIED),
    TorchBuild(_12_8, WINDOWS, "2.10.0", "2.10.0", VOLTA_ON, _AT_RUN_TIME, _REPORTED),
    TorchBuild(_12_8, WINDOWS, "2.11.0", "2.11.0", _TURING_ON, "pytorch/pytorch#175253", _SOURCE),
    TorchBuild(_12_9, WINDOWS, "2.8.0", "2.9.0", VOLTA_ON, "pytorch/pytorch#158126", _UNVERIFIED),
    TorchBuild(_13_0, WINDOWS, "2.9.0", "2.14.1", _TURING_ON, _CONFIG, _SOURCE),
    TorchBuild(_13_0, WINDOWS, "2.15.0", "2.15.0", _TURING_ON, _PLAN, _UNVERIFIED),
    TorchBuild(_13_2, WINDOWS, "2.12.0", "2.14.1", _TURING_ON, _CONFIG, _SOURCE),
    TorchBuild(_13_2, WINDOWS, "2.15.0", "2.15.0", _TURING_ON, _PLAN, _UNVERIFIED),
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
