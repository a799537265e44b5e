"""Releases and machine lists that the tests of this folder share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from nvidia_variant_provider.tools.coverage import (
    Defaults,
    Entry,
    Fleet,
    Release,
    StatedGpu,
    StatedMachine,
    tally,
)
from nvidia_variant_provider.tools.coverage.kinds import kind_of
from nvidia_variant_provider.tools.demo.wheels import release_metadata
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.coverage import Kind


def properties(bound: str, *archs: str) -> dict[str, dict[str, tuple[str, ...]]]:
    return {"nvidia": {"cuda_version_lower_bound": (bound,), "sm_arch": tuple(sorted(archs))}}


def release(variants: dict[str, dict[str, dict[str, tuple[str, ...]]]], *wheels: str) -> Release:
    names = tuple(WheelName.parse(name) for name in wheels) if wheels else None
    return Release("pkg", "1.0", "test", names, release_metadata(variants))


def with_labels(made: Release, labels: Iterable[str]) -> Release:
    """Return a release as a mirror with these labels has it; "" is the ordinary wheel."""
    kept = frozenset(labels)
    variants = {label: stated for label, stated in made.strict.variants.items() if label in kept}
    wheels = made.wheels
    if wheels is not None:
        wheels = tuple(wheel for wheel in wheels if wheel.label in kept)
    metadata = replace(made.strict, variants=variants)
    return replace(made, metadata=metadata, wheels=wheels)


def stated(*names: str, driver: str = "", architecture: str = "") -> StatedMachine:
    """Return a machine with one GPU of each name."""
    return StatedMachine(tuple(map(StatedGpu, names)), driver, architecture=architecture)


def kind(machine: StatedMachine) -> Kind:
    return kind_of(machine, Defaults())


def gpu(capability: str, cuda: str, architecture: str = "x86_64") -> StatedMachine:
    gpus = tuple(StatedGpu("", text) for text in capability.split())
    return StatedMachine(gpus, cuda=cuda, architecture=architecture)


def fleet(*machines: StatedMachine) -> Fleet:
    return tally(
        Entry(machine, 1, f"m{index}", "test", str(index)) for index, machine in enumerate(machines)
    )


REALS = ("70_real", "75_real", "80_real", "86_real", "90_real", "100_real", "120_real")
VIRTUALS = ("75_virtual", "90_virtual", "120_virtual")
some_variants = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.builds(
        lambda bound, archs: properties(bound, *archs),
        st.sampled_from(["11.8", "12.0", "12.8", "13.0"]),
        st.sets(st.sampled_from((*REALS, *VIRTUALS)), min_size=1),
    ),
    min_size=1,
    max_size=6,
)
some_machines = st.builds(
    gpu,
    st.sampled_from(["7.0", "7.5", "8.6", "8.9", "9.0", "10.0", "12.0", "7.0 8.0", "9.0 12.1"]),
    st.sampled_from(["11.4", "12.0", "12.8", "13.0", "13.2"]),
)
some_entries = st.lists(
    st.builds(
        Entry,
        some_machines,
        st.integers(1, 9),
        st.sampled_from(["", "a", "b", "c"]),
        st.just("list"),
        st.just("1"),
    ),
    max_size=20,
)
