"""The device code that a torch library says it was compiled for: ``torch.cuda.get_arch_list()``.

One C string of the library that binds Python, such as ``sm_75 sm_80 sm_90 compute_90``. Seen in the
wheels of torch 2.0.1, 2.3.1, 2.6.0, 2.8.0, 2.10.0, 2.14.1 and 2.15.0 of PyPI; in all of them the
table of torch builds has the same list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import ComputeCapability, SmArch

if TYPE_CHECKING:
    from collections.abc import Iterable

LIBRARIES: Final = {
    "linux": "torch/lib/libtorch_python.so",
    "windows": "torch/lib/torch_python.dll",
}
"""The member of a wheel that has the string, by the system that the wheel is for."""

_TARGET: Final = rb"(?:sm|compute)_\d{2,3}[af]?"
_STRING: Final = re.compile(rb"\0(" + _TARGET + rb"(?: " + _TARGET + rb"){0,63})\0")
_LONGEST: Final = 64 * len("compute_100a ")


def find_flags(library: Iterable[bytes]) -> str:
    """Return the string from a library's pieces: ``sm_75 sm_80 compute_80``; "" without one."""
    rest = b""
    for piece in library:
        window = rest + piece
        if match := _STRING.search(window):
            return match[1].decode("ascii")
        rest = window[-_LONGEST - 2 :]
    return ""


def parse_flags(text: str) -> tuple[SmArch, ...]:
    """Return what the string means: ``sm_90a`` is machine code, ``compute_90`` PTX."""
    archs = []
    for kind, number, suffix in re.findall(r"(sm|compute)_(\d{2,3})([af]?)", text):
        capability = ComputeCapability.from_number(int(number))
        archs.append(SmArch(capability, suffix, virtual=kind == "compute"))
    return tuple(archs)
