"""Value types behave as those of ``dataclasses``; what rules and readers hand out never changes."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import os
import pickle
import subprocess
import sys

import pytest

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, Gpu, Platform
from nvidia_variant_provider.value_types import dataclass, field, replace

MODULES = (
    "tools.binaries.gpu_shares",
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


@dataclass(slots=True)
class Draft:
    """A value that changes."""

    name: str
    rows: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tag:  # noqa: PLW1641 - the point: ``frozen`` brings the hash
    """A value that says itself what is equal and how it is shown."""

    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tag) and self.text.lower() == other.text.lower()

    def __repr__(self) -> str:
        return f"<{self.text}>"


def test_an_operator_that_the_class_defines_stays() -> None:
    assert Tag("a") == Tag("A")
    assert Tag("a") != Tag("b")
    assert repr(Tag("a")) == "<a>"
    assert hash(Tag("a")) == hash(Tag("a"))


def test_a_value_is_made_compared_and_shown_by_its_fields() -> None:
    gpu = Gpu("H100", uuid="GPU-1")

    assert gpu == Gpu(name="H100", uuid="GPU-1")
    assert gpu != Gpu("H100")
    assert hash(gpu) == hash(Gpu("H100", "GPU-1"))
    assert repr(CudaVersion(12, 8)) == "CudaVersion(major=12, minor=8)"


def test_values_of_two_types_are_never_equal_and_have_no_order() -> None:
    values: list[object] = [CudaVersion(9, 0), ComputeCapability(9, 0)]

    assert values[0] != values[1]
    with pytest.raises(TypeError):
        _ = CudaVersion(9, 0) < ComputeCapability(9, 0)  # type: ignore[operator]


def test_ordered_values_are_ordered_by_their_fields() -> None:
    assert CudaVersion(12, 8) < CudaVersion(13, 0) <= CudaVersion(13, 0)
    assert CudaVersion(13, 1) > CudaVersion(13, 0) >= CudaVersion(12, 9)


def test_a_frozen_value_does_not_change() -> None:
    version = CudaVersion(12, 8)

    with pytest.raises(AttributeError, match="frozen"):
        version.major = 13  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del version.minor
    assert not hasattr(version, "__dict__")


def test_a_value_that_changes_has_no_hash_and_its_own_default() -> None:
    first, second = Draft("a"), Draft("b")
    first.rows.append(1)

    second.name = "c"
    assert (first, second) == (Draft("a", [1]), Draft("c"))
    with pytest.raises(TypeError, match="not supported between"):
        _ = first < second  # type: ignore[operator]  # said to be without order
    with pytest.raises(TypeError, match="unhashable"):
        hash(first)


@pytest.mark.parametrize(
    ("arguments", "named", "said"),
    [
        ((), {}, "needs 'system'"),
        (("linux", "x86_64", "glibc", "more"), {}, "takes 3 values, 4 were given"),
        (("linux",), {"system": "win32", "architecture": ""}, "no use for system"),
        (("linux", ""), {"colour": "green"}, "no use for colour"),
    ],
)
def test_wrong_fields_are_refused(
    arguments: tuple[str, ...], named: dict[str, str], said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        Platform(*arguments, **named)


def test_replace_changes_some_fields() -> None:
    gpu = Gpu("H100", "GPU-1", capability=ComputeCapability(9, 0))

    assert replace(gpu, uuid="") == Gpu("H100", capability=ComputeCapability(9, 0))
    assert dataclasses.replace(gpu, uuid="") == replace(gpu, uuid="")
    with pytest.raises(TypeError, match="no use for colour"):
        replace(gpu, colour="green")


def test_values_travel() -> None:
    gpu = Gpu("H100", "GPU-1", capability=ComputeCapability(9, 0))

    assert pickle.loads(pickle.dumps(gpu)) == gpu  # noqa: S301 - our own
    assert copy.deepcopy(gpu) == gpu


def test_the_standard_library_sees_the_fields() -> None:
    assert [it.name for it in dataclasses.fields(CudaVersion)] == ["major", "minor"]
    assert dataclasses.asdict(Draft("a", [1])) == {"name": "a", "rows": [1]}
    assert dataclasses.replace(Draft("a", [1]), name="b") == Draft("b", [1])


def test_detection_does_not_pay_for_dataclasses() -> None:
    lines = (
        "import sys, nvidia_variant_provider.detect.cascade\nprint('dataclasses' in sys.modules)"
    )
    # Whoever measures coverage loads them for itself.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", lines], env=plain, capture_output=True, check=True)

    assert done.stdout == b"False\n"


@pytest.mark.parametrize("module", MODULES)
def test_value_types_are_frozen_and_slotted(module: str) -> None:
    loaded = importlib.import_module(f"nvidia_variant_provider.{module}")
    types = [
        cls
        for _, cls in inspect.getmembers(loaded, dataclasses.is_dataclass)
        if isinstance(cls, type) and cls.__module__ == loaded.__name__
    ]

    assert types
    for cls in types:
        name = dataclasses.fields(cls)[0].name
        value = cls.__new__(cls)
        assert not hasattr(value, "__dict__"), cls
        if cls.__name__ not in CHANGING:
            with pytest.raises(AttributeError, match=r"frozen|cannot assign"):
                setattr(value, name, CudaVersion(12, 8))
