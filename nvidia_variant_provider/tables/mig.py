"""How many instances of a MIG profile one GPU holds.

Source: NVIDIA's MIG user guide, tables of supported profiles: A100, H100, H200, B200 and their
kin have seven slices, A30 has four.
"""

from __future__ import annotations

import re
from typing import Final

_SEVEN: Final = {1: 7, 2: 3, 3: 2, 4: 1, 7: 1}
_FOUR: Final = {1: 4, 2: 2, 4: 1}
_PROFILE: Final = re.compile(r"(?:\d{1,2}c\.)?(\d)g\.\d{1,3}gb", re.IGNORECASE)


def gpus_of_instances(profile: str, instances: int, name: str) -> int | None:
    """Return how many GPUs hold so many instances: 56 of ``1g.10gb`` are 8 of an A100.

    ``None`` for a profile that is not known.
    """
    match = _PROFILE.match(profile)
    most = (_FOUR if "a30" in name.lower() else _SEVEN).get(int(match[1])) if match else None
    return -(-instances // most) if most else None
