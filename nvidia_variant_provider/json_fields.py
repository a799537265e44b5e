"""Strict readers of parsed JSON: a truth is no number, and whatever is wrong is named.

``{"size": false}`` is refused with ``size: expected int, seen false``. Without these, Python takes
``true`` for 1, and a mistake in a file comes to light far from where it was made.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_T = TypeVar("_T")

_SHOWN = 60


def mapping(value: object, what: str) -> Mapping[str, object]:
    """Return a JSON object; raises ``InvalidValueError`` for anything else."""
    if not isinstance(value, dict):
        raise _refusal(what, "a JSON object", value)
    return value


def field(row: Mapping[str, object], key: str, kind: type[_T], default: _T | None = None) -> _T:
    """Return ``row[key]`` if it is exactly of a kind; raises ``InvalidValueError``.

    A key that is missing counts as ``default``; without one it is refused.
    """
    value = row.get(key, default)
    # bool is an int to Python and not to JSON.
    if type(value) is not kind:
        raise _refusal(key, _NAMES.get(kind, kind.__name__), value)
    return value


def optional(row: Mapping[str, object], key: str, kind: type[_T]) -> _T | None:
    """Return ``row[key]``, or ``None`` where it is null or missing."""
    return None if row.get(key) is None else field(row, key, kind)


def number(row: Mapping[str, object], key: str, default: float) -> float:
    """Return a number, whole or not."""
    value = row.get(key, default)
    if type(value) not in {int, float}:
        raise _refusal(key, "a number", value)
    return float(value)  # type: ignore[arg-type]  # as above


def texts(value: object, what: str) -> dict[str, str]:
    """Return a JSON object whose values are texts."""
    row = mapping(value, what)
    return {key: field(row, key, str) for key in row}


def rows(top: Mapping[str, object], key: str) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a list; a list that is missing is empty."""
    for index, row in enumerate(field(top, key, list, [])):
        yield mapping(row, f"{key}[{index}]")


_NAMES = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a JSON object",
}


def _refusal(what: str, expected: str, value: object) -> InvalidValueError:
    try:
        seen = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        seen = repr(value)
    return InvalidValueError(f"{what}: expected {expected}, seen {seen:.{_SHOWN}}")
