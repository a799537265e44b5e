"""Single-precision a * x + y, by the library that the wheel carries."""

from __future__ import annotations

import ctypes
from pathlib import Path

_library = ctypes.CDLL(str(Path(__file__).with_name("libsaxpy.so")))
_library.built_for.restype = ctypes.c_char_p


def built_for() -> str:
    """Return ``CUDA`` or ``CPU``: what this wheel was compiled for."""
    return str(_library.built_for().decode())


def saxpy(a: float, x: list[float], y: list[float]) -> list[float]:
    """Return a * x + y; a CUDA error, such as 209 for no fitting device code, is a RuntimeError."""
    array = ctypes.c_float * len(x)
    result = array(*y)
    code = _library.saxpy(len(x), ctypes.c_float(a), array(*x), result)
    if code:
        raise RuntimeError(f"CUDA error {code}")
    return list(result)
