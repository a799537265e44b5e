from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import SmArch
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.tagging.inference import from_archs, from_code, main_toolkit
from nvidia_variant_provider.tools.tagging.statement import from_properties
from tests.tools.binaries import packing
from tests.wheel_maker import DIST_INFO, METADATA, cuda_library, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.binaries.report import Contents

CUDART = ("libcudart.so.12",)


def read(folder: Path, members: dict[str, bytes]) -> Contents:
    return inspect_path(str(make_wheel(folder, members)))


def library(*entries: packing.Entry, needed: tuple[str, ...] = CUDART) -> bytes:
    return packing.shared_object(packing.container(*entries), needed=needed)


def test_the_toolkit_of_most_code_counts(tmp_path: Path) -> None:
    main = packing.shared_object(packing.container(packing.real(80, toolkit=124)) * 5)
    members = {"demo/a.so": main, "demo/b.so": library(packing.real(80, toolkit=128))}

    assert str(main_toolkit(read(tmp_path, members))) == "12.4"


def test_a_pinned_toolkit_counts_most(tmp_path: Path) -> None:
    line = b"Requires-Dist: nvidia-cuda-runtime-cu12==12.6.77\n"
    members = {"demo/a.so": cuda_library("80"), f"{DIST_INFO}/METADATA": METADATA + line}

    assert str(main_toolkit(read(tmp_path, members))) == "12.6"


def test_what_was_not_counted_is_noted(tmp_path: Path) -> None:
    lto = packing.Entry(packing.LTO, 80, b"\0" * 16)
    members = {
        "demo/a.so": library(packing.real(80), lto),
        "demo/b.so": library(packing.real(80, toolkit=118), needed=("libcudart.so.11.0",)),
        "demo/c.so": packing.shared_object(packing.cubin(90), name=".rodata"),
        "demo.libs/libnvjpeg.4a0b5c81.so.12": cuda_library("89"),
        "demo/d.zip": b"PK\x03\x04",
    }

    found = from_code(read(tmp_path, members), 0.75, None)

    assert sorted(found.notes) == [
        "1 single cubins outside of containers are not counted",
        "demo.libs/libnvjpeg.4a0b5c81.so.12: a copy of a library, not counted",
        "demo/d.zip: nested-archive: not looked into",
        "libraries for several CUDA majors (11.0, 12.0): each is judged by itself",
        "lto images are not counted: no driver runs them as they are",
    ]
    assert found.label == "cuda"
    assert str(found.bound.value) == "11.0"


def test_what_a_library_has_nothing_for_is_left_out_with_the_reason(tmp_path: Path) -> None:
    members = {"demo/a.so": cuda_library("75", "80", containers=8), "demo/b.so": cuda_library("80")}

    found = from_code(read(tmp_path, members), 0.75, None)

    assert found.features["sm_arch"] == ("80_real",)
    assert [claim.reason for claim in found.claims] == [
        "demo/b.so has nothing for 7.5; --archs states it all the same",
        "",
    ]


def test_cubins_outside_of_containers_are_no_base_for_shares(tmp_path: Path) -> None:
    contents = read(tmp_path, {"demo/a.so": packing.shared_object(packing.cubin(90), name=".data")})

    with pytest.raises(InvalidValueError, match=r"single cubins \(90\).*state them with --archs"):
        from_code(contents, 0.75, None)


def test_code_older_than_the_namespace_gets_its_first_bound(tmp_path: Path) -> None:
    members = {"demo/a.so": library(packing.real(75, toolkit=102), needed=("libcudart.so.10.2",))}

    found = from_code(read(tmp_path, members), 0.75, None)

    assert str(found.bound.value) == "11.0"
    assert found.bound.evidence[-1] == "the code needs CUDA 10.2; properties start at 11.0"


def test_ptx_that_no_known_driver_compiles_is_named(tmp_path: Path) -> None:
    contents = read(tmp_path, {"demo/a.so": cuda_library("80", "80p", isa=(9, 9))})

    found = from_code(contents, 0.75, None)

    assert (found.bound.value, found.bound.is_unknown) == (None, True)
    assert "no known driver compiles PTX of this version" in found.bound.evidence


def test_ptx_that_the_code_lacks_is_bound_by_the_toolkit(tmp_path: Path) -> None:
    contents = read(tmp_path, {"demo/a.so": cuda_library("80")})

    found = from_archs(contents, [SmArch.parse("80_real"), SmArch.parse("80_virtual")], None)

    assert str(found.bound.value) == "12.4"


