from __future__ import annotations

import importlib
import struct

import pytest

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tools.binaries import fatbin
from nvidia_variant_provider.tools.binaries.cursor import Cursor
from nvidia_variant_provider.tools.binaries.images import Container, SizedImage, read_container
from nvidia_variant_provider.tools.binaries.report import Content, Image, Kind
from tests.tools.binaries import packing


def read(data: bytes, step: int = 1 << 16) -> Container:
    cursor = Cursor(data[at : at + step] for at in range(0, len(data), step))
    size = fatbin.is_container(cursor)
    assert size is not None
    return read_container(cursor, size)


def images(container: Container) -> list[Image]:
    return [found.image for found in container.images]


def test_kinds_targets_and_versions() -> None:
    container = read(
        packing.container(
            packing.real(80),
            packing.real(90, flags=packing.SPECIFIC),
            packing.virtual(100, isa=(8, 8), flags=packing.FAMILY),
            packing.Entry(packing.LTO, 80, b"opaque!!", 0x10000, version=(1, 67)),
            packing.Entry(packing.TILE, 80, b"tile"),
            packing.Entry(0x40, 0, b"index"),
        )
    )

    assert container.damage == ""
    assert images(container) == [
        Image(Kind.CUBIN, 80),
        Image(Kind.CUBIN, 90, "a"),
        Image(Kind.PTX, 100, "f", (8, 8)),
        Image(Kind.LTO, 80),
        Image(Kind.TILE, 80),
        Image(Kind.OTHER, 0),
    ]
    assert container.images[0].toolkit == CudaVersion(12, 4)


@pytest.mark.parametrize("extension", [0, 8, 16, 24, 32, 48, 56, 64])
def test_headers_of_any_length(extension: int) -> None:
    entry = packing.real(75)
    entry.extension = b"\xee" * extension

    assert images(read(packing.container(entry, packing.virtual(75)))) == [
        Image(Kind.CUBIN, 75),
        Image(Kind.PTX, 75, "", (8, 4)),
    ]


def test_stubs_have_no_kernels() -> None:
    stub_ptx = packing.Entry(packing.PTX, 80, packing.ptx(80, kernel=False), version=(8, 4))
    container = read(packing.container(packing.real(80, kernel=False), stub_ptx))

    assert [image.content for image in images(container)] == [Content.STUB, Content.STUB]
    assert not any(image.has_kernels for image in images(container))


@pytest.mark.parametrize("kernel", [True, False])
def test_lz4_images_are_looked_into(kernel: bool) -> None:  # noqa: FBT001 - a case
    whole = packing.cubin(86, kernel=kernel, toolkit=121)
    block = packing.literal_block(whole)
    entry = packing.Entry(packing.CUBIN, 86, block, packing.LZ4, unpacked=len(whole))
    container = read(packing.container(entry))

    content = Content.KERNELS if kernel else Content.STUB
    assert images(container) == [Image(Kind.CUBIN, 86, "", None, "lz4", content)]
    assert container.images[0].size == len(whole)
    assert container.images[0].toolkit == CudaVersion(12, 1)


def test_a_payload_that_does_not_decode_is_judged_by_its_size() -> None:
    small = packing.Entry(packing.CUBIN, 86, b"\x10a\x09\x00", packing.LZ4, unpacked=700)
    larger = packing.Entry(packing.CUBIN, 86, b"\x10a\x09\x00", packing.LZ4, unpacked=9000)

    assert [image.content for image in images(read(packing.container(small, larger)))] == [
        Content.PRESUMED_STUB,
        Content.PRESUMED_KERNELS,
    ]


def test_an_empty_container_is_a_container() -> None:
    assert read(packing.container()) == Container(0, ())


@pytest.mark.parametrize("step", [1, 3, 17, 64, 1000])
def test_a_container_is_read_alike_however_the_stream_is_cut(step: int) -> None:
    data = packing.container(packing.real(80), packing.virtual(80), packing.real(90))

    assert read(data, step) == read(data)


def test_what_is_no_container() -> None:
    good = packing.container(packing.real(80))
    absurd_header = packing.real(80)
    absurd_header.header_size = 1 << 31
    absurd_payload = packing.real(80)
    absurd_payload.stored = 1 << 62
    cases = {
        "magic alone": good[:4] + b"\x02" + good[5:],
        "unknown kind": good[:16] + b"\x77" + good[17:],
        "entry version": good[:18] + b"\x02" + good[19:],
        "header too small": good[:20] + b"\x20" + good[21:],
        "header of 2 GB": packing.container(absurd_header),
        "payload of 4 EB": packing.container(absurd_payload),
        "too short": good[:70],
    }

    answers = {name: fatbin.is_container(Cursor([data])) for name, data in cases.items()}
    assert answers == dict.fromkeys(cases)


