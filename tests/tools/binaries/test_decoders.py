from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries import lz4, zstd
from tests.tools.binaries import packing

DATA = Path(__file__).parent.parent.parent / "data" / "binaries"


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
        pytest.param(b"\x21ab\x02\x00", b"abababa", id="match-that-ends-within-a-round"),
        pytest.param(b"\x40ab", b"ab", id="cut-off"),
        pytest.param(b"\xf0", b"", id="cut-off-before-a-length"),
        pytest.param(b"\xf0\xff\xff", b"", id="cut-off-inside-a-length"),
    ],
)
def test_lz4_matches(block: bytes, expected: bytes) -> None:
    assert lz4.decode_block(block, 100) == expected


@pytest.mark.parametrize("block", [b"\x10a\x02\x00", b"\x10a\x00\x00"])
def test_an_lz4_match_before_the_start_is_damage(block: bytes) -> None:
    with pytest.raises(DamagedFileError, match="only 1 decoded"):
        lz4.decode_block(block, 100)


def test_nothing_behind_the_limit_is_decoded() -> None:
    block = b"\x40abcd\x04\x00" + b"\x10z\xff\xff"

    assert lz4.decode_block(block, 8) == b"abcdabcd"
    with pytest.raises(DamagedFileError, match="65535 bytes back, only 9 decoded"):
        lz4.decode_block(block, 9)


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


# RFC 8878, section 3.1.1.1: bytes of the content size by its flag, without and with a single
# segment, and bytes of the dictionary's number by its flag.
CONTENT_SIZE = {0: (0, 1), 1: (2, 2), 2: (4, 4), 3: (8, 8)}
DICTIONARY = {0: 0, 1: 1, 2: 2, 3: 4}


@pytest.mark.parametrize("checksum", [0, 0x04])
@pytest.mark.parametrize("single", [0, 1])
@pytest.mark.parametrize("dictionary", DICTIONARY)
@pytest.mark.parametrize("size", CONTENT_SIZE)
def test_frame_headers_of_every_layout(
    size: int, dictionary: int, single: int, checksum: int
) -> None:
    descriptor = size << 6 | single << 5 | checksum | dictionary
    window = b"" if single else b"\x00"
    fields = b"\xee" * (DICTIONARY[dictionary] + CONTENT_SIZE[size][single])
    frame = zstd.MAGIC + bytes([descriptor]) + window + fields + b"\x29\x00\x00hello"

    assert zstd.decode_start(frame, 100) == b"hello"


def test_a_long_frame_ends_at_the_limit() -> None:
    run = (1 | 1 << 1 | 100_000 << 3).to_bytes(3, "little") + b"a"
    frame = zstd.MAGIC + b"\x00\x00" + run

    for limit in (0, 1, 20_000, 99_999, 100_000, 100_001):
        assert zstd.decode_start(frame, limit) == b"a" * min(limit, 100_000)


def test_a_match_may_reach_back_as_far_as_images_are_decoded_whole() -> None:
    noise = Random(5).randbytes((1 << 20) - 1000)  # noqa: S311 - any noise will do
    data = noise + noise[:1000]
    library = importlib.import_module("backports.zstd")
    parameter = library.CompressionParameter
    options = {parameter.compression_level: 19, parameter.window_log: 21}
    packed = library.compress(data, options=options)

    assert len(packed) < len(noise) + 200, "the end is packed as a match with the start"
    assert zstd.decode_start(packed, 1 << 20) == data


def test_a_frame_cut_off_after_its_header_decodes_to_nothing() -> None:
    assert zstd.decode_start(zstd.MAGIC + b"\x00\x00", 100) == b""


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", ""), (b"hello world", "68656c6c"), (zstd.MAGIC, "28b52ffd"), (b"\0abcdef", "00616263")],
)
def test_other_bytes_are_no_zstd_frame(data: bytes, said: str) -> None:
    with pytest.raises(DamagedFileError, match=f"not a zstd frame: starts with {said}$"):
        zstd.decode_start(data, 100)


WITHOUT_ZSTD = """
import sys
sys.modules["compression.zstd"] = sys.modules["backports.zstd"] = None
from nvidia_variant_provider.tools.binaries import zstd
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
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


@pytest.mark.parametrize("size", [5, 300, 70_000, 1 << 20])
def test_a_frame_says_what_its_decoder_holds(size: int) -> None:
    library = importlib.import_module("backports.zstd")

    # What is compressed at once is one segment, as long as its content.
    assert zstd.window_of(library.compress(bytes(size))) == size


def test_a_window_is_a_power_of_two_and_eighths_of_it() -> None:
    assert zstd.window_of(WITH_WINDOW + bytes(8)) == 1 << 10
    assert zstd.window_of(zstd.MAGIC + b"\0" + bytes([10 << 3 | 4]) + bytes(12)) == 3 << 19


def test_a_frame_that_asks_for_more_than_the_limit_is_decoded_a_little() -> None:
    huge = zstd.MAGIC + b"\xe0" + (1 << 60).to_bytes(8, "little") + b"\x29\0\0hello"

    assert b"".join(zstd.decode_pieces(huge, 32 << 20)) == b"hello"
