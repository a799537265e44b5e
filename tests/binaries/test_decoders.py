from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.binaries import lz4, zstd
from nvidia_variant_provider.errors import DamagedFileError
from tests.binaries import packing

DATA = Path(__file__).parent.parent / "data" / "binaries"


@given(data=st.binary(max_size=2000), limit=st.integers(0, 2500))
def test_lz4_literals_come_out_up_to_the_limit(data: bytes, limit: int) -> None:
    assert lz4.decode_block(packing.literal_block(data), limit) == data[:limit]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param(b"\x35abc\x03\x00", b"abc" * 4, id="match-into-its-own-output"),
        pytest.param(b"\x10a\x01\x00", b"aaaaa", id="run-of-one-byte"),
        pytest.param(b"\x40abcd\x04\x00\x10z", b"abcdabcdz", id="match-then-literals"),
        pytest.param(b"\x1fa\x01\x00\x02", b"a" * 22, id="long-match"),
        pytest.param(b"\x40ab", b"ab", id="cut-off"),
    ],
)
def test_lz4_matches(block: bytes, expected: bytes) -> None:
    assert lz4.decode_block(block, 100) == expected


@pytest.mark.parametrize("block", [b"\x10a\x02\x00", b"\x10a\x00\x00"])
def test_an_lz4_match_before_the_start_is_damage(block: bytes) -> None:
    with pytest.raises(DamagedFileError, match="only 1 decoded"):
        lz4.decode_block(block, 100)


def test_an_lz4_bomb_gives_no_more_than_the_limit() -> None:
    bomb = b"\x1fa\x01\x00" + b"\xff" * 100_000 + b"\x00"

    assert lz4.decode_block(bomb, 5000) == b"a" * 5000


@given(block=st.binary(max_size=300), limit=st.integers(0, 1000))
def test_any_bytes_decode_or_are_damage(block: bytes, limit: int) -> None:
    try:
        decoded = lz4.decode_block(block, limit)
    except DamagedFileError:
        return
    assert len(decoded) <= limit


# One raw block of the five bytes "hello", once with a window and once in a single segment.
WITH_WINDOW = zstd.MAGIC + b"\x00\x00" + b"\x29\x00\x00hello"
SINGLE_SEGMENT = zstd.MAGIC + b"\x20\x05" + b"\x29\x00\x00hello"


@pytest.mark.parametrize("frame", [WITH_WINDOW, SINGLE_SEGMENT])
def test_the_start_of_a_zstd_frame(frame: bytes) -> None:
    assert zstd.is_available()
    assert zstd.decode_start(frame, 100) == b"hello"
    assert zstd.decode_start(frame, 3) == b"hel"


def test_a_zstd_frame_that_claims_a_huge_window_decodes_in_a_small_one() -> None:
    huge = zstd.MAGIC + b"\xe0" + (1 << 60).to_bytes(8, "little") + b"\x29\x00\x00hello"

    assert zstd.decode_start(huge, 100) == b"hello"


@pytest.mark.parametrize("data", [b"", b"hello world", zstd.MAGIC])
def test_other_bytes_are_no_zstd_frame(data: bytes) -> None:
    with pytest.raises(DamagedFileError, match="not a zstd frame"):
        zstd.decode_start(data, 100)


WITHOUT_ZSTD = """
import sys
sys.modules["compression.zstd"] = sys.modules["backports.zstd"] = None
from nvidia_variant_provider.binaries import zstd
from nvidia_variant_provider.binaries.inspector import inspect_path
assert not zstd.is_available()
for tally in inspect_path(sys.argv[1]).libraries[0].images:
    print(tally.image.kind.value, tally.image.number, tally.image.content.value)
"""


def test_without_a_zstd_decoder_targets_are_known_and_stubs_presumed() -> None:
    command = [sys.executable, "-c", WITHOUT_ZSTD, str(DATA / "zstd.fatbin")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert result.stdout.splitlines() == [
        "cubin 80 presumed-kernels",
        "cubin 120 presumed-kernels",
        "ptx 80 presumed-kernels",
    ]


@given(tail=st.binary(max_size=200))
def test_any_zstd_tail_decodes_or_is_damage(tail: bytes) -> None:
    try:
        decoded = zstd.decode_start(zstd.MAGIC + b"\x00\x00" + tail, 1000)
    except DamagedFileError:
        return
    assert len(decoded) <= 1000
