"""Shared objects as linkers lay them out: addresses that are no offsets, and gaps."""

from __future__ import annotations

import struct
from typing import NamedTuple

import pytest

from nvidia_variant_provider.tools.binaries import elf, pe
from nvidia_variant_provider.tools.binaries.host import HostFile, Section
from nvidia_variant_provider.tools.wheels.source import BytesSource

LOAD, DYNAMIC, NOTE = 1, 2, 4
CODE, DATA, READ_ONLY = 5, 6, 4
NO_BITS = 8


class Segment(NamedTuple):
    """A program header."""

    kind: int
    flags: int
    offset: int
    address: int
    size: int


def object_of(
    size: int,
    segments: tuple[Segment, ...] = (),
    pieces: dict[int, bytes] | None = None,
    *,
    table: tuple[int, int, int] = (0, 0, 0),
    machine: int = 62,
) -> bytes:
    """A shared object of ``size`` bytes; ``table``: where its sections are, how many, the names."""
    data = bytearray(size)
    at, count, names = table
    data[:64] = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, at, 0, 64, 56, len(segments), 64, count, names
    )
    programs = b"".join(
        struct.pack("<IIQQQQQQ", kind, flags, offset, address, 0, length, length, 1)
        for kind, flags, offset, address, length in segments
    )
    for place, piece in {64: programs, **(pieces or {})}.items():
        data[place : place + len(piece)] = piece
    return bytes(data)


def dynamic_table(*entries: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<QQ", tag, value) for tag, value in (*entries, (0, 0)))


def section(name: int, kind: int, offset: int, size: int) -> bytes:
    return struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, size, 0, 0, 1, 0)


NEEDED, STRINGS = 1, 5
NAMES = b"\0liba.so\0libcudart.so.12\0"
TWO_SEGMENTS = (
    Segment(LOAD, READ_ONLY, 0, 0x40_0000, 0x800),
    Segment(LOAD, DATA, 0x1000, 0x70_1000, 0x800),
    Segment(DYNAMIC, DATA, 0x1100, 0x70_1100, 80),
)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        pytest.param(0x70_1000, 0x1000, id="start-of-the-second-segment"),
        pytest.param(0x70_1200, 0x1200, id="inside"),
        pytest.param(0x70_17FF, 0x17FF, id="last-byte"),
        pytest.param(0x40_0400, 0x0400, id="first-segment"),
        pytest.param(0x70_1800, -0x1800, id="right-behind"),
        pytest.param(0x70_0FFF, -0x0FFF, id="right-before"),
    ],
)
def test_names_are_read_where_their_address_lies_in_the_file(address: int, place: int) -> None:
    """A negative place is one where the names would be, if the address were not outside."""
    table = dynamic_table((NEEDED, 9), (14, 1), (STRINGS, address), (NEEDED, 1))
    pieces = {0x1100: table, abs(place): NAMES}
    host = elf.read_host(BytesSource("lib", object_of(0x2000, TWO_SEGMENTS, pieces)))

    assert host == HostFile("x86_64", ("libcudart.so.12", "liba.so") if place > 0 else ())


def test_an_object_without_strings_or_without_a_dynamic_table_needs_nothing() -> None:
    without = {0x1100: dynamic_table((NEEDED, 1)), 0x1000: NAMES}
    static = object_of(0x2000, TWO_SEGMENTS[:2], without)

    for data in (object_of(0x2000, TWO_SEGMENTS, without), static):
        assert elf.read_host(BytesSource("lib", data)).needed == ()


def test_of_tables_that_are_cut_off_the_whole_rows_count() -> None:
    table = dynamic_table((NEEDED, 1), (STRINGS, 0x70_1000))[:-16] + b"\1\0\0"
    segments = (*TWO_SEGMENTS[:2], Segment(DYNAMIC, DATA, 0x1100, 0x70_1100, 35))
    uneven = object_of(0x2000, segments, {0x1100: table, 0x1000: NAMES})
    cut = object_of(0x2000, (Segment(LOAD, DATA, 0, 0, 64),) * 3)[: 64 + 2 * 56 + 9]

    assert elf.read_host(BytesSource("lib", uneven)).needed == ("liba.so",)
    assert elf.read_quiet_ranges(BytesSource("lib", cut)) == ((64, len(cut)),)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (62, "x86_64"), (183, "aarch64"), (3, "i386"), (40, "arm"), (21, "ppc64le"),
        (243, "riscv"), (2, "machine 2"),
    ],
)  # fmt: skip
def test_machines(number: int, name: str) -> None:
    assert elf.read_host(BytesSource("lib", object_of(64, machine=number))) == HostFile(name)


