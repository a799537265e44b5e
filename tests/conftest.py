"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

from tests.native.build import stand_ins

__all__ = ["stand_ins"]