def test_a_spelling_that_changes_the_value_is_noted() -> None:
    found = from_archs(None, [SmArch.parse("90a_real"), SmArch.parse("100a_real")], None)

    assert found.features == {"sm_arch": ("90_real", "100a_real")}
    assert [note.split(":")[0] for note in found.notes] == ["90a", "100a"]


def test_a_given_bound_is_one_more_property() -> None:
    found = from_properties(["nvidia::sm_arch::80_real"], None)

    assert (found.label, found.bound.value) == ("", None)


def notes_of_price(folder: Path, *targets: str, isa: tuple[int, int]) -> list[str]:
    """Return what is noted of the drivers that stated PTX costs."""
    contents = read(folder, {"demo/a.so": cuda_library(*targets, isa=isa)})
    statement = from_code(contents, 0.75, None)
    return [note.partition(";")[0] for note in statement.notes if "raises" in note]


@pytest.mark.parametrize(
    ("isa", "drivers"),
    [
        ((8, 4), ["driver branches R525 to R545 (CUDA 12.0 to 12.3)"]),
        ((8, 1), ["driver branch R525 (CUDA 12.0)"]),
        ((7, 4), []),
    ],
    ids=["several", "one", "none"],
)
def test_the_drivers_that_stated_ptx_costs_are_named(
    tmp_path: Path, isa: tuple[int, int], drivers: list[str]
) -> None:
    bound = {(8, 4): "12.4", (8, 1): "12.1"}.get(isa)

    assert notes_of_price(tmp_path, "80", "80p", isa=isa) == [
        f"the stated PTX raises the lower bound from 12.0 to {bound}: machines with {whose}"
        " get another build, the CPU build if there is no other"
        for whose in drivers
    ]


def test_ptx_for_older_drivers_than_the_cubins_does_not_lower_the_bound(tmp_path: Path) -> None:
    contents = read(tmp_path, {"demo/a.so": cuda_library("80", "80p", isa=(7, 0))})

    assert str(from_code(contents, 0.75, None).bound.value) == "12.0"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [((), "11.0"), ((packing.virtual(80, isa=(7, 5)),), "11.5")],
    ids=["without the PTX", "with it"],
)
def test_of_libraries_for_several_cudas_the_least_demanding_tell_the_bound(
    tmp_path: Path, entries: tuple[packing.Entry, ...], expected: str
) -> None:
    older = library(packing.real(80, toolkit=118), *entries, needed=("libcudart.so.11.0",))
    members = {
        "demo/a_cuda118.so": older,
        "demo/a_cuda124.so": library(packing.real(80), packing.virtual(80)),
    }
    stated = [SmArch.parse("80_real"), SmArch.parse("80_virtual")]

    bound = from_archs(read(tmp_path, members), stated, None).bound

    assert str(bound.value) == expected
    assert bound.evidence[0] == "the libraries for CUDA 11.8"


def test_the_label_names_the_toolkit_of_a_wheel_for_one_cuda(tmp_path: Path) -> None:
    assert from_code(read(tmp_path, {"demo/a.so": cuda_library("80")}), 0.75, None).label == (
        "cuda12.4"
    )


def test_without_its_bound_a_statement_keeps_the_rest() -> None:
    given = ["nvidia::sm_arch::80_real", "nvidia::cuda_version_lower_bound::12.0"]

    statement = from_properties(given, None)

    assert (statement.label, str(statement.bound.value)) == ("cuda12.0", "12.0")
    assert statement.without_bound().features == {"sm_arch": ("80_real",)}


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["other::sm_arch::80_real"], "properties of nvidia only"),
        (["nvidia::colour::red"], "nvidia has no feature 'colour'"),
        (["nvidia::sm_arch::y", "nvidia::sm_arch::x"], "nvidia :: sm_arch has no value 'x'"),
        (
            [f"nvidia::cuda_version_lower_bound::12.{minor}" for minor in (0, 1)],
            r"takes one value, not \('12.0', '12.1'\)",
        ),
        (["nvidia::sm_arch"], "expected 'nvidia :: sm_arch :: 90_real'"),
    ],
)
def test_what_no_provider_knows_is_not_stated(texts: list[str], words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        from_properties(texts, None)
