from __future__ import annotations

import csv
import io
import os
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import DamagedFileError, InvalidValueError
from nvidia_variant_provider.tools.wheels import writer
from nvidia_variant_provider.tools.wheels import zip_records as zr
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from nvidia_variant_provider.tools.wheels.source import BytesSource
from nvidia_variant_provider.tools.wheels.zip_directory import find_directory, read_directory
from nvidia_variant_provider.tools.wheels.zip_layout import check_layout
from tests import wheel_maker
from tests.wheel_maker import DIST_INFO, files_of_wheel, make_wheel, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from nvidia_variant_provider.tools.wheels.source import Source

RECORD = f"{DIST_INFO}/RECORD"
ADDED = f"{DIST_INFO}/variant.json"
# Of the same project and version, which is what RECORD and METADATA are compared with.
NEW = "demo-1.0-py2-none-any.whl"
# Larger than what goes through the write buffer, and not compressible.
LARGE = bytes(os.urandom(700_000))


def rewrite(
    wheel: Path, target: Path, replace: Mapping[str, bytes], remove: Collection[str] = ()
) -> None:
    target.parent.mkdir(exist_ok=True)
    with OpenWheel(wheel) as opened:
        writer.rewrite(opened, target, replace, remove)


def check(wheel: Path) -> None:
    with OpenWheel(wheel) as opened:
        opened.check()


def read_entries(file: Source) -> tuple[zr.Entry, ...]:
    directory = find_directory(file)
    return check_layout(file, directory, read_directory(file, directory))


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def compressed(path: Path) -> dict[str, bytes]:
    """Return each member's bytes as they lie in the file."""
    data = path.read_bytes()
    entries = read_entries(BytesSource(path.name, path.read_bytes()))
    return {one.name: data[one.data_at : one.data_at + one.packed] for one in entries}


@pytest.mark.parametrize(
    ("method", "streamed", "zip64"),
    [
        pytest.param(zipfile.ZIP_DEFLATED, 0, 0, id="deflated"),
        pytest.param(zipfile.ZIP_STORED, 0, 0, id="stored"),
        pytest.param(zipfile.ZIP_DEFLATED, 1, 0, id="data-descriptors"),
        pytest.param(zipfile.ZIP_STORED, 1, 0, id="stored-data-descriptors"),
        pytest.param(zipfile.ZIP_DEFLATED, 0, 1, id="zip64"),
        pytest.param(zipfile.ZIP_DEFLATED, 1, 1, id="zip64-data-descriptors"),
    ],
)
def test_other_members_are_copied_as_they_are_compressed(
    tmp_path: Path, method: int, streamed: int, zip64: int
) -> None:
    wheel = make_wheel(
        tmp_path, {"demo/lib.so": LARGE}, method=method, streamed=bool(streamed), zip64=bool(zip64)
    )
    target = tmp_path / NEW

    rewrite(wheel, target, {ADDED: b"{}\n"})

    before, after = compressed(wheel), compressed(target)
    for one in (before, after):
        one.pop(f"{DIST_INFO}/RECORD")
    assert after == before | {ADDED: b"{}\n"}
    assert not [one for one in read_entries(BytesSource("", target.read_bytes())) if one.flags & 8]


def test_record_lists_every_member_and_its_hash(tmp_path: Path) -> None:
    target = tmp_path / NEW

    rewrite(
        make_wheel(tmp_path, {"demo/old.py": b"", "demo/text.py": b"1"}),
        target,
        {ADDED: b"{}\n", "demo/text.py": b"22"},
        {"demo/old.py"},
    )

    files = contents(target)
    record = files.pop(f"{DIST_INFO}/RECORD")
    assert "demo/old.py" not in files
    assert files["demo/text.py"] == b"22"
    rows = {tuple(row) for row in csv.reader(io.StringIO(record.decode()))}
    expected = csv.reader(io.StringIO(wheel_maker.record_of(files).decode()))
    assert rows == {tuple(row) for row in expected}


def test_many_small_members_are_copied_in_bunches(tmp_path: Path) -> None:
    many = {f"demo/{number}.bin": os.urandom(200_000) for number in range(30)}
    wheel = make_wheel(tmp_path, many)

    rewrite(wheel, tmp_path / NEW, {ADDED: b"{}\n"})

    after = contents(tmp_path / NEW)
    assert {name: after[name] for name in many} == many


