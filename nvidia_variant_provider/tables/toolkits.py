"""What a CUDA version brings: PTX ISA versions, and the first majors with a habit of their own.

Sources: the release history in the PTX ISA manual; for 9.x the ``.version`` that nvcc 13.0 to 13.5
write; NVIDIA's "CUDA Compatibility" (minor-version compatibility begins with 11.0); the import
tables of ``cudart`` on Windows (a part of it comes with the driver from 13.0 on); the names of
NVIDIA's packages on PyPI, which have no ``-cu13``. docs/tables.md says how to add an ISA version.
"""

from __future__ import annotations

from typing import Final

from nvidia_variant_provider.model import CudaVersion

# PTX ISA version to the first CUDA whose driver compiles it. From 7.0 on the minor runs with the
# toolkit's, but 8.5 stayed for two toolkits, so that the rest of CUDA 12 is one ahead.
FIRST_CUDA_OF_ISA: Final[dict[tuple[int, int], CudaVersion]] = {
    (6, 0): CudaVersion(9, 0),
    (6, 1): CudaVersion(9, 1),
    (6, 2): CudaVersion(9, 2),
    (6, 3): CudaVersion(10, 0),
    (6, 4): CudaVersion(10, 1),
    (6, 5): CudaVersion(10, 2),
    (7, 0): CudaVersion(11, 0),
    (7, 1): CudaVersion(11, 1),
    (7, 2): CudaVersion(11, 2),
    (7, 3): CudaVersion(11, 3),
    (7, 4): CudaVersion(11, 4),
    (7, 5): CudaVersion(11, 5),
    (7, 6): CudaVersion(11, 6),
    (7, 7): CudaVersion(11, 7),
    (7, 8): CudaVersion(11, 8),
    (8, 0): CudaVersion(12, 0),
    (8, 1): CudaVersion(12, 1),
    (8, 2): CudaVersion(12, 2),
    (8, 3): CudaVersion(12, 3),
    (8, 4): CudaVersion(12, 4),
    (8, 5): CudaVersion(12, 5),
    (8, 6): CudaVersion(12, 7),
    (8, 7): CudaVersion(12, 8),
    (8, 8): CudaVersion(12, 9),
    (9, 0): CudaVersion(13, 0),
    (9, 1): CudaVersion(13, 1),
    (9, 2): CudaVersion(13, 2),
    (9, 3): CudaVersion(13, 3),
    (9, 4): CudaVersion(13, 4),
    (9, 5): CudaVersion(13, 5),
}

# Before this major there was no promise for newer minors on an older driver.
FIRST_COMPATIBLE_MAJOR: Final = 11
# From this major on a part of the Windows runtime comes with the driver.
FIRST_HYBRID_MAJOR: Final = 13
# Packages of NVIDIA without a CUDA major in their names exist from this major on.
FIRST_UNSUFFIXED_MAJOR: Final = 13
# conda-forge builds for Tegra apart from other Arm machines from the first version up to the
# second, which NVIDIA's toolkit for all of Arm begins with. Source: conda-forge's arm-variant.
CONDA_TEGRA_BUILDS: Final = (CudaVersion(12, 0), CudaVersion(13, 0))
