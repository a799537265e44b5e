"""What the number of an SM architecture means beyond its digits.

Sources: the compute capability appendix of the CUDA Programming Guide 13.4 (suffixes, families),
the same guide up to 13.0 (Tegra and desktop cubins do not mix), and nvlink of CUDA 11.2 to 13.5
asked for every pair (Tegra, and its end with 13.2). docs/tables.md says how to add a target.
"""

from __future__ import annotations

from typing import Final

from nvidia_variant_provider.model import ComputeCapability, CudaVersion

# ``sm_101`` of CUDA 12.8 and 12.9 is the device that CUDA 13 calls ``sm_110`` (Thor).
RENAMED: Final = {ComputeCapability(10, 1): ComputeCapability(11, 0)}

# Tegra parts that share a major with desktop parts. Their cubins are islands: the same major with
# a higher minor is not enough, in neither direction. Thor (11.0) is alone in its major.
TEGRA_CAPABILITIES: Final = frozenset(
    ComputeCapability.from_number(number) for number in (53, 62, 72, 87, 88)
)

# The names of Tegra's chips in device trees (``nvidia,tegra234``), and their capabilities. Source:
# the bindings of the Linux kernel.
TEGRA_CHIPS: Final = (
    ("tegra234", "8.7"),
    ("tegra194", "7.2"),
    ("tegra186", "6.2"),
    ("tegra210", "5.3"),
    ("tegra264", "11.0"),
)

# From this driver stack on, the 8.x islands take part in the ordinary rule; no older major is
# left in those toolkits.
TEGRA_JOINS_DESKTOP: Final = CudaVersion(13, 2)
TEGRA_JOINS_MAJOR: Final = 8

# The first majors that have architecture-specific (``a``) and family-specific (``f``) targets.
# ptxas refuses 88a, 80f and 90f.
FIRST_MAJOR_WITH_A: Final = 9
FIRST_MAJOR_WITH_F: Final = 10

# The weakest capability that a toolkit of each CUDA major can build for, and the last toolkit
# before that. R580 says CUDA 13.0 on Pascal, yet nothing built with 13 holds code for it.
FIRST_CAPABILITY_OF_CUDA_13: Final = ComputeCapability(7, 5)
LAST_CUDA_12: Final = CudaVersion(12, 9)
