from __future__ import annotations

from pathlib import Path

import pytest

from nvidia_variant_provider.binaries import cubin
from nvidia_variant_provider.binaries.cubin import CubinHeader
from nvidia_variant_provider.model import CudaVersion
from tests.binaries import packing

DATA = Path(__file__).parent.parent / "data" / "binaries"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(packing.cubin(86), CubinHeader(86, "", CudaVersion(12, 4)), id="old"),
        pytest.param(
            packing.cubin(90, specific=True), CubinHeader(90, "a", CudaVersion(12, 4)), id="old-a"
        ),
        pytest.param(
            packing.cubin(60, specific=True, toolkit=90),
            CubinHeader(60, "", CudaVersion(9, 0)),
            id="bit-of-cuda-9-means-something-else",
        ),
        pytest.param(packing.cubin(121, new=True), CubinHeader(121, None, None), id="new"),
        pytest.param(
            packing.cubin(100, new=True, specific=True), CubinHeader(100, "a", None), id="new-a"
        ),
    ],
)
def test_header(data: bytes, expected: CubinHeader) -> None:
    assert cubin.parse_header(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(packing.cubin(80)[:63], id="cut-off"),
        pytest.param(packing.shared_object(b""), id="shared-object"),
        pytest.param(packing.cubin(80)[:7] + b"\x00" + packing.cubin(80)[8:], id="layout"),
    ],
)
def test_what_is_no_cubin(data: bytes) -> None:
    assert cubin.parse_header(data) is None


def test_kernels_are_sections_of_code() -> None:
    assert cubin.has_kernels(packing.cubin(80)) is True
    assert cubin.has_kernels(packing.cubin(80, kernel=False)) is False


def test_a_table_outside_the_file_tells_nothing() -> None:
    assert cubin.has_kernels(packing.cubin(80)[:100]) is None
    assert cubin.has_kernels(bytes(64)) is False


@pytest.mark.parametrize(("name", "suffix"), [("sm90a.cubin", "a"), ("sm100f.cubin", None)])
def test_the_attributes_tell_one_suffix(name: str, suffix: str | None) -> None:
    assert cubin.compat_suffix((DATA / name).read_bytes()) == suffix


def test_a_cubin_without_attributes_tells_no_suffix() -> None:
    assert cubin.compat_suffix(packing.cubin(90, specific=True)) is None


def test_the_compilers_note() -> None:
    text = b"Cuda compilation tools, release 13.0, V13.0.88\0-O 3 -arch sm_100f \0"
    note = b"\xd0\x07\0\0NVIDIA Corp\0" + text

    assert cubin.find_tool_note(bytes(40) + note) == cubin.ToolNote(CudaVersion(13, 0), "f")


def test_no_note_and_half_a_note() -> None:
    assert cubin.find_tool_note(bytes(100)) is None
    assert cubin.find_tool_note(b"\xd0\x07\0\0NVIDIA Corp\0abc") is None
    assert cubin.find_tool_note(b"\xd0\x07\0\0NVIDIA Corp\0" + bytes(50)) == cubin.ToolNote(
        None, None
    )