def test_a_cut_off_container_says_so() -> None:
    data = packing.container(packing.real(80), packing.real(90))

    assert read(data[:-100]).damage.startswith("cut off inside the entry at offset")
    assert len(read(data[:-100]).images) == 2


def test_a_broken_second_entry_ends_the_reading() -> None:
    first = packing.real(80).pack()
    data = struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(first) + 100) + first + b"\xff" * 100
    container = read(data)

    assert images(container) == [Image(Kind.CUBIN, 80)]
    assert container.damage.startswith("no valid entry at offset")


def nested(number: int, start: int, size: int, *, flags: int = 0, extra: bytes = b"") -> bytes:
    names = (0, 0) if not extra else (64, len(extra))
    return struct.pack(
        "<HHIQIIHHIIIQQQ", 2, 0x0101, start, size, 0, 0, 8, 1, number, *names, flags, 0, 0
    ) + (extra + bytes(8 - len(extra) % 8) if extra else b"")


def concatenated(table: bytes, count: int, blob: bytes) -> bytes:
    extension = struct.pack("<II", count, len(table) + 8) + table
    entry = packing.Entry(packing.CONCATENATED, 0, blob, version=(0, 1))
    entry.extension = extension + bytes(-len(extension) % 8)
    return packing.container(entry)


def test_cubins_of_a_concatenated_entry() -> None:
    first, second = packing.cubin(80), packing.cubin(90, kernel=False)
    table = nested(80, 0, len(first), extra=b"kernel.cu")
    table += nested(90, len(first), len(second), flags=packing.SPECIFIC)

    assert images(read(concatenated(table, 2, first + second))) == [
        Image(Kind.CUBIN, 80),
        Image(Kind.CUBIN, 90, "a", content=Content.STUB),
    ]


def test_a_concatenated_entry_whose_table_lies_is_reported_as_unknown() -> None:
    table = nested(80, 0, 100)

    assert images(read(concatenated(table, 1 << 31, bytes(100)))) == [Image(Kind.OTHER, 0)]
    assert images(read(concatenated(b"", 1, bytes(100)))) == [Image(Kind.OTHER, 0)]


NOTE = b"\xd0\x07\0\0NVIDIA Corp\0Cuda compilation tools, release 13.1, V13.1.1\0"


@pytest.mark.parametrize(
    ("place", "toolkit"), [(100, CudaVersion(13, 1)), (30_000, CudaVersion(13, 1)), (900_000, None)]
)
def test_the_note_of_a_large_zstd_image_is_found_within_reach(
    place: int, toolkit: CudaVersion | None
) -> None:
    zstd = importlib.import_module("backports.zstd")
    whole = packing.cubin(100, new=True).ljust(place, b"\1") + NOTE.ljust(20_000, b"\2")
    packed = zstd.compress(whole)
    entry = packing.Entry(packing.CUBIN, 100, packed, packing.ZSTD, unpacked=len(whole))
    (found,) = read(packing.container(entry)).images

    assert found.image == Image(Kind.CUBIN, 100, "", None, "zstd")
    assert found.toolkit == toolkit


def test_the_note_of_a_large_lz4_image() -> None:
    whole = packing.cubin(100, new=True).ljust(900, b"\1") + NOTE.ljust(20_000, b"\2")
    block = packing.literal_block(whole)
    entry = packing.Entry(packing.CUBIN, 100, block, packing.LZ4, unpacked=len(whole))
    (found,) = read(packing.container(entry)).images

    assert found.toolkit == CudaVersion(13, 1)


@pytest.mark.parametrize("size", [16 * 1024 - 8, 16 * 1024, 227 * 1024, 1 << 20])
@pytest.mark.parametrize("kind", [packing.CUBIN, packing.PTX])
@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_an_image_without_a_function_is_a_stub_whatever_its_size(
    kind: int,
    size: int,
    kernel: bool,  # noqa: FBT001 - a case
    compression: str,
) -> None:
    maker = packing.cubin if kind == packing.CUBIN else packing.ptx
    whole = maker(80, kernel=kernel).ljust(size, b"\0")
    flags, packed = compressed(compression, whole)
    entry = packing.Entry(kind, 80, packed, flags, unpacked=size)

    content = Content.KERNELS if kernel else Content.STUB
    assert [image.content for image in images(read(packing.container(entry)))] == [content]


