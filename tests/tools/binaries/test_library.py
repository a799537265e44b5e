from __future__ import annotations

import importlib
from random import Random
from typing import Final

import pytest

from nvidia_variant_provider.model import CudaVersion, SmArch
from nvidia_variant_provider.tools.binaries import library
from nvidia_variant_provider.tools.binaries.findings import DAMAGED_CONTAINER, finding_in
from nvidia_variant_provider.tools.binaries.library import read_library
from nvidia_variant_provider.tools.binaries.report import (
    CudartLink,
    Image,
    Kind,
    Library,
    Profile,
    Tally,
)
from nvidia_variant_provider.tools.binaries.standalone import form_of
from nvidia_variant_provider.tools.wheels.source import BytesSource
from tests.tools.binaries import packing

ARCHS = (SmArch.parse("80_real"), SmArch.parse("80_virtual"))
CONTAINER = packing.container(packing.real(80), packing.virtual(80))


def read(data: bytes, step: int = 1 << 16) -> Library:
    found = read_library(BytesSource("lib", data, step))
    assert found is not None
    return found


@pytest.mark.parametrize("shift", range(81))
def test_a_container_across_the_border_of_two_chunks_is_found(shift: int) -> None:
    data = packing.shared_object(bytes(1000) + CONTAINER + bytes(1000))
    start = data.index(CONTAINER)
    found = read(data, start + shift)

    assert found.containers == 1
    assert found.profiles == (Profile(ARCHS, 1),)


@pytest.mark.parametrize("step", [1, 7, 64, 69, 4096])
def test_a_file_is_read_alike_however_it_is_cut(step: int) -> None:
    data = packing.shared_object(CONTAINER + bytes(100) + packing.cubin(70) + CONTAINER)

    assert read(data, step) == read(data)


def test_elf_with_all_its_names() -> None:
    data = packing.shared_object(CONTAINER * 2, needed=("libcudart.so.12", "libc.so.6"))
    found = read(data)

    assert (found.form, found.machine, found.size) == ("elf", "x86_64", len(data))
    assert found.needed == ("libcudart.so.12", "libc.so.6")
    assert found.places == ((".nv_fatbin", 2),)
    assert found.toolkits == (CudaVersion(12, 4),)
    assert [(tally.image, tally.count) for tally in found.images] == [
        (Image(Kind.CUBIN, 80), 2),
        (Image(Kind.PTX, 80, "", (8, 4)), 2),
    ]


def test_a_container_in_plain_data_counts_too() -> None:
    assert read(packing.shared_object(CONTAINER, name=".rodata")).places == ((".rodata", 1),)


def test_aarch64() -> None:
    assert read(packing.shared_object(b"", machine=183)).machine == "aarch64"


def test_a_windows_library() -> None:
    data = packing.dll(CONTAINER, imports=("cudart64_12.dll", "KERNEL32.dll"))
    found = read(data)

    assert (found.form, found.machine) == ("pe", "x86_64")
    assert found.needed == ("cudart64_12.dll", "KERNEL32.dll")
    assert found.places == ((".nv_fatb", 1),)


@pytest.mark.parametrize("offset", range(8))
def test_archives_hold_containers_at_any_offset(offset: int) -> None:
    data = b"!<arch>\n" + bytes(64 + offset) + CONTAINER
    found = read(data)

    assert (found.form, found.places) == ("archive", (("archive", 1),))


def test_a_bare_cubin_in_data_is_counted_apart() -> None:
    found = read(packing.shared_object(bytes(50) + packing.cubin(70, toolkit=118)))

    assert found.images == ()
    assert found.bare == (Tally(Image(Kind.CUBIN, 70), 1, 0, 0),)
    assert found.made_by == (CudaVersion(11, 8),)


def test_a_cubin_inside_a_container_is_not_a_bare_one() -> None:
    assert read(packing.shared_object(CONTAINER)).bare == ()


def test_containers_without_kernels_bear_no_profile() -> None:
    stub = packing.container(packing.real(52, kernel=False))
    found = read(packing.shared_object(stub + CONTAINER))

    assert found.containers == 2
    assert found.kernel_containers == 1
    assert found.toolkits == (CudaVersion(12, 4),)