@pytest.mark.parametrize(
    ("head", "number"),
    [
        (object_of(64), 62),
        (object_of(64, machine=0x1234), 0x1234),
        (object_of(64)[:63], None),
        (b"\x7fELF\x01" + object_of(64)[5:], None),
        (b"\x7fELF\x02\x02" + object_of(64)[6:], None),
    ],
    ids=["whole", "another", "cut-off", "32-bit", "big-endian"],
)
def test_only_64_bit_little_endian_files_have_a_machine(head: bytes, number: int | None) -> None:
    assert elf.machine_of(head) == number


@pytest.mark.parametrize(
    ("segments", "quiet"),
    [
        pytest.param((), (), id="none"),
        pytest.param((Segment(NOTE, 4, 0, 0, 99),), (), id="none-that-is-loaded"),
        pytest.param(
            (
                Segment(LOAD, READ_ONLY, 0, 0, 0x100),
                Segment(LOAD, CODE, 0x200, 0x1200, 0x100),
                Segment(LOAD, DATA, 0x300, 0x2300, 0x80),
            ),
            ((0x100, 0x200), (0x200, 0x300), (0x380, 0x400)),
            id="gap-code-and-rest",
        ),
        pytest.param(
            (
                Segment(LOAD, DATA, 0x300, 0x2300, 0x80),
                Segment(LOAD, CODE, 0x100, 0x1200, 0x200),
                Segment(LOAD, READ_ONLY, 0, 0, 0x100),
            ),
            ((0x100, 0x300), (0x380, 0x400)),
            id="in-any-order",
        ),
        pytest.param(
            (Segment(LOAD, DATA, 0x40, 0x40, 0x40), Segment(LOAD, DATA, 0x80, 0x1080, 0x40)),
            ((0, 0x40), (0xC0, 0x400)),
            id="start-not-loaded",
        ),
        pytest.param(
            (Segment(LOAD, CODE, 0, 0, 0x200), Segment(LOAD, DATA, 0x200, 0x1200, 0x80)),
            ((0x280, 0x400),),
            id="data-among-the-code",
        ),
        pytest.param(
            (
                Segment(LOAD, DATA, 0, 0, 0x100),
                Segment(LOAD, CODE, 0x100, 0x1200, 0x100),
            ),
            ((0x200, 0x400),),
            id="data-that-changes-in-front",
        ),
        pytest.param(
            (
                Segment(LOAD, READ_ONLY, 0, 0, 0x300),
                Segment(LOAD, DATA, 0x100, 0x1100, 0x80),
                Segment(LOAD, DATA, 0x3A0, 0x33A0, 0),
            ),
            ((0x300, 0x400),),
            id="overlapping-and-empty",
        ),
    ],
)
def test_quiet_ranges_are_gaps_separate_code_and_the_rest(
    segments: tuple[Segment, ...], quiet: tuple[tuple[int, int], ...]
) -> None:
    assert elf.read_quiet_ranges(BytesSource("lib", object_of(0x400, segments))) == quiet


class Noted(BytesSource):
    """A source that notes what was announced."""

    def __init__(self, data: bytes) -> None:
        super().__init__("lib", data)
        self.kept: list[tuple[int, int]] = []

    def keep(self, start: int, end: int) -> None:
        self.kept.append((start, end))


@pytest.mark.parametrize(
    ("size", "length", "kept"),
    [
        (0x2000, 80, [(0, 65536), (0, 0x2000), (0x1100, 0x1150)]),
        (0x4_0000, 80, [(0, 65536), (0x3_0000, 0x4_0000), (0x1100, 0x1150)]),
        (0x4_0000, 1 << 40, [(0, 65536), (0x3_0000, 0x4_0000), (0x1100, 0x1_1100)]),
    ],
    ids=["small", "large", "absurd-table"],
)
def test_the_edges_and_the_dynamic_table_are_announced(
    size: int, length: int, kept: list[tuple[int, int]]
) -> None:
    segments = (*TWO_SEGMENTS[:2], Segment(DYNAMIC, DATA, 0x1100, 0x70_1100, length))
    source = Noted(object_of(size, segments))
    elf.keep_links(source)

    assert source.kept == kept