def test_a_wheel_rewritten_twice_is_the_same_bytes(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)

    for name in ("first.whl", "second.whl"):
        rewrite(wheel, tmp_path / name, {ADDED: b"{}\n"})

    assert (tmp_path / "first.whl").read_bytes() == (tmp_path / "second.whl").read_bytes()


def test_what_was_added_can_be_taken_out_again(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"demo/": b"", 'demo/käse,"a".py': b"x"})
    before = contents(wheel)

    rewrite(wheel, tmp_path / NEW, {ADDED: b"{}\n"})
    rewrite(tmp_path / NEW, tmp_path / "again" / NEW, {}, {ADDED})

    assert contents(tmp_path / "again" / NEW) == before


def test_the_place_of_records_own_row_stays(tmp_path: Path) -> None:
    files = files_of_wheel()
    rows = files[RECORD].splitlines(keepends=True)
    files[RECORD] = b"".join([rows[-1], *rows[:-1]])
    wheel = tmp_path / wheel_maker.NAME
    wheel.write_bytes(pack(files))

    rewrite(wheel, tmp_path / NEW, {ADDED: b"{}\n"})
    rewrite(tmp_path / NEW, tmp_path / "again" / NEW, {}, {ADDED})

    assert contents(tmp_path / "again" / NEW) == files


def test_a_wheel_can_take_its_own_place(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"demo/lib.so": LARGE})

    rewrite(wheel, wheel, {ADDED: b"{}\n"})

    assert contents(wheel)["demo/lib.so"] == LARGE
    assert os.listdir(tmp_path) == [wheel.name]


def test_permissions_and_dates_stay(tmp_path: Path) -> None:
    rewrite(make_wheel(tmp_path), tmp_path / NEW, {ADDED: b"{}\n"})

    with zipfile.ZipFile(tmp_path / NEW) as archive:
        facts = {(info.external_attr >> 16, info.date_time) for info in archive.infolist()}
    assert facts == {(0o100755, (2024, 5, 6, 7, 8, 10))}


def test_line_ends_of_record_stay(tmp_path: Path) -> None:
    files = files_of_wheel()
    del files[f"{DIST_INFO}/RECORD"]
    files[f"{DIST_INFO}/RECORD"] = wheel_maker.record_of(files, "\r\n")
    wheel = tmp_path / wheel_maker.NAME
    wheel.write_bytes(pack(files))

    rewrite(wheel, wheel, {ADDED: b"{}\n"})

    record = contents(wheel)[f"{DIST_INFO}/RECORD"]
    assert record.count(b"\r\n") == record.count(b"\n") == 5


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)

    with pytest.raises(InvalidValueError, match=r"no 'demo/absent\.py' to remove"):
        rewrite(wheel, tmp_path / NEW, {}, {"demo/absent.py"})

    assert os.listdir(tmp_path) == [wheel.name]


def test_record_itself_cannot_be_replaced(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="follows from the other members"):
        rewrite(make_wheel(tmp_path), tmp_path / NEW, {f"{DIST_INFO}/RECORD": b""})


def test_a_signature_has_to_be_given_up_by_name(tmp_path: Path) -> None:
    signature = f"{DIST_INFO}/RECORD.jws"
    wheel = make_wheel(tmp_path, {signature: b"{}"})

    with pytest.raises(InvalidValueError, match=r"RECORD.jws signs RECORD"):
        rewrite(wheel, tmp_path / NEW, {ADDED: b"{}"})
    rewrite(wheel, tmp_path / NEW, {ADDED: b"{}"}, [signature])

    assert signature not in contents(tmp_path / NEW)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({RECORD: b"demo/__init__.py,,\n"}, "does not list", id="incomplete"),
        pytest.param(
            {RECORD: files_of_wheel()[RECORD] + b"gone.py,,\n"},
            "'gone.py', which is not",
            id="stale",
        ),
        pytest.param(
            {"demo/__init__.py": b"changed"}, "has 7 bytes, not '480'", id="size-of-another-file"
        ),
        pytest.param({RECORD: b"a,b\n"}, "expected a path, a hash and a size", id="columns"),
        pytest.param({RECORD: b"\xff,,\n"}, "expected CSV in UTF-8", id="not-utf-8"),
        pytest.param({RECORD: b"a,,\na,,\n"}, "listed twice", id="twice"),
    ],
)
def test_a_record_that_is_wrong_is_refused(
    tmp_path: Path, change: dict[str, bytes], message: str
) -> None:
    wheel = tmp_path / wheel_maker.NAME
    wheel.write_bytes(pack(files_of_wheel() | change))

    with pytest.raises(DamagedFileError, match=message):
        rewrite(wheel, tmp_path / NEW, {})


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "C:/x", "a/../../x", "a//b", "a\\b", "./a", "a\x07b", "x" * 5000],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    wheel = make_wheel(tmp_path, {name: b""})

    with pytest.raises(DamagedFileError, match=r"a (path|name|absolute)|an absolute path"):
        check(wheel)


