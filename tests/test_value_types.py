"""Values are frozen and slotted: what rules and readers hand out cannot change under the caller."""

from __future__ import annotations

import dataclasses
import importlib
import inspect

import pytest

from nvidia_variant_provider.model import CudaVersion

MODULES = (
    "tools.binaries.coverage",
    "tools.binaries.cubin",
    "tools.binaries.elf",
    "tools.binaries.fatbin",
    "tools.binaries.host",
    "tools.binaries.images",
    "tools.binaries.report",
    "tools.binaries.runtime",
    "tools.wheels.source",
    "model",
    "tools.metadata.ordering",
    "overrides",
    "rules.verdict",
)
# Collects a part of a stream while it passes by.
CHANGING = {"_Kept"}


@pytest.mark.parametrize("module", MODULES)
def test_value_types_are_frozen_and_slotted(module: str) -> None:
    loaded = importlib.import_module(f"nvidia_variant_provider.{module}")
    types = [
        found
        for _, found in inspect.getmembers(loaded, dataclasses.is_dataclass)
        if isinstance(found, type) and found.__module__ == loaded.__name__
    ]

    assert types
    for found in types:
        name = dataclasses.fields(found)[0].name
        value = found.__new__(found)
        assert not hasattr(value, "__dict__"), found
        if found.__name__ not in CHANGING:
            with pytest.raises(AttributeError, match=r"frozen|cannot assign"):
                setattr(value, name, CudaVersion(12, 8))
