from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.wheels.source import BytesSource
from nvidia_variant_provider.tools.wheels.zip_directory import (
    find_directory,
    open_member,
    read_directory,
)
from nvidia_variant_provider.tools.wheels.zip_records import Entry
from tests.tools.binaries import packing
from tests.wheel_maker import with_zip64_end

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.wheels.source import Source


def listed(data: bytes) -> list[tuple[str, int, int, int]]:
    members = entries_of(BytesSource("w.whl", data))
    return [(entry.name, entry.method, entry.packed, entry.size) for entry in members]


def entries_of(file: Source) -> list[Entry]:
    return list(read_directory(file, find_directory(file)))


def expected(data: bytes) -> list[tuple[str, int, int, int]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [
            (info.filename, info.compress_type, info.compress_size, info.file_size)
            for info in archive.infolist()
        ]


def test_members_are_those_that_zipfile_lists() -> None:
    data = packing.wheel({"a.so": b"x" * 1000, "b/\u00fc.so": b"y"}, stored=("b/\u00fc.so",))

    assert listed(data) == expected(data)


def test_many_members_span_several_windows() -> None:
    data = packing.wheel({f"{'folder/' * 20}{number}": b"" for number in range(3000)})

    assert listed(data) == expected(data)


def test_zip64_members() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("big.so", "w", force_zip64=True) as member:
            member.write(b"abc" * 1000)
        archive.comment = b"with a comment"
    data = buffer.getvalue()
    file = BytesSource("w.whl", data)

    assert listed(data) == expected(data)
    assert open_member(file, entries_of(file)[0]).read_at(0, 9) == b"abcabcabc"


def test_a_zip64_end_record() -> None:
    data = packing.wheel({"a.so": b"x" * 1000})

    assert listed(with_zip64_end(data)) == listed(data)


def test_values_beyond_32_bits_come_from_the_extra_field() -> None:
    extra = struct.pack("<HHQQ", 1, 16, 5 << 32, 6 << 32)
    name = b"huge.so"
    entry = struct.pack(
        "<4sHHHHHHIIIHHHHHII",
        *(b"PK\x01\x02", 45, 45, 0, 8, 0, 0, 0, 2**32 - 1, 2**32 - 1, len(name), len(extra)),
        *(0, 0, 0, 0, 77),
    )
    directory = entry + name + extra
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)
    (member,) = entries_of(BytesSource("w.whl", directory + end))

    assert (member.size, member.packed, member.header_at) == (5 << 32, 6 << 32, 77)


def end_record(count: int, size: int, start: int) -> bytes:
    return struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, size, start, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "no end-of-archive record", id="empty"),
        pytest.param(b"PK\x03\x04" + bytes(500), "no end-of-archive record", id="cut-off"),
        pytest.param(end_record(1, 100, 0), "should end at 100, the file has 22", id="outside"),
        pytest.param(end_record(1, 2**31, 0), "expected at most 100000", id="huge-directory"),
        pytest.param(bytes(46) + end_record(1, 46, 0), "ends early", id="not-a-member"),
        pytest.param(
            with_zip64_end(packing.wheel({}))[:-34]
            + struct.pack("<QI", 1, 1)
            + end_record(1, 1, 1),
            "zip64 end record is not where",
            id="zip64-record-elsewhere",
        ),
    ],
)
def test_damage_names_the_file_and_what_was_seen(data: bytes, message: str) -> None:
    with pytest.raises(DamagedFileError, match=rf"w\.whl: .*{message}"):
        listed(data)


def test_a_directory_that_announces_more_members_than_it_has() -> None:
    data = packing.wheel({"a": b"x"})
    at = data.rfind(b"PK\x05\x06")
    more = data[: at + 8] + struct.pack("<HH", 9, 9) + data[at + 12 :]

    with pytest.raises(DamagedFileError, match="ends early"):
        listed(more)


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (Entry(b"m", 0, 0, 0, 5, 5, 1), "no member at offset 1"),
        (Entry(b"m", 0, 0, 0, 1 << 40, 5, 0), "ends at 1099511627810 of"),
        (Entry(b"m", 0, 0, 0, 5, 6, 0), "stored with two sizes: 5, 6"),
    ],
)
def test_a_member_that_is_not_there(member: Entry, message: str) -> None:
    file = BytesSource("w.whl", packing.wheel({"a.so": b"x" * 10}))

    with pytest.raises(DamagedFileError, match=message):
        open_member(file, member)
