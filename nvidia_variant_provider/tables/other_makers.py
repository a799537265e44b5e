"""Names of accelerators that are not NVIDIA's, as schedulers and clouds write them.

Sources: AMD's and Intel's product pages; LLVM's list of AMDGPU processors (gfx90a); GRES types in
public job scripts of sites with AMD's and Intel's accelerators.
"""

from __future__ import annotations

import re
from typing import Final

_OTHER: Final = re.compile(
    r"(amd|intel|advanced micro|habana|instinct|radeon|gfx\d|mi\d{2,3}[a-z]?\b|vega|firepro|"
    r"(data[-_ ]?center[-_ ]?)?max[-_ ]?1\d{3}|(intel[-_ ]?)?pvc|ponte|flex[-_ ]?1\d\d|gaudi|"
    r"arc[-_ ]?[ab]\d{3}|trainium|inferentia|tpu)",
    re.IGNORECASE,
)


def is_other_maker(name: str) -> bool:
    """Whether a name is one of AMD's, Intel's or another maker's: ``mi250``, ``max_1550``."""
    return _OTHER.match(name.strip()) is not None
