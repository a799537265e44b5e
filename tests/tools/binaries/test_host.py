"""Headers of shared objects that are damaged or lie: names go missing, nothing fails."""

from __future__ import annotations

import struct

import pytest

from nvidia_variant_provider.tools.binaries import elf, pe
from nvidia_variant_provider.tools.binaries.host import HostFile, Section
from nvidia_variant_provider.tools.wheels.source import BytesSource
from tests.tools.binaries import packing

OBJECT = packing.shared_object(b"data", needed=("libcudart.so.12",))
DLL = packing.dll(b"data", imports=("cudart64_12.dll", "KERNEL32.dll"))


def put(data: bytes, at: int, form: str, value: int) -> BytesSource:
    changed = bytearray(data)
    struct.pack_into(form, changed, at, value)
    return BytesSource("lib", bytes(changed))


def test_a_whole_object() -> None:
    host = elf.read_host(BytesSource("lib", OBJECT))

    assert (host.machine, host.needed) == ("x86_64", ("libcudart.so.12",))
    assert [section.name for section in host.sections] == [".shstrtab", ".nv_fatbin"]
    assert host.place(OBJECT.index(b"data")) == ".nv_fatbin"
    assert host.place(1 << 40) == "outside sections"


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [
        pytest.param(32, "<Q", 1 << 62, id="program-headers-outside"),
        pytest.param(54, "<H", 57, id="program-header-size"),
        pytest.param(56, "<H", 65535, id="program-header-count"),
        pytest.param(64 + 56 + 8, "<Q", 1 << 62, id="dynamic-table-outside"),
        pytest.param(64 + 16, "<Q", 1 << 62, id="strings-at-no-address"),
    ],
)
def test_an_object_with_a_broken_link_table_needs_nothing(at: int, form: str, value: int) -> None:
    host = elf.read_host(put(OBJECT, at, form, value))

    assert host.needed == ()
    assert len(host.sections) == 2


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [
        pytest.param(40, "<Q", 1 << 62, id="table-outside"),
        pytest.param(58, "<H", 63, id="row-size"),
        pytest.param(60, "<H", 65535, id="count"),
        pytest.param(62, "<H", 9, id="names-index"),
    ],
)
def test_an_object_with_a_broken_section_table_has_no_sections(
    at: int, form: str, value: int
) -> None:
    host = elf.read_host(put(OBJECT, at, form, value))

    assert host.needed == ("libcudart.so.12",)
    assert host.sections == ()


def test_an_unknown_machine_is_named_by_its_number() -> None:
    assert elf.read_host(put(OBJECT, 18, "<H", 999)).machine == "machine 999"


def test_bytes_that_are_no_object() -> None:
    nothing = BytesSource("lib", b"text")

    assert elf.read_host(nothing) == HostFile("machine 0")
    assert elf.read_quiet_ranges(nothing) == ()
    assert pe.read_host(nothing) is None


def test_a_whole_dll() -> None:
    host = pe.read_host(BytesSource("lib", DLL))

    assert host is not None
    assert (host.machine, host.needed) == ("x86_64", ("cudart64_12.dll", "KERNEL32.dll"))
    assert host.sections[1] == Section(".nv_fatb", DLL.rindex(b"data"), len(DLL))


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [
        pytest.param(0x40 + 24, "<H", 0x999, id="unknown-optional-header"),
        pytest.param(0x40 + 24 + 120, "<I", 1 << 31, id="imports-at-no-address"),
        pytest.param(0x40 + 24 + 120, "<I", 0, id="no-imports"),
        pytest.param(0x400 + 12, "<I", 1 << 31, id="name-at-no-address"),
    ],
)
def test_a_dll_with_broken_imports_needs_nothing(at: int, form: str, value: int) -> None:
    host = pe.read_host(put(DLL, at, form, value))

    assert host is not None
    assert host.needed == ()


@pytest.mark.parametrize(("at", "value"), [(0x3C, 1 << 30 | 0x40), (0x40, 0)])
def test_a_dll_without_its_signature_is_none(at: int, value: int) -> None:
    assert pe.read_host(put(DLL, at, "<I", value)) is None
