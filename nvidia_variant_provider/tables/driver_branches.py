"""Driver branch to the newest CUDA version its user-mode driver supports, and GPUs left behind.

Sources: ``cuDriverGetVersion`` called in libcuda of the branches 340 to 555; NVIDIA's "Supported
drivers and CUDA toolkit versions" for the others; 430, 435 and 565 from public banners. The
pairing of 620 with 13.5 is inferred. Windows releases follow the same numbers, rounded down.
Not for Tegra releases, whose numbers (35.4.1, 540.4.0) mean something else.
docs/tables.md says how to add a branch; tests/test_tables.py holds the invariants.
"""

from __future__ import annotations

from typing import Final

from nvidia_variant_provider.model import ComputeCapability, CudaVersion

BRANCHES: Final = (
    (340, CudaVersion(6, 5)),
    (346, CudaVersion(7, 0)),
    (352, CudaVersion(7, 5)),
    (375, CudaVersion(8, 0)),
    (384, CudaVersion(9, 0)),
    (390, CudaVersion(9, 1)),
    (396, CudaVersion(9, 2)),
    (410, CudaVersion(10, 0)),
    (418, CudaVersion(10, 1)),
    (430, CudaVersion(10, 1)),
    (435, CudaVersion(10, 1)),
    (440, CudaVersion(10, 2)),
    (450, CudaVersion(11, 0)),
    (455, CudaVersion(11, 1)),
    (460, CudaVersion(11, 2)),
    (465, CudaVersion(11, 3)),
    (470, CudaVersion(11, 4)),
    (495, CudaVersion(11, 5)),
    (510, CudaVersion(11, 6)),
    (515, CudaVersion(11, 7)),
    (520, CudaVersion(11, 8)),
    (525, CudaVersion(12, 0)),
    (530, CudaVersion(12, 1)),
    (535, CudaVersion(12, 2)),
    (545, CudaVersion(12, 3)),
    (550, CudaVersion(12, 4)),
    (555, CudaVersion(12, 5)),
    (560, CudaVersion(12, 6)),
    (565, CudaVersion(12, 7)),
    (570, CudaVersion(12, 8)),
    (575, CudaVersion(12, 9)),
    (580, CudaVersion(13, 0)),
    (590, CudaVersion(13, 1)),
    (595, CudaVersion(13, 2)),
    (610, CudaVersion(13, 3)),
    (615, CudaVersion(13, 4)),
    (620, CudaVersion(13, 5)),
)

# What is assumed for a machine that is named without a driver: the first branch for CUDA 13, which
# serves every build in use. An older default would mean CPU builds that nobody asked for.
DEFAULT_BRANCH: Final = 580

# Branches that few machines in a data centre run: what NVIDIA calls new-feature branches, most of
# them with months of support, and branches before the first with long-term support that variants
# meet. The catalogue of ``coverage`` leaves them out; a branch added above is in it by itself.
# Source: NVIDIA's list of data centre driver branches and their ends of support.
OLDEST_IN_DATA_CENTRES: Final = 470
SHORT_LIVED: Final = frozenset({495, 510, 515, 520, 530, 545, 555, 565})

# The last driver branch that serves the capabilities below the one named.
# Source: NVIDIA's data centre driver matrix; Kepler ended with R470, Maxwell to Volta with R580.
LAST_BRANCH_BELOW: Final = (
    (ComputeCapability(5, 0), 470),
    (ComputeCapability(7, 5), 580),
)

# The open kernel module drives GPUs with a GSP, from Turing on; the closed one no Blackwell.
# Source: README of NVIDIA/open-gpu-kernel-modules, all tags up to 595.45, and NVIDIA's Driver
# Installation Guide 620. Grace Hopper needs the open one too.
FIRST_OF_OPEN_MODULE: Final = ComputeCapability(7, 5)
FIRST_OF_OPEN_ONLY: Final = ComputeCapability(10, 0)

# The first driver branch that serves a capability, for those that machines still meet too early.
# Source: the device lists in the README of NVIDIA/open-gpu-kernel-modules, tag by tag.
FIRST_BRANCH_FOR: Final = (
    (ComputeCapability(8, 9), 520),
    (ComputeCapability(9, 0), 520),
    (ComputeCapability(10, 0), 570),
    (ComputeCapability(10, 3), 580),
    (ComputeCapability(12, 0), 570),
    (ComputeCapability(12, 1), 580),
)


def cuda_of_branch(branch: int) -> CudaVersion | None:
    """Return what libcuda of a branch reports: 580 gives 13.0.

    An unlisted branch has the value of the next lower listed one, so a branch newer than the
    table counts as the newest known. ``None`` below the first listed one.
    """
    reached = [cuda for first, cuda in BRANCHES if first <= branch]
    return reached[-1] if reached else None


def data_centre_branches() -> tuple[int, ...]:
    """Return the branches that machines in data centres run, oldest first: 470, 525, 535, ..."""
    return tuple(
        branch
        for branch, _ in BRANCHES
        if branch >= OLDEST_IN_DATA_CENTRES and branch not in SHORT_LIVED
    )


def last_branch_for(capability: ComputeCapability) -> int | None:
    """Return the last driver branch that serves a capability; ``None`` while it is current."""
    for below, branch in LAST_BRANCH_BELOW:
        if capability < below:
            return branch
    return None


def first_branch_for(capability: ComputeCapability) -> int | None:
    """Return the first driver branch that serves a capability; ``None`` where it is not listed."""
    return next((branch for first, branch in FIRST_BRANCH_FOR if first == capability), None)