def compressed(compression: str, whole: bytes) -> tuple[int, bytes]:
    """Return the flag of a compression and the packed bytes."""
    if compression == "lz4":
        return packing.LZ4, packing.literal_block(whole)
    if compression == "zstd":
        return packing.ZSTD, importlib.import_module("backports.zstd").compress(whole)
    return 0, whole


def test_names_of_kernels_may_be_long() -> None:
    names = b"".join(b"\0.nv.info.k%d%s" % (number, b"x" * 900) for number in range(40))
    data = packing.cubin_of((names[1:], b""), (b".text.k", b"code"))
    flags, packed = compressed("zstd", data)
    entry = packing.Entry(packing.CUBIN, 90, packed, flags, unpacked=len(data))

    assert [image.content for image in images(read(packing.container(entry)))] == [Content.KERNELS]


@pytest.mark.parametrize(
    ("kind", "size", "content"),
    [
        (packing.CUBIN, 1599, Content.PRESUMED_STUB),
        (packing.CUBIN, 1600, Content.PRESUMED_KERNELS),
        (packing.PTX, 399, Content.PRESUMED_STUB),
        (packing.PTX, 400, Content.PRESUMED_KERNELS),
    ],
)
def test_what_cannot_be_decoded_is_presumed_by_its_size(
    kind: int, size: int, content: Content
) -> None:
    entry = packing.Entry(kind, 86, b"\x10a\x09\x00", packing.LZ4, unpacked=size)
    (found,) = read(packing.container(entry)).images

    assert (found.image.content, found.size) == (content, size)


def test_other_kinds_are_not_looked_into() -> None:
    lto = packing.Entry(packing.LTO, 90, b"x" * 20, packing.LZ4, unpacked=90)
    (found,) = read(packing.container(lto)).images

    assert found == SizedImage(Image(Kind.LTO, 90, compression="lz4"), 24, 90)


def far(place: int, number: int = 100) -> bytes:
    """A cubin of the new layout, not small, with its note at a place."""
    return packing.cubin(number, new=True).ljust(place, b"\1") + NOTE.ljust(20_000, b"\2")


@pytest.mark.parametrize(
    ("place", "toolkit"),
    [(100, CudaVersion(13, 1)), (500_000, CudaVersion(13, 1)), (530_000, None)],
)
def test_the_note_of_a_large_plain_image_is_found_within_reach(
    place: int, toolkit: CudaVersion | None
) -> None:
    (found,) = read(packing.container(packing.Entry(packing.CUBIN, 100, far(place)))).images

    assert found.toolkit == toolkit


@pytest.mark.parametrize(
    ("place", "toolkit"), [(30_000, CudaVersion(13, 1)), (33_000, None)], ids=["near", "far"]
)
def test_the_note_of_a_large_lz4_image_is_found_within_reach(
    place: int, toolkit: CudaVersion | None
) -> None:
    whole = far(place)
    block = packing.literal_block(whole)
    entry = packing.Entry(packing.CUBIN, 100, block, packing.LZ4, unpacked=len(whole))
    (found,) = read(packing.container(entry)).images

    assert found.toolkit == toolkit


def test_a_note_is_searched_for_in_the_first_three_images_until_one_has_it() -> None:
    without = packing.Entry(packing.CUBIN, 90, packing.cubin(90, new=True).ljust(20_000, b"\1"))
    having = packing.Entry(packing.CUBIN, 100, far(10_000))
    other = packing.Entry(packing.CUBIN, 120, far(10_000, 120).replace(b"13.1", b"13.2"))

    def toolkits(*entries: packing.Entry) -> list[CudaVersion | None]:
        return [found.toolkit for found in read(packing.container(*entries)).images]

    found = CudaVersion(13, 1)
    assert toolkits(without, without, having, other) == [None, None, found, None]
    assert toolkits(without, without, without, having) == [None] * 4
    assert toolkits(packing.real(80), having) == [CudaVersion(12, 4), None]