def test_a_stubs_toolkit_does_not_count() -> None:
    stub = packing.container(packing.real(52, kernel=False, toolkit=129))

    assert read(packing.shared_object(stub + CONTAINER)).toolkits == (CudaVersion(12, 4),)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (packing.shared_object(b"/cudart.shm."), CudartLink.STATIC),
        (packing.shared_object(b"nothing"), CudartLink.NONE),
        (packing.dll(b"cudaErrorCudartUnloading\0"), CudartLink.STATIC),
        (packing.dll(b"cudaErrorCudartUnloading = 4,"), CudartLink.NONE),
        (packing.dll(b"nvcudart_hybrid64.dll\0"), CudartLink.HYBRID),
        (packing.dll(b"/cudart.shm."), CudartLink.NONE),
    ],
)
def test_marks_of_the_static_runtime(data: bytes, expected: CudartLink) -> None:
    assert read(data).cudart is expected


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (packing.cubin(80), "cubin"),
        (packing.shared_object(b""), "elf"),
        (packing.dll(b""), "pe"),
        (b"!<arch>\nabc", "archive"),
        (CONTAINER, "fatbin"),
        (packing.ptx(80), "ptx"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "data"),
        (b"import os\n", None),
        (b"\xa7\r\r\n\0\0\0\0", None),
        (b"\xa7\r\n\n\0\0\0\0", "data"),
        (b"", None),
    ],
)
def test_the_first_bytes_decide(head: bytes, form: str | None) -> None:
    assert form_of(head) == form


NOISE: Final = Random(0).randbytes(3 << 20)  # noqa: S311 - the same in every run


def far(*, told: bool = True, packed: bool = True) -> bytes:
    """A container with a cubin of 3 MB, with the compiler's note behind its code or without one."""
    note = b"\xd0\x07\0\0NVIDIA Corp\0Cuda compilation tools, release 13.1, V13.1.1\0"
    whole = packing.cubin(100, new=True) + NOISE + (note if told else b"").ljust(20_000, b"\2")
    if not packed:
        return packing.container(packing.Entry(packing.CUBIN, 100, whole))
    frame = importlib.import_module("backports.zstd").compress(whole)
    entry = packing.Entry(packing.CUBIN, 100, frame, packing.ZSTD, unpacked=len(whole))
    return packing.container(entry)


@pytest.mark.parametrize(
    ("containers", "toolkits"),
    [
        ([far()], (CudaVersion(13, 1),)),
        ([far(packed=False)], (CudaVersion(13, 1),)),
        ([far(told=False)] * 2 + [far()], (CudaVersion(13, 1),)),
        ([far(told=False)] * 3 + [far()], ()),
        ([packing.container(packing.real(80)), far()], (CudaVersion(12, 4),)),
    ],
    ids=["packed", "plain", "third", "fourth", "told-before"],
)
def test_a_note_far_behind_is_looked_for_until_a_toolkit_is_known(
    containers: list[bytes], toolkits: tuple[CudaVersion, ...]
) -> None:
    assert read(packing.shared_object(b"".join(containers))).toolkits == toolkits


def test_standalone_files() -> None:
    cubin = read(packing.cubin(90, specific=True, toolkit=128))
    ptx = read(packing.ptx(80))
    fatbin = read(CONTAINER)

    assert (cubin.form, cubin.bare[0].image) == ("cubin", Image(Kind.CUBIN, 90, "a"))
    assert cubin.made_by == (CudaVersion(12, 8),)
    assert (ptx.form, ptx.bare[0].image) == ("ptx", Image(Kind.PTX, 80, "", (8, 4)))
    assert (fatbin.form, fatbin.profiles) == ("fatbin", (Profile(ARCHS, 1),))


def test_text_is_not_read() -> None:
    assert read_library(BytesSource("a.py", b"import os\n")) is None


def test_a_cut_off_container_is_a_finding() -> None:
    (seen,) = read(b"!<arch>\n" + bytes(8) + CONTAINER[:-50]).findings

    at = 16 + 16 + len(packing.real(80).pack())
    text = f"container at 16: cut off inside the entry at offset {at}"
    assert seen == finding_in(DAMAGED_CONTAINER, "lib", text)


def test_countless_tiny_containers_end_the_reading() -> None:
    found = read(b"!<arch>\n" + packing.container() * (library.MAX_CONTAINERS + 500))

    assert found.containers == library.MAX_CONTAINERS
    assert [finding.rule.code for finding in found.findings] == ["too-many"]


def test_pure_code_is_searched_for_containers_only() -> None:
    inside = bytes(5000) + packing.cubin(70) + CONTAINER + bytes(5000)
    plain = packing.shared_object(inside)
    code = bytearray(plain)
    # A read-only first segment that ends before the data, then the data as a segment of code.
    start = plain.index(inside)
    code[64 + 4 : 64 + 8] = (4).to_bytes(4, "little")
    code[64 + 32 : 64 + 40] = (64).to_bytes(8, "little")
    code[120:128] = (1).to_bytes(4, "little") + (5).to_bytes(4, "little")
    code[128:136] = start.to_bytes(8, "little")
    code[152:160] = len(inside).to_bytes(8, "little")
    found = read(bytes(code), 1000)

    assert found.containers == 1
    assert found.bare == ()
    assert len(read(plain).bare) == 1


def test_what_is_not_loaded_is_searched_for_containers_only() -> None:
    found = read(packing.shared_object(b"") + bytes(9000) + packing.cubin(70) + CONTAINER, 500)

    assert (found.containers, found.bare) == (1, ())
