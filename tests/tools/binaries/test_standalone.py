"""Files that are one cubin or PTX text: how far they are read, and what is refused."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tools.binaries.report import Content, Image, Kind, Library, Tally
from nvidia_variant_provider.tools.binaries.standalone import bare_cubin, read_cubin, read_ptx
from nvidia_variant_provider.tools.wheels.source import BytesSource
from tests.tools.binaries import packing

NOTE = (
    b"\xd0\x07\0\0NVIDIA Corp\0Cuda compilation tools, release 13.1, V13.1.1\0-arch sm_100f -O 3\0"
)


def of_cubin(data: bytes) -> Library:
    return read_cubin(BytesSource("x.cubin", data))


def of_ptx(data: bytes) -> Library:
    return read_ptx(BytesSource("x.ptx", data), data[:4096])


@pytest.mark.parametrize(
    ("place", "toolkits"),
    [
        (500, (CudaVersion(13, 1),)),
        (10_000, (CudaVersion(13, 1),)),
        (50_000, (CudaVersion(13, 1),)),
        (200_000, (CudaVersion(13, 1),)),
        (300_000, ()),
    ],
)
def test_the_note_is_looked_for_far_into_a_cubin(
    place: int, toolkits: tuple[CudaVersion, ...]
) -> None:
    data = packing.cubin(100, new=True).ljust(place, b"\1") + NOTE.ljust(400_000, b"\2")
    image = Image(Kind.CUBIN, 100, "f" if toolkits else "")

    assert of_cubin(data) == Library(
        "x.cubin",
        "cubin",
        "",
        len(data),
        bare=(Tally(image, 1, len(data), len(data)),),
        bare_toolkits=toolkits,
    )


def test_a_note_that_no_step_reaches_is_found_by_the_table_of_sections() -> None:
    data = packing.cubin_of(
        (b".text.k", bytes(2_000_000)), (b".note.nv.tkinfo", bytes(4) + NOTE.ljust(500, b"\0"))
    )

    found = of_cubin(data.replace(b"\x33\x07", b"\x41\x08", 1))

    assert found.bare_toolkits == (CudaVersion(13, 1),)
    assert found.bare[0].image.suffix == "f"


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize("size", [1 << 10, 16 << 10, 4 << 20])
def test_a_cubin_without_a_function_is_a_stub_whatever_its_size(
    size: int,
    kernel: bool,  # noqa: FBT001 - a case
) -> None:
    found = of_cubin(packing.cubin(80, kernel=kernel).ljust(size, b"\0"))

    assert found.bare[0].image.content is (Content.KERNELS if kernel else Content.STUB)


def test_a_small_cubin_whose_sections_cannot_be_read_counts_as_one_with_kernels() -> None:
    found = of_cubin(packing.cubin(80, kernel=False)[:70])

    assert found.bare == (Tally(Image(Kind.CUBIN, 80), 1, 70, 70),)


@pytest.mark.parametrize(("value", "suffix"), [(b"\1\0", "a"), (b"\0\0", "")])
def test_without_a_note_the_attributes_of_a_small_cubin_tell_the_suffix(
    value: bytes, suffix: str
) -> None:
    data = packing.cubin_of((b".text.k", b"code"), (b".nv.compat", b"\2\x09" + value))

    assert of_cubin(data).bare[0].image == Image(Kind.CUBIN, 90, suffix)


def test_of_a_cubin_inside_other_data_no_size_is_known() -> None:
    found = bare_cubin(packing.cubin(86, toolkit=118))

    assert found is not None
    assert (found.image, found.stored, found.size) == (Image(Kind.CUBIN, 86), 0, 0)
    assert found.toolkit == CudaVersion(11, 8)


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize(("size", "looked_into"), [(200_000, True), (1 << 20, False)])
def test_ptx_is_looked_into(size: int, looked_into: bool, kernel: bool) -> None:  # noqa: FBT001
    found = of_ptx(packing.ptx(80, kernel=kernel).ljust(size, b" "))

    content = Content.STUB if looked_into and not kernel else Content.KERNELS
    image = Image(Kind.PTX, 80, "", (8, 4), content=content)
    assert found == Library("x.ptx", "ptx", "", size, bare=(Tally(image, 1, size, size),))


def test_what_is_neither_is_refused_with_its_first_bytes() -> None:
    with pytest.raises(DamagedFileError, match=r"^x.cubin: not a cubin: starts with 3031.*3637$"):
        of_cubin(b"0123456789" * 100)
    with pytest.raises(DamagedFileError, match=r"^x\.ptx: not PTX: starts with b'0{30}'$"):
        of_ptx(b"0" * 100)