@pytest.mark.parametrize("names_at", [0x100, 0x1FFF, 0x2000, 0x2E00, 0x3140, 0x3800])
def test_section_names_are_found_wherever_they_are(names_at: int) -> None:
    names = b"\0.shstrtab\0" + b"x" * 300 + b"\0.nv_fatbin\0.bss\0"
    rows = (
        section(0, 0, 0, 0),
        section(312, 1, 0x500, 0x80),
        section(323, NO_BITS, 0x600, 0x1000),
        section(1, 3, names_at, len(names)),
        section(len(names), 1, 0x600, 8),
    )
    pieces = {0x3000: b"".join(rows), names_at: names + b"no name\0"}
    host = elf.read_host(BytesSource("lib", object_of(0x4000, (), pieces, table=(0x3000, 5, 3))))

    assert host.sections == (
        Section(".nv_fatbin", 0x500, 0x580),
        Section(".shstrtab", names_at, names_at + len(names)),
        Section("", 0x600, 0x608),
    )
    assert [host.place(at) for at in (0x4FF, 0x500, 0x57F, 0x580)] == [
        "outside sections", ".nv_fatbin", ".nv_fatbin", "outside sections",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [0x2FF, 0x2C0, 0x280, 0x200])
def test_a_table_of_sections_that_is_cut_off_has_none(size: int) -> None:
    rows = section(1, 3, 0x100, 20) + section(1, 1, 0x100, 20) * 3
    pieces = {0x200: rows, 0x100: b"\0.shstrtab\0"}
    whole = object_of(0x300, (), pieces, table=(0x200, 4, 0))

    assert len(elf.read_host(BytesSource("lib", whole)).sections) == 4
    assert elf.read_host(BytesSource("lib", whole[:size])).sections == ()


def test_sections_are_left_alone_where_nobody_asks() -> None:
    rows = section(0, 0, 0, 0) + section(1, 3, 0x100, 20)
    pieces = {0x200: rows, 0x100: b"\0.shstrtab\0"}
    source = BytesSource("lib", object_of(0x400, (), pieces, table=(0x200, 2, 1)))

    assert elf.read_host(source, sections=False).sections == ()
    assert elf.read_host(source).sections == (Section(".shstrtab", 0x100, 0x114),)


PE_AT, IMPORTS, DELAYED = 0x80, 1, 13


def dll_of(
    directories: dict[int, int],
    pieces: dict[int, bytes],
    *,
    magic: int = 0x20B,
    machine: int = 0x8664,
) -> bytes:
    """A DLL with two sections: 0x1000 to 0x1400 lies at 0x400, 0x2000 to 0x2200 at 0x800."""
    start = {0x20B: 112, 0x10B: 96}[magic]
    table = b"".join(struct.pack("<II", directories.get(number, 0), 40) for number in range(16))
    optional = struct.pack("<HBB", magic, 14, 38).ljust(start, b"\0") + table
    rows = struct.pack("<8sIIIIIIHHI", b".rdata", 0x9999, 0x1000, 0x400, 0x400, 0, 0, 0, 0, 0)
    rows += struct.pack("<8sIIIIIIHHI", b".nv_fatb", 0x9999, 0x2000, 0x200, 0x800, 0, 0, 0, 0, 0)
    coff = struct.pack("<HHIIIHH", machine, 2, 0, 0, 0, len(optional), 0x2022)
    data = bytearray(0xA00)
    data[:2] = b"MZ"
    for place, piece in {
        0x3C: struct.pack("<I", PE_AT),
        PE_AT: b"PE\0\0" + coff + optional + rows,
        **pieces,
    }.items():
        data[place : place + len(piece)] = piece
    return bytes(data)


def read_dll(data: bytes) -> HostFile | None:
    return pe.read_host(BytesSource("lib", data))


IMPORT_ROWS = {
    0x410: struct.pack("<IIIII", 1, 2, 3, 0x1100, 5) + struct.pack("<IIIII", 1, 2, 3, 0x2000, 5),
    0x500: b"cudart64_12.dll\0",
    0x800: b"KERNEL32.dll\0",
}
DELAYED_ROWS = {
    0x600: struct.pack("<IIIIIIII", 1, 0x1300, 0, 0, 0, 0, 0, 0)
    + struct.pack("<IIIIIIII", 1, 0x1320, 0, 0, 0, 0, 0, 0),
    0x700: b"nvcuda.dll\0",
    0x720: b"cufft64_11.dll\0",
}


@pytest.mark.parametrize("magic", [0x20B, 0x10B])
def test_imports_are_read_where_their_addresses_lie_in_the_file(magic: int) -> None:
    data = dll_of({IMPORTS: 0x1010, DELAYED: 0x1200}, IMPORT_ROWS | DELAYED_ROWS, magic=magic)

    assert read_dll(data) == HostFile(
        "x86_64",
        ("cudart64_12.dll", "KERNEL32.dll", "nvcuda.dll", "cufft64_11.dll"),
        (Section(".rdata", 0x400, 0x800), Section(".nv_fatb", 0x800, 0xA00)),
    )