PLAIN = pack({"demo/a.py": b"text " * 50, "demo/b.py": b"2"})
STORED = pack({"demo/a.py": b"text " * 50, "demo/b.py": b"2"}, zipfile.ZIP_STORED)


def two_of_a_name() -> bytes:
    return pack({"demo/a.py": b"1", "demo/b.py": b"2"}).replace(b"demo/b.py", b"demo/a.py")


def with_gap() -> bytes:
    """Hide a member: it stays in the file, but the directory does not mention it."""
    data = pack({"a": b"1", "b": b"2", "c": b"3"})
    start = int.from_bytes(data[-6:-2], "little")
    entries = data[start:-22].split(zr.CENTRAL_MAGIC)[1:]
    directory = b"".join(zr.CENTRAL_MAGIC + one for one in (entries[0], entries[2]))
    return data[:start] + directory + zr.pack_end(start, len(directory), 2)


def central(data: bytes, offset: int, form: str, value: int) -> bytes:
    """Change a field of the first member's record in the directory."""
    at = data.index(zr.CENTRAL_MAGIC) + offset
    return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]


def with_extra(extra: bytes, flags: int = 0, name: bytes = b"demo/a.py") -> bytes:
    """An archive of one empty member with this extra field in its local header."""
    entry = zr.Entry(name, zr.STORED, flags, 0, 0, 0, local_extra=extra)
    local = zr.pack_local(entry)
    directory = zr.pack_central(entry, 0)
    return local + directory + zr.pack_end(len(local), len(directory), 1)


def flagged(data: bytes) -> bytes:
    """Announce a descriptor behind the first member in both of its headers."""
    at = data.index(zr.CENTRAL_MAGIC) + 8
    return data[:6] + b"\x08" + data[7:at] + b"\x08" + data[at + 1 :]


def with_count(count: int) -> bytes:
    """An archive whose end record counts other than its directory does."""
    start = int.from_bytes(PLAIN[-6:-2], "little")
    size = len(PLAIN) - 22 - start
    return PLAIN[:-22] + zr.pack_end(start, size, count)


def with_wide_end(data: bytes, lie: int = 0) -> bytes:
    """The same archive with the end records for large ones."""
    start = int.from_bytes(data[-6:-2], "little")
    size, count = len(data) - 22 - start, int.from_bytes(data[-12:-10], "little")
    end64 = zr.END64.pack(zr.END64_MAGIC, 44, 45, 45, 0, lie, count, count, size, start)
    return data[:-22] + end64 + zr.LOCATOR.pack(zr.LOCATOR_MAGIC, 0, start + size, 1) + data[-22:]


def test_end_records_for_large_archives_are_read() -> None:
    entries = read_entries(BytesSource("x.whl", with_wide_end(PLAIN)))

    assert [entry.name for entry in entries] == ["demo/a.py", "demo/b.py"]


