"""Fixtures and settings that more than one folder of tests uses."""

from __future__ import annotations

from hypothesis import settings

from tests.native.build import stand_ins

__all__ = ["stand_ins"]

# Shared machines are noisy: how long one example takes says nothing.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
