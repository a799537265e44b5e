"""The headers of containers and entries, field by field and at their limits (docs/fatbin.md)."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from nvidia_variant_provider.tools.binaries import fatbin
from nvidia_variant_provider.tools.binaries.cursor import Cursor
from nvidia_variant_provider.tools.binaries.fatbin import EntryHeader, Nested
from nvidia_variant_provider.tools.binaries.report import Kind
from tests.tools.binaries import packing

PLAIN = EntryHeader(
    code=2,
    header_size=64,
    stored=1000,
    packed=0,
    options_at=0,
    version=(1, 7),
    number=90,
    name_at=0,
    name_length=0,
    flags=0x11,
    unpacked=0,
)


def header(
    code: int = 2,
    form: int = 0x0101,
    *,
    size: int = 64,
    stored: int = 0,
    options_at: int = 0,
    number: int = 90,
    name_at: int = 0,
    name_length: int = 0,
    flags: int = 0,
) -> bytes:
    return struct.pack(
        "<HHIQIIHHIIIQQQ",
        code, form, size, stored, 0, options_at, 7, 1, number, name_at, name_length, flags, 0, 0,
    )  # fmt: skip


def test_every_field_of_an_entrys_header() -> None:
    raw = struct.pack("<HHIQIIHHIIIQQQ", 1, 0x0101, 72, 3, 4, 5, 6, 8, 103, 10, 11, 12, 13, 14)

    assert fatbin.parse_entry(raw + b"payload") == EntryHeader(
        code=1,
        header_size=72,
        stored=3,
        packed=4,
        options_at=5,
        version=(8, 6),
        number=103,
        name_at=10,
        name_length=11,
        flags=12,
        unpacked=14,
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, Kind.PTX), (2, Kind.CUBIN), (8, Kind.LTO), (0x80, Kind.TILE), (4, Kind.OTHER),
        (0x10, Kind.OTHER), (0x20, Kind.OTHER), (0x40, Kind.OTHER), (0x100, Kind.OTHER),
    ],
)  # fmt: skip
def test_known_kinds(code: int, kind: Kind) -> None:
    entry = fatbin.parse_entry(header(code))

    assert entry is not None
    assert entry.kind is kind


@pytest.mark.parametrize(
    "data",
    [
        *(header(code) for code in (0, 3, 5, 7, 9, 0x11, 0x3F, 0x41, 0x81, 0xFF, 0x101, 0x8000)),
        header(form=0x0100),
        header(form=0x0102),
        header(form=0x0201),
        header()[:63],
        b"",
    ],
)
def test_what_is_no_entry(data: bytes) -> None:
    assert fatbin.parse_entry(data) is None


@pytest.mark.parametrize(
    ("flags", "suffix", "compression"),
    [
        (0x11, "", "none"),
        (0x11 | packing.SPECIFIC, "a", "none"),
        (0x11 | packing.FAMILY, "f", "none"),
        (packing.SPECIFIC | packing.FAMILY, "a", "none"),
        (0x11 | packing.LZ4, "", "lz4"),
        (0x11 | packing.ZSTD, "", "zstd"),
        (packing.LZ4 | packing.ZSTD, "", "lz4"),
        ((1 << 64) - 1 - 0x30A000, "", "none"),
    ],
)
def test_flags_tell_the_suffix_and_the_compression(
    flags: int, suffix: str, compression: str
) -> None:
    entry = replace(PLAIN, flags=flags, unpacked=5000)

    assert (entry.suffix, entry.compression) == (suffix, compression)
    assert entry.size == (1000 if compression == "none" else 5000)


@pytest.mark.parametrize(
    ("entry", "room", "fits"),
    [
        (PLAIN, 1064, True),
        (PLAIN, 1063, False),
        (replace(PLAIN, header_size=63), 9999, False),
        (replace(PLAIN, header_size=65536), 66536, True),
        (replace(PLAIN, header_size=65537), 99999, False),
        (replace(PLAIN, packed=1000), 1064, True),
        (replace(PLAIN, packed=1001), 1064, False),
        (replace(PLAIN, stored=0), 64, True),
    ],
)
def test_an_entry_fits_into_the_rest_of_its_container(
    entry: EntryHeader,
    room: int,
    fits: bool,  # noqa: FBT001
) -> None:
    assert fatbin.fits(entry, room) is fits


def test_a_containers_header_has_16_bytes() -> None:
    head = packing.container(size=0x7123456789ABCDEF)

    assert len(head) == 16
    assert fatbin.parse_container(head) == 0x7123456789ABCDEF
    assert fatbin.parse_container(head + b"more") == 0x7123456789ABCDEF
    assert fatbin.parse_container(head[:15]) is None


@pytest.mark.parametrize("at", range(8))
def test_the_first_eight_bytes_are_fixed(at: int) -> None:
    head = bytearray(packing.container())
    head[at] ^= 1

    assert fatbin.parse_container(bytes(head)) is None


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (packing.container(), 0),
        (packing.container(size=64) + header(), 64),
        (packing.container(size=63) + header(), None),
        (packing.container(size=64) + header()[:63], None),
        (packing.container(size=64) + header(stored=1), None),
    ],
)
def test_a_container_is_believed_by_its_first_entry(data: bytes, size: int | None) -> None:
    assert fatbin.is_container(Cursor([data])) == size


def table(count: int, *entries: bytes, length: int | None = None) -> bytes:
    """The header of a concatenated entry: its own 64 bytes, then the table."""
    body = b"".join(entries)
    stated = len(body) + 8 if length is None else length
    return header(0x100) + struct.pack("<II", count, stated) + body


def nested(start: int, size: int, *, name: bytes = b"", options: bytes = b"") -> bytes:
    """A nested header, with the name and the options behind it that it announces."""
    data = header(
        size=start,
        stored=size,
        name_at=64 if name else 0,
        name_length=len(name),
        options_at=72 if options else 0,
    )
    if name:
        data += name.ljust((len(name) + 8) // 8 * 8, b"\0")
    if options:
        data += struct.pack("<II", 0xAAAAAAAA, len(options))
        data += options.ljust((len(options) + 8) // 8 * 8, b"\0")
    return data


def places(found: tuple[Nested, ...] | None) -> list[tuple[int, int]] | None:
    return None if found is None else [(one.start, one.size) for one in found]


@pytest.mark.parametrize("name", [b"", b"a", b"seven77", b"eight888", b"x" * 300])
@pytest.mark.parametrize("options", [b"", b"-O", b"-O3 -m7", b"-O3 -m64", b"y" * 100])
def test_nested_headers_follow_one_another(name: bytes, options: bytes) -> None:
    first = nested(0, 500, name=name, options=options)
    second = nested(500, 700, name=options, options=name)

    assert places(fatbin.parse_nested(table(3, first, second, nested(1200, 1)))) == [
        (0, 500),
        (500, 700),
        (1200, 1),
    ]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(table(0), [], id="none"),
        pytest.param(table(0)[:71], None, id="cut-off-before-the-table"),
        pytest.param(table(2, nested(0, 5)), None, id="fewer-than-said"),
        pytest.param(table(1, nested(0, 5), nested(5, 5)), [(0, 5)], id="more-than-said"),
        pytest.param(table(1, nested(0, 5), length=71), None, id="the-table-is-shorter"),
        pytest.param(table(1, nested(0, 5), length=72), [(0, 5)], id="the-table-is-just-enough"),
        pytest.param(table(1, header(0x77)), None, id="unknown-kind"),
        pytest.param(table(1024, *(nested(0, 5),) * 1024), [(0, 5)] * 1024, id="as-many-as-fit"),
        pytest.param(table(1025, *(nested(0, 5),) * 1025), None, id="more-than-a-header-holds"),
    ],
)
def test_a_table_that_does_not_add_up_is_none(
    data: bytes, found: list[tuple[int, int]] | None
) -> None:
    assert places(fatbin.parse_nested(data)) == found


def test_a_length_of_options_far_outside_is_none() -> None:
    first = bytearray(nested(0, 5, options=b"-O"))
    first[64 + 7] = 1

    assert fatbin.parse_nested(table(2, bytes(first), nested(5, 5))) is None


def test_a_nested_header_is_kept_with_its_place() -> None:
    (found,) = fatbin.parse_nested(table(1, nested(8, 500))) or ()

    assert found == Nested(EntryHeader(2, 8, 500, 0, 0, (1, 7), 90, 0, 0, 0, 0), 8, 500)