@pytest.mark.parametrize(
    ("flip", "message"),
    [
        pytest.param(lambda data: data[:1] + b"\xff" + data[2:], "deflate|checksum", id="stream"),
        pytest.param(lambda data: data[:-1] + b"\xff", "checksum|deflate|end|inflates", id="end"),
    ],
)
def test_a_record_that_cannot_be_unpacked_is_refused(
    tmp_path: Path, flip: Callable[[bytes], bytes], message: str
) -> None:
    wheel = make_wheel(tmp_path)
    data, packed = wheel.read_bytes(), compressed(wheel)[RECORD]
    wheel.write_bytes(data.replace(packed, flip(packed)))

    with pytest.raises(DamagedFileError, match=message):
        check(wheel)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(with_extra(b"\x01\x00\xff\xff"), "longer than the place", id="extra-length"),
        pytest.param(with_extra(b"\x01\x00\x00\x00" * 2), "stated twice", id="two-sizes-fields"),
        pytest.param(
            with_extra(struct.pack("<HHBI", 0x7075, 10, 1, 0) + b"other"), "second name", id="name"
        ),
        pytest.param(with_extra(b"", zr.UTF8, b"\xff"), "is not UTF-8", id="not-utf-8"),
        pytest.param(flagged(with_extra(b"")), "not its descriptor", id="no-descriptor"),
        pytest.param(with_count(1), "members take", id="count-too-low"),
        pytest.param(with_count(3), "ends early", id="count-too-high"),
        pytest.param(with_wide_end(PLAIN, 1), "behind the directory", id="disk-of-the-end"),
        pytest.param(b"", "no end-of-archive record", id="empty"),
        pytest.param(PLAIN[:-30], "no end-of-archive record", id="cut-short"),
        pytest.param(PLAIN + b"\0", "behind the directory", id="appended"),
        pytest.param(PLAIN[:-2] + b"\x02\x00hi", "no comment", id="comment"),
        pytest.param(PLAIN[:-10] + b"\0" * 10, "behind the directory", id="directory-at-0"),
        pytest.param(two_of_a_name(), "two members have the name", id="repeated-name"),
        pytest.param(with_gap(), "hidden bytes", id="hidden-member"),
        pytest.param(central(PLAIN, 16, "<I", 1), "contradict", id="checksum"),
        pytest.param(central(PLAIN, 24, "<I", 251), "contradict", id="size"),
        pytest.param(central(PLAIN, 24, "<I", 2**31), "cannot inflate to", id="absurd-size"),
        pytest.param(central(STORED, 24, "<I", 9), "two sizes", id="stored-with-two-sizes"),
        pytest.param(central(PLAIN, 10, "<H", 14), "expected stored or deflated", id="lzma"),
        pytest.param(central(PLAIN, 8, "<H", 1), "not encrypted", id="encrypted"),
        pytest.param(central(PLAIN, 42, "<I", 3), "before the first member", id="moved"),
        pytest.param(central(PLAIN, 28, "<H", 999), "ends", id="name-beyond-the-directory"),
        pytest.param(central(PLAIN, 34, "<H", 3), "second disk", id="disk"),
        pytest.param(PLAIN.replace(b"demo/a.py", b"demo/c.py", 1), "contradict", id="other-name"),
    ],
)
def test_an_archive_that_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "hostile.whl"
    path.write_bytes(data)

    with pytest.raises(DamagedFileError, match=message):
        read_entries(BytesSource(path.name, path.read_bytes()))


@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255))
def test_any_flipped_byte_gives_a_clear_error_or_the_same_names(at: int, value: int) -> None:
    damaged = PLAIN[:at] + bytes([value]) + PLAIN[at + 1 :]
    try:
        outcome = [entry.name for entry in read_entries(BytesSource("x.whl", damaged))]
    except DamagedFileError as error:
        outcome = [str(error)[:6]]

    assert outcome in (["demo/a.py", "demo/b.py"], ["x.whl:"])


large_numbers = st.integers(0, 2**63) | st.integers(2**32 - 3, 2**32 + 3)


@given(packed=large_numbers, size=large_numbers, at=large_numbers)
def test_headers_of_any_size_are_read_back(packed: int, size: int, at: int) -> None:
    entry = zr.Entry(b"demo/a.so", zr.DEFLATED, 0, 7, packed, size)

    again, length = zr.parse_central(zr.pack_central(entry, at), 0)
    local = zr.pack_local(entry)
    fields = zr.LOCAL.unpack_from(local)
    _, wide = zr.split_extra(local[zr.LOCAL.size + fields[9] :])

    assert length == len(zr.pack_central(entry, at))
    assert (again.packed, again.size, again.header_at) == (packed, size, at)
    assert zr.unmask(wide, (fields[8], fields[7])) == [size, packed]


@pytest.mark.parametrize("count", [65534, 65535])
def test_archives_of_many_members_keep_their_form(tmp_path: Path, count: int) -> None:
    path = tmp_path / "many.zip"
    body, directory = bytearray(), bytearray()
    for number in range(count):
        entry = zr.Entry(b"%d" % number, zr.STORED, 0, 0, 0, 0)
        directory += zr.pack_central(entry, len(body))
        body += zr.pack_local(entry)
    path.write_bytes(body + directory + zr.pack_end(len(body), len(directory), count))

    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == count
    assert len(read_entries(BytesSource(path.name, path.read_bytes()))) == count
