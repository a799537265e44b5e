from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import ComputeCapability, Gpu, Machine, Platform, Status
from nvidia_variant_provider.rules.gpus import narrow, without_display_gpus
from tests.strategies import machine


@pytest.fixture
def mixed() -> Machine:
    base = machine("12.8", "8.6", "7.5", "8.6")
    uuids = ("GPU-aaaa1", "GPU-bbbb2", "GPU-aaaa3")
    return replace(
        base, gpus=tuple(replace(gpu, uuid=it) for gpu, it in zip(base.gpus, uuids, strict=True))
    )


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        ("", ["GPU-aaaa1", "GPU-bbbb2", "GPU-aaaa3"]),
        ("highest", ["GPU-aaaa1", "GPU-aaaa3"]),
        ("lowest", ["GPU-bbbb2"]),
        ("0", ["GPU-aaaa1"]),
        ("2", ["GPU-aaaa3"]),
        ("gpu-bb", ["GPU-bbbb2"]),
        ("GPU-aaaa", ["GPU-aaaa1", "GPU-aaaa3"]),
    ],
)
def test_a_choice_keeps_the_gpus_it_means(mixed: Machine, choice: str, kept: list[str]) -> None:
    assert [gpu.uuid for gpu in narrow(mixed, choice).gpus] == kept


@pytest.mark.parametrize("gpus", [("8.6",), ("7.5", "9.0"), ("8.0", "12.0", "6.1", "8.6")])
def test_highest_and_lowest_are_found_among_any_number(gpus: tuple[str, ...]) -> None:
    seen = machine("12.8", *gpus)
    highest, lowest = max(seen.capabilities), min(seen.capabilities)

    assert narrow(seen, "highest").capabilities == (highest,)
    assert narrow(seen, "lowest").capabilities == (lowest,)


@pytest.mark.parametrize("choice", ["3", "gpu-cccc"])
def test_a_choice_that_means_no_gpu_is_an_error_that_lists_them(
    mixed: Machine, choice: str
) -> None:
    with pytest.raises(
        InvalidValueError, match=r"0 \(GPU-aaaa1\), 1 \(GPU-bbbb2\), 2 \(GPU-aaaa3\)"
    ):
        narrow(mixed, choice)


def test_a_choice_by_uuid_is_left_aside_where_no_uuid_is_known(mixed: Machine) -> None:
    silent = replace(mixed, gpus=tuple(replace(gpu, uuid="") for gpu in mixed.gpus))

    found = narrow(silent, "gpu-aaaa")

    assert found.gpus == silent.gpus
    assert [note.code for note in found.notes] == ["gpu-choice-unused"]


def test_a_choice_by_strength_is_left_aside_where_no_capability_is_known(mixed: Machine) -> None:
    silent = replace(mixed, gpus=(Gpu(uuid="GPU-1"),))

    assert [note.code for note in narrow(silent, "lowest").notes] == ["gpu-choice-unused"]


def test_a_choice_on_a_machine_without_gpus_is_no_error(mixed: Machine) -> None:
    empty = replace(mixed, gpus=())

    assert narrow(empty, "5") == empty


BIG = Gpu("NVIDIA GeForce RTX 5090", capability=ComputeCapability(12, 0), memory=32607)


@pytest.mark.parametrize(
    ("name", "uuid", "memory", "counts"),
    [
        ("Quadro P400", "", 2048, False),
        ("Quadro P400", "", None, True),
        ("Quadro P400", "", 4097, True),
        ("NVIDIA A100 MIG 1g.4gb", "", 4096, True),
        ("NVIDIA A100", "MIG-4a2b", 4096, True),
        ("GRID V100D-4C", "", 4096, True),
        ("NVIDIA T400 4GB", "", 4096, False),
    ],
)
def test_a_gpu_for_the_screen_does_not_count(
    name: str,
    uuid: str,
    memory: int | None,
    counts: bool,  # noqa: FBT001
) -> None:
    small = Gpu(name, uuid, capability=ComputeCapability(6, 1), memory=memory)
    machine = Machine(Platform("linux", "x86_64"), Status.OK, gpus=(BIG, small))

    counted, note = without_display_gpus(machine)

    assert (small in counted.gpus, note is None) == (counts, counts)


@given(memories=st.lists(st.none() | st.integers(1, 200_000), max_size=8))
def test_the_largest_gpu_always_counts_and_a_chosen_one_too(memories: list[int | None]) -> None:
    gpus = tuple(Gpu(f"GPU {index}", memory=memory) for index, memory in enumerate(memories))
    machine = Machine(Platform("linux", "x86_64"), Status.OK, gpus=gpus)

    counted, _ = without_display_gpus(machine)

    assert bool(counted.gpus) is bool(gpus)
    assert without_display_gpus(narrow(machine, "all"))[0].gpus == gpus
