"""Machine types of clouds, and the NVIDIA GPUs in them.

Sources: AWS from the table in moto 5.2.5 (p2, p3 and g3 from AWS's documentation), Google, Azure
and Oracle from the catalogues of SkyPilot 0.14.1 and gpuhunt 0.1.34. A type that is not listed
means nothing; types with AMD's GPUs are listed with an empty name, so that they are no NVIDIA
machines. docs/tables.md says how to add a row; tests/test_names.py holds the invariants.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from nvidia_variant_provider.value_types import dataclass


@dataclass(frozen=True, slots=True)
class Instance:
    """A cloud's machine type: its GPU (empty: none of NVIDIA's), how many, the CPU.

    ``count`` is ``None`` where the number is not known, and 0 for a fraction of a GPU.
    """

    gpu: str
    count: int | None
    architecture: str = "x86_64"


class _Family(NamedTuple):
    """Types that one expression covers; group 1 is the size that tells the count.

    ``counts`` has the sizes with another count than ``default``; ``None`` means that the size is
    the count itself: ``a2-highgpu-4g`` has four.
    """

    pattern: str
    gpu: str
    counts: dict[str, int]
    default: int | None = 1
    architecture: str = "x86_64"


_ARM: Final = "aarch64"
_SIZE: Final = r"\.(\w+)"
_QUARTERS: Final = {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8, "metal": 8}

_FAMILIES: Final = (
    # AWS.
    _Family("p2" + _SIZE, "K80", {"8xlarge": 8, "16xlarge": 16}),
    _Family("p3" + _SIZE, "V100", {"8xlarge": 4, "16xlarge": 8}),
    _Family("p3dn" + _SIZE, "V100", {}, 8),
    _Family("p4d" + _SIZE, "A100", {}, 8),
    _Family("p4de" + _SIZE, "A100", {}, 8),
    _Family("p5" + _SIZE, "H100", {"4xlarge": 1}, 8),
    _Family("p5en?" + _SIZE, "H200", {}, 8),
    _Family("p6-b200" + _SIZE, "B200", {}, 8),
    _Family("p6-b300" + _SIZE, "B300", {}, 8),
    _Family("(?:u-)?p6e-gb200(x?)[.\\w]*", "GB200", {}, None, _ARM),
    _Family("g3s?" + _SIZE, "M60", {"8xlarge": 2, "16xlarge": 4}),
    _Family("g4dn" + _SIZE, "T4", {"12xlarge": 4, "metal": 8}),
    _Family("g4ad" + _SIZE, "", {}, 0),
    _Family("g5" + _SIZE, "A10G", _QUARTERS),
    _Family("g5g" + _SIZE, "T4g", {"16xlarge": 2, "metal": 2}, 1, _ARM),
    _Family("g6" + _SIZE, "L4", _QUARTERS),
    _Family("gr6" + _SIZE, "L4", {}),
    _Family("gr?6f" + _SIZE, "L4", {}, 0),
    _Family("g6e" + _SIZE, "L40S", _QUARTERS),
    _Family("g7" + _SIZE, "RTX PRO 4500", {"12xlarge": 2, "24xlarge": 4, "48xlarge": 8}),
    _Family("g7e" + _SIZE, "RTX PRO 6000", {"12xlarge": 2, "24xlarge": 4, "48xlarge": 8}),
    # Google.
    _Family(r"a2-(?:high|mega)gpu-(\d+)g", "A100", {}, None),
    _Family(r"a2-ultragpu-(\d+)g", "A100 80GB", {}, None),
    _Family(r"a3-(?:high|mega|edge)gpu-(\d+)g", "H100", {}, None),
    _Family(r"a3-ultragpu-(\d+)g", "H200", {}, None),
    _Family(r"a4-highgpu-(\d+)g", "B200", {}, None),
    _Family(r"a4x-highgpu-(\d+)g", "GB200", {}, None, _ARM),
    _Family(r"g2-standard-(\d+)", "L4", {"24": 2, "48": 4, "96": 8}),
    _Family(
        r"g4-standard-(\d+)",
        "RTX PRO 6000",
        {"6": 0, "12": 0, "24": 0, "96": 2, "192": 4, "384": 8},
    ),
    # Azure; the number is that of the virtual CPUs.
    _Family(r"standard_nc(\d+)r?", "K80", {"12": 2, "24": 4}),
    _Family(r"standard_nc(\d+)r?s_v2", "P100", {"12": 2, "24": 4}),
    _Family(r"standard_nc(\d+)r?s_v3", "V100", {"12": 2, "24": 4}),
    _Family(r"standard_nc(\d+)as_t4_v3", "T4", {"64": 4}),
    _Family(r"standard_nc(\d+)ads_a10_v4", "A10", {"16": 1, "32": 2}),
    _Family(r"standard_nc(\d+)ads_a100_v4", "A100 80GB PCIe", {"48": 2, "96": 4}),
    _Family(r"standard_nc(\d+)adi?s_h100_v5", "H100 NVL", {"80": 2}),
    _Family(r"standard_nd(\d+)r?s", "P40", {"12": 2, "24": 4}),
    _Family(r"standard_nd(\d+)rs_v2", "V100", {}, 8),
    _Family(r"standard_nd(\d+)asr_v4", "A100", {}, 8),
    _Family(r"standard_nd(\d+)ams\w*_a100_v4", "A100 80GB", {}, 8),
    _Family(r"standard_nd(\d+)is\w*_h100_v5", "H100", {}, 8),
    _Family(r"standard_nd(\d+)is\w*_h200_v5", "H200", {}, 8),
    _Family(r"standard_nd(\d+)\w*gb200_v6", "GB200", {}, 4, _ARM),
    _Family(r"standard_nd(\d+)\w*gb300_v6", "GB300", {}, 4, _ARM),
    _Family(r"standard_nd(\d+)is\w*_mi300x_v5", "", {}, 0),
    _Family(r"standard_nv(\d+)(?:s_v2)?", "M60", {"12": 2, "24": 4}),
    _Family(r"standard_nv(\d+)s_v3", "M60", {"24": 2, "48": 4}),
    _Family(r"standard_nv(\d+)as_v4", "", {}, 0),
    _Family(r"standard_ng(\d+)\w*_v620_v1", "", {}, 0),
    _Family(r"standard_nv(\d+)adm?s_a10_v5", "A10", {"6": 0, "12": 0, "18": 0, "72": 2}),
    # Oracle.
    _Family(r"(?:bm|vm)\.gpu2\.(\d+)", "P100", {}, None),
    _Family(r"(?:bm|vm)\.gpu3\.(\d+)", "V100", {}, None),
    _Family(r"bm\.gpu4\.(\d+)", "A100", {}, None),
    _Family(r"(?:bm|vm)\.gpu\.mi\d+x?\.(\d+)", "", {}, 0),
    _Family(r"(?:bm|vm)\.gpu\.a100-v2\.(\d+)", "A100 80GB", {}, None),
    _Family(r"(?:bm|vm)\.gpu\.a10\.(\d+)", "A10", {}, None),
    _Family(r"(?:bm|vm)\.gpu\.l40s\.(\d+)", "L40S", {}, None),
    _Family(r"(?:bm|vm)\.gpu\.h100\.(\d+)", "H100", {}, None),
    _Family(r"(?:bm|vm)\.gpu\.h200\.(\d+)", "H200", {}, None),
    _Family(r"(?:bm|vm)\.gpu\.b200\.(\d+)", "B200", {}, None),
    _Family(r"(?:bm|vm)\.gpu\.b300\.(\d+)", "B300", {}, None),
    _Family(r"(?:bm|vm)\.gpu\.gb200\.(\d+)", "GB200", {}, None, _ARM),
    _Family(r"(?:bm|vm)\.gpu\.gb300\.(\d+)", "GB300", {}, None, _ARM),
    _Family(r"(?:bm|vm)\.gpu\.rtxpro\.(\d+)", "RTX PRO 6000", {}, None),
)

_MAY_BE_ONE: Final = re.compile(r"[a-z][\w-]*[.\-_][\w.\-]+", re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=4096)
def instance_of(name: str) -> Instance | None:
    """Return what a cloud's machine type holds: ``g5.12xlarge``, ``Standard_NC24ads_A100_v4``."""
    if not _MAY_BE_ONE.fullmatch(name):
        return None
    for family in _FAMILIES:
        if match := re.fullmatch(family.pattern, name.lower()):
            size = match[1]
            own = int(size) if size.isdecimal() else None
            count = family.counts.get(size, own if family.default is None else family.default)
            return Instance(family.gpu, count, family.architecture)
    return None
