"""How small a GPU must be, beside a bigger one, to be there for the screen alone.

A GPU that drives a display needs little memory; one that computes beside others has a comparable
size. Cards of 1 to 4 GiB (Quadro P400, T400, GT 710) are sold for screens, and the smallest ones
sold to compute (T4, A2) have 16.
"""

from __future__ import annotations

from typing import Final

# How the driver names a slice of a GPU for a virtual machine: "GRID V100D-4C", "NVIDIA A40-48Q".
VGPU_PROFILE: Final = r".*-\d{1,3}[ABCQ]"
DISPLAY_GPU_MIB: Final = 4096
# Less than this part of the largest GPU's memory: a pair of like GPUs is never split.
DISPLAY_GPU_SHARE: Final = 4
