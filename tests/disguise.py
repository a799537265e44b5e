"""A stand-in that counts as part of the standard library, or of this package.

Detection catches what its own calls raise. An exception that passed through a frame of anyone else,
such as a test's stand-in, belongs to the host and passes through (``raise_foreign``).
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

_F = TypeVar("_F", bound="Callable[..., object]")


def as_part_of(module: str, function: _F) -> _F:
    """Return the function as if ``module`` held it."""
    plain = cast("FunctionType", function)
    names = {**plain.__globals__, "__name__": module}
    made = FunctionType(
        plain.__code__, names, plain.__name__, plain.__defaults__, plain.__closure__
    )
    made.__kwdefaults__ = plain.__kwdefaults__
    return cast("_F", made)
