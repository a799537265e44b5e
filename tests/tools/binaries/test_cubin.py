from __future__ import annotations

from pathlib import Path

import pytest

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tools.binaries import cubin
from nvidia_variant_provider.tools.binaries.cubin import CubinHeader
from tests.tools.binaries import packing

DATA = Path(__file__).parent.parent.parent / "data" / "binaries"


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
        pytest.param(
            packing.cubin(89, specific=True, toolkit=118),
            CubinHeader(89, "", CudaVersion(11, 8)),
            id="bit-of-cuda-11-before-the-first-a",
        ),
        pytest.param(packing.cubin(80)[:64], CubinHeader(80, "", CudaVersion(12, 4)), id="head"),
        pytest.param(packing.cubin(80, toolkit=39), CubinHeader(80, "", None), id="before-cuda-4"),
        pytest.param(
            packing.cubin(80, toolkit=40), CubinHeader(80, "", CudaVersion(4, 0)), id="cuda-4"
        ),
        pytest.param(
            packing.cubin(80, toolkit=999), CubinHeader(80, "", CudaVersion(99, 9)), id="far-away"
        ),
        pytest.param(packing.cubin(80, toolkit=1000), CubinHeader(80, "", None), id="absurd"),
        pytest.param(packing.cubin(90), CubinHeader(90, "", CudaVersion(12, 4)), id="old-90"),
        pytest.param(packing.cubin(103), CubinHeader(103, "", CudaVersion(12, 4)), id="old-103"),
        pytest.param(packing.cubin(255), CubinHeader(255, "", CudaVersion(12, 4)), id="old-255"),
        pytest.param(packing.cubin(0x1234, new=True), CubinHeader(0x1234, None, None), id="wide"),
        pytest.param(
            packing.cubin(90, new=True)[:0x30] + b"\x03" + packing.cubin(90, new=True)[0x31:],
            CubinHeader(90, None, None),
            id="another-flag",
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


def test_sections_are_named_in_their_order() -> None:
    data = packing.cubin_of((b".text.one", b""), (b".nv.info", b"abc"))

    assert cubin.section_names(data) == (b"", b".shstrtab", b".text.one", b".nv.info")
    assert cubin.section_names(data + b"trailing") == cubin.section_names(data)
    assert cubin.section_names(data[:-1]) is None


def test_a_last_name_without_an_end_is_taken_as_it_is() -> None:
    names = cubin.section_names(packing.cubin_of((b".text.cut", b""), unterminated=True))

    assert names == (b"", b".shstrtab", b".text.cut")


@pytest.mark.parametrize(
    ("count", "index", "names"),
    [(0, 0, ()), (3, 3, None), (3, 9, None), (3, 0x101, None), (0x103, 1, None)],
)
def test_a_table_without_its_names_tells_nothing(
    count: int, index: int, names: tuple[bytes, ...] | None
) -> None:
    data = bytearray(packing.cubin_of((b".text.k", b"")))
    data[0x3C:0x40] = count.to_bytes(2, "little") + index.to_bytes(2, "little")

    assert cubin.section_names(bytes(data)) == names


def test_a_table_or_a_name_far_outside_tells_nothing() -> None:
    good = packing.cubin_of((b".text.k", b""))
    table = bytearray(good)
    table[0x2F] = 1
    name = bytearray(good)
    name[len(good) - 64 + 3] = 1

    assert cubin.section_names(bytes(table)) is None
    assert cubin.section_names(bytes(name)) == (b"", b".shstrtab", b"")


def test_names_need_not_start_with_an_empty_one() -> None:
    data = bytearray(packing.cubin_of((b".text.k", b"")))
    data[64:65] = b"x"

    assert cubin.section_names(bytes(data)) == (b"x.shstrtab", b".shstrtab", b".text.k")


SPECIFIC = b"\x02\x09\x01\x00"


@pytest.mark.parametrize(
    ("attributes", "suffix"),
    [
        pytest.param(SPECIFIC, "a", id="alone"),
        pytest.param(b"\x02\x09\x00\x00", None, id="said-to-be-0"),
        pytest.param(b"\x02\x09\x01\x01", None, id="said-to-be-257"),
        pytest.param(b"\x02\x05\x01\x00" + SPECIFIC, "a", id="behind-another"),
        pytest.param(b"\x03\x05\x06\x00" + SPECIFIC, "a", id="behind-a-value-that-is-no-length"),
        pytest.param(b"\x05\x05\x06\x00" + SPECIFIC, "a", id="behind-an-unknown-form"),
        pytest.param(b"\x04\x05\x06\x00sixxxx" + SPECIFIC, "a", id="behind-a-sized-one"),
        pytest.param(b"\x04\x05\x04\x00" + SPECIFIC, None, id="inside-a-sized-one"),
        pytest.param(b"\x04\x05\xff\xff", None, id="a-length-beyond-the-end"),
        pytest.param(SPECIFIC[:3], None, id="cut-off"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_attribute_9_says_whether_the_target_is_specific(
    attributes: bytes, suffix: str | None
) -> None:
    data = packing.cubin_of(
        (b".text.k", b"code"), (b".nv.compat", attributes), (b".nv.info", SPECIFIC)
    )

    assert cubin.compat_suffix(data) == suffix


def test_kernels_are_sections_of_code() -> None:
    assert cubin.has_kernels(packing.cubin(80)) is True
    assert cubin.has_kernels(packing.cubin(80, kernel=False)) is False


@pytest.mark.parametrize("kernel", [True, False])
def test_the_beginning_tells_whether_there_are_functions(kernel: bool) -> None:  # noqa: FBT001
    assert cubin.has_kernels(packing.cubin(80, kernel=kernel)[:100]) is kernel


def test_a_file_cut_off_among_the_names_tells_nothing() -> None:
    assert cubin.has_kernels(packing.cubin(80)[:80]) is None
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


TOOL_NOTE = b"\xd0\x07\0\0NVIDIA Corp\0"


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (b"-arch=sm_90a -m 64", cubin.ToolNote(None, "a")),
        (b"-arch compute_103f -m 64", cubin.ToolNote(None, "f")),
        (b"-arch sm_90 -m 64 -maxrregcount 9", cubin.ToolNote(None, "")),
        (b"-arch sm_90b and nothing else", cubin.ToolNote(None, None)),
        (b"-arch sm_9 and nothing further", cubin.ToolNote(None, None)),
        (
            b"Cuda compilation tools, release 100.200",
            cubin.ToolNote(CudaVersion(100, 200), None),
        ),
    ],
)
def test_targets_and_releases_in_the_compilers_note(line: bytes, note: cubin.ToolNote) -> None:
    assert cubin.find_tool_note(TOOL_NOTE + line.ljust(24, b"\0")) == note


def test_a_note_counts_from_24_bytes_on() -> None:
    assert cubin.find_tool_note(TOOL_NOTE + bytes(23)) is None
    assert cubin.find_tool_note(TOOL_NOTE + bytes(24)) == cubin.ToolNote(None, None)


def test_what_stands_far_behind_a_note_is_not_of_it() -> None:
    far = TOOL_NOTE + bytes(5000) + b"Cuda compilation tools, release 13.0"

    assert cubin.find_tool_note(far) == cubin.ToolNote(None, None)


def test_no_note_and_half_a_note() -> None:
    assert cubin.find_tool_note(bytes(100)) is None
    assert cubin.find_tool_note(b"\xd0\x07\0\0NVIDIA Corp\0abc") is None
    assert cubin.find_tool_note(b"\xd0\x07\0\0NVIDIA Corp\0" + bytes(50)) == cubin.ToolNote(
        None, None
    )