def test_a_library_that_is_named_twice_is_needed_once() -> None:
    again = DELAYED_ROWS | {0x700: b"KERNEL32.dll\0"}
    host = read_dll(dll_of({IMPORTS: 0x1010, DELAYED: 0x1200}, IMPORT_ROWS | again))

    assert host is not None
    assert host.needed == ("cudart64_12.dll", "KERNEL32.dll", "cufft64_11.dll")


@pytest.mark.parametrize(
    ("left", "needed"),
    [(40, ("cudart64_12.dll", "nvcuda.dll")), (39, ("cudart64_12.dll",)), (19, ())],
)
def test_a_table_of_imports_at_the_end_of_the_file_has_whole_rows(
    left: int, needed: tuple[str, ...]
) -> None:
    rows = struct.pack("<IIIII", 1, 2, 3, 0x1100, 5) + struct.pack("<IIIII", 1, 2, 3, 0x1200, 5)
    names = {0x500: b"cudart64_12.dll\0", 0x600: b"nvcuda.dll\0"}
    data = bytearray(dll_of({IMPORTS: 0x2200 - left}, names))
    data[0xA00 - left :] = rows[:left]
    host = read_dll(bytes(data))

    assert len(data) == 0xA00
    assert host is not None
    assert host.needed == needed


def test_addresses_have_four_bytes() -> None:
    far_table = read_dll(dll_of({IMPORTS: 0x0100_1010}, IMPORT_ROWS))
    far_name = IMPORT_ROWS | {0x410: struct.pack("<IIIII", 1, 2, 3, 0x0100_1100, 5)}
    far = read_dll(dll_of({IMPORTS: 0x1010}, far_name))

    assert far_table is not None
    assert far is not None
    assert (far_table.needed, far.needed) == ((), ())


@pytest.mark.parametrize(
    ("address", "needed"),
    [(0x1400, ()), (0xFFF, ()), (0x13EC, ("cudart64_12.dll",)), (0x1000, ("cudart64_12.dll",))],
)
def test_a_table_of_imports_lies_inside_a_section(address: int, needed: tuple[str, ...]) -> None:
    row = {address - 0x1000 + 0x400: IMPORT_ROWS[0x410][:20]}
    host = read_dll(dll_of({IMPORTS: address}, {0x500: IMPORT_ROWS[0x500]} | row))

    assert host is not None
    assert host.needed == needed


@pytest.mark.parametrize(
    ("number", "name"),
    [(0x8664, "x86_64"), (0xAA64, "aarch64"), (0x14C, "i386"), (1, "machine 0x1")],
)
def test_machines_of_windows(number: int, name: str) -> None:
    host = read_dll(dll_of({}, {}, machine=number))

    assert host is not None
    assert (host.machine, host.needed) == (name, ())


@pytest.mark.parametrize(
    ("size", "needed"),
    [(16, ("cudart64_12.dll", "KERNEL32.dll")), (15, ()), (12, ()), (8, ()), (0, ())],
)
def test_directories_beyond_the_optional_header_are_none(
    size: int, needed: tuple[str, ...]
) -> None:
    data = bytearray(dll_of({IMPORTS: 0x1010, DELAYED: 0x1200}, IMPORT_ROWS | DELAYED_ROWS))
    rows = data[PE_AT + 24 + 240 : PE_AT + 24 + 320]
    # The optional header ends with so many bytes of its directories; the imports are the second.
    end = PE_AT + 24 + 112 + size
    data[PE_AT + 20 : PE_AT + 22] = (112 + size).to_bytes(2, "little")
    data[end : end + 80] = rows
    host = read_dll(bytes(data))

    assert host is not None
    assert host.needed == needed
    assert len(host.sections) == 2


def test_sections_follow_an_optional_header_of_any_length() -> None:
    data = bytearray(dll_of({}, {}))
    rows = data[PE_AT + 24 + 240 : PE_AT + 24 + 320]
    data[PE_AT + 20 : PE_AT + 22] = (0x1F0).to_bytes(2, "little")
    data[PE_AT + 24 + 0x1F0 : PE_AT + 24 + 0x1F0 + 80] = rows
    data[PE_AT + 24 + 240 : PE_AT + 24 + 320] = bytes(80)
    host = read_dll(bytes(data))

    assert host is not None
    assert [section.name for section in host.sections] == [".rdata", ".nv_fatb"]


def test_a_dll_cut_off_in_its_table_of_sections_has_the_whole_rows() -> None:
    data = dll_of({}, {})[: PE_AT + 24 + 240 + 79]
    host = read_dll(data)

    assert host == HostFile("x86_64", (), (Section(".rdata", 0x400, 0x800),))
    assert read_dll(data[: PE_AT + 24]) == HostFile("x86_64")
    assert read_dll(data[: PE_AT + 23]) is None
