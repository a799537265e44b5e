"""The two ways in which builds spell their targets: PyTorch's and CMake's.

``TORCH_CUDA_ARCH_LIST`` has ``8.0;9.0a+PTX``: a cubin each, and PTX where it says so.
``CMAKE_CUDA_ARCHITECTURES`` has ``80-real;90a;100f-virtual``: a bare number means both.
"""

from __future__ import annotations

import re
from typing import Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import ComputeCapability, SmArch
from nvidia_variant_provider.rules.catalogue import sm_archs

_SEPARATORS: Final = re.compile(r"[;,\s]+")
_TORCH: Final = re.compile(r"(\d{1,2})\.(\d)([af]?)(\+PTX)?", re.ASCII)
_CMAKE: Final = re.compile(r"(\d{2,3})([af]?)(-real|-virtual)?", re.ASCII)
_EXPECTED: Final = "expected targets such as '8.0;9.0a+PTX' or '80-real;90a;100f-virtual'"
# What these mean depends on the release of the build tool or on the machine it ran on.
_VAGUE: Final = frozenset({"all", "all-major", "native", "off", "common"})
_MAX_TEXT: Final = 4096
_SHOWN: Final = 60


def parse_archs(text: str) -> tuple[SmArch, ...]:
    """Read ``"7.5;8.0;9.0a+PTX"`` or ``"75-real;80"``, items parted by ``;``, commas or spaces.

    Raises ``InvalidValueError`` for anything else, also for names such as ``Hopper`` or ``all``.
    """
    items = [item for item in _SEPARATORS.split(text[:_MAX_TEXT]) if item]
    if not items or len(text) > _MAX_TEXT:
        raise InvalidValueError(f"no list of targets: {text[:_SHOWN]!r}; {_EXPECTED}")
    archs: dict[SmArch, None] = {}
    for item in items:
        archs.update(dict.fromkeys(_parse_item(item)))
    return tuple(sorted(archs, key=lambda arch: (arch.virtual, arch)))


def _parse_item(item: str) -> tuple[SmArch, ...]:
    if match := _TORCH.fullmatch(item):
        capability = ComputeCapability(int(match[1]), int(match[2]))
        kinds = (False, True) if match[4] else (False,)
    elif match := _CMAKE.fullmatch(item):
        capability = ComputeCapability.from_number(int(match[1]))
        kinds = {"-real": (False,), "-virtual": (True,)}.get(match[3] or "", (False, True))
    elif item.isalpha() or item.lower() in _VAGUE:
        raise InvalidValueError(
            f"{item[:_SHOWN]!r} means another list in every release of the build tools; {_EXPECTED}"
        )
    else:
        raise InvalidValueError(f"not a target: {item[:_SHOWN]!r}; {_EXPECTED}")
    suffix = match[3] if match.re is _TORCH else match[2]
    archs = tuple(SmArch(capability, suffix, virtual=kind) for kind in kinds)
    if unknown := [arch for arch in archs if arch not in sm_archs()]:
        raise InvalidValueError(f"no compiler has the target {unknown[0].target!r}, from {item!r}")
    return archs
