"""A slice of many slow cases for the gate; `.ci/run deep` tries the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _pytest.mark import ParameterSet

T = TypeVar("T")


def slice_of(cases: Iterable[T], every: int) -> list[ParameterSet]:
    """Return the cases as parameters, of which all but every ``every``-th are marked ``deep``."""
    return [
        pytest.param(case, marks=pytest.mark.deep if number % every else ())
        for number, case in enumerate(cases)
    ]