def test_the_toolkit_of_a_large_cubin_of_the_old_layout_is_known_at_once() -> None:
    first = packing.Entry(packing.CUBIN, 80, packing.cubin(80).ljust(20_000, b"\1"))
    second = packing.Entry(packing.CUBIN, 86, packing.cubin(86, toolkit=118).ljust(20_000, b"\1"))
    block = packing.literal_block(packing.cubin(90, toolkit=121).ljust(20_000, b"\1"))
    third = packing.Entry(packing.CUBIN, 90, block, packing.LZ4, unpacked=20_000)
    container = read(packing.container(first, second, third))

    assert [found.toolkit for found in container.images] == [
        CudaVersion(12, 4),
        CudaVersion(11, 8),
        CudaVersion(12, 1),
    ]


def test_a_container_of_countless_entries_is_left() -> None:
    tile = packing.Entry(packing.TILE, 80, b"")
    full = read(packing.container(*(tile,) * 10_000))
    more = read(packing.container(*(tile,) * 10_001))

    assert (len(full.images), full.damage) == (10_000, "")
    assert (len(more.images), more.damage) == (10_000, "more than 10000 entries")


def test_damage_is_told_with_its_place() -> None:
    first, second = packing.real(80).pack(), packing.real(90).pack()
    data = b"x" * 8 + struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(first) + 100) + first
    broken = data + b"\xff" * 100
    cut = b"x" * 8 + packing.container(packing.real(80), packing.real(90))[:-1]

    def damage(whole: bytes) -> str:
        cursor = Cursor([whole])
        cursor.skip(8)
        return read_container(cursor, fatbin.is_container(cursor) or 0).damage

    at = 8 + 16 + len(first)
    assert damage(broken) == (
        f"no valid entry at offset {at}, 100 bytes before the end of the container"
    )
    assert damage(cut) == f"cut off inside the entry at offset {at}"
    assert damage(cut + second[-1:]) == ""


def test_reading_a_container_ends_right_behind_it() -> None:
    data = packing.container(packing.real(80), packing.virtual(80))
    cursor = Cursor([data + b"behind"])
    container = read_container(cursor, fatbin.is_container(cursor) or 0)

    assert len(container.images) == 2
    assert cursor.peek(10) == b"behind"


def test_the_bytes_of_a_concatenated_entry_are_shared_out_by_size() -> None:
    first = packing.cubin(80, kernel=False, toolkit=118).ljust(208, b"\0")
    second = packing.cubin(90, toolkit=121).ljust(3 * len(first), b"\0")
    blob = first + second
    table = nested(80, 0, len(first)) + nested(90, len(first), len(second))
    container = read(concatenated(table, 2, blob))

    assert container.images == (
        SizedImage(Image(Kind.CUBIN, 80, content=Content.STUB), len(first), len(first)),
        SizedImage(Image(Kind.CUBIN, 90), len(second), len(second), CudaVersion(12, 1)),
    )


def test_a_packed_concatenated_entry_shares_out_its_packed_bytes() -> None:
    first, second = packing.cubin(80), packing.cubin(100, new=True) + NOTE.ljust(500, b"\0")
    zstd = importlib.import_module("backports.zstd")
    table = nested(80, 0, len(first)) + nested(100, len(first), len(second))
    entry = packing.Entry(
        packing.CONCATENATED,
        0,
        zstd.compress(first + second) + b"behind the frame",
        packing.ZSTD,
        version=(0, 1),
        unpacked=len(first + second),
    )
    entry.extension = struct.pack("<II", 2, len(table) + 8) + table
    found = read(packing.container(entry)).images
    stored = len(entry.payload) + -len(entry.payload) % 8

    assert [one.toolkit for one in found] == [CudaVersion(12, 4), CudaVersion(13, 1)]
    assert [one.stored for one in found] == [
        stored * len(first) // len(first + second),
        stored * len(second) // len(first + second),
    ]
    assert {one.image.compression for one in found} == {"zstd"}


def test_nested_cubins_outside_the_decoded_bytes_are_presumed() -> None:
    inside = packing.cubin(80)
    table = nested(80, 0, len(inside)) + nested(90, len(inside), 1000) + nested(100, 5000, 9000)
    container = read(concatenated(table, 3, inside))

    assert [(found.image.content, found.toolkit) for found in container.images] == [
        (Content.KERNELS, CudaVersion(12, 4)),
        (Content.PRESUMED_STUB, None),
        (Content.PRESUMED_KERNELS, None),
    ]


def test_a_nested_cubin_of_no_size_has_no_kernels() -> None:
    container = read(concatenated(nested(80, 0, 0), 1, b""))

    assert container.images == (SizedImage(Image(Kind.CUBIN, 80, content=Content.STUB), 0, 0),)
