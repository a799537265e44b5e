from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.binaries.source import (
    CHECKPOINTS,
    STEP,
    BytesSource,
    FileSource,
    InflatedSource,
    Source,
)
from nvidia_variant_provider.errors import DamagedFileError
from tests.binaries import packing

if TYPE_CHECKING:
    from pathlib import Path

NOISE = random.Random(1).randbytes(3 << 20)  # noqa: S311 - any noise will do
CONTENT = NOISE + bytes(5 << 20) + NOISE[: 1 << 20] + b"ab" * (2 << 20)


def write(folder: Path, data: bytes, *, size: int | None = None) -> InflatedSource:
    packed = packing.deflated(data)
    path = folder / "packed"
    path.write_bytes(b"head" + packed)
    return InflatedSource(str(path), "member", 4, len(packed), len(data) if size is None else size)


def test_all_bytes_come_in_bounded_pieces(tmp_path: Path) -> None:
    pieces = list(write(tmp_path, CONTENT).chunks())

    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) <= STEP


def sources(folder: Path) -> list[Source]:
    plain = folder / "plain"
    plain.write_bytes(b"head" + CONTENT + b"tail")
    inflated = write(folder, CONTENT)
    fresh = write(folder, CONTENT)
    assert sum(map(len, inflated.chunks())) == len(CONTENT)
    return [
        BytesSource("bytes", CONTENT),
        FileSource(str(plain), "file", 4, len(CONTENT)),
        inflated,
        fresh,
    ]


def test_any_place_can_be_read_again(tmp_path: Path) -> None:
    numbers = random.Random(2)  # noqa: S311 - the same places each time
    for source in sources(tmp_path):
        for _ in range(40):
            at, length = numbers.randrange(len(CONTENT)), numbers.choice((1, 90, 70_000, 1 << 20))

            assert source.read_at(at, length) == CONTENT[at : at + length]


def test_nothing_lies_outside(tmp_path: Path) -> None:
    for source in sources(tmp_path):
        assert source.read_at(len(CONTENT), 10) == b""
        assert source.read_at(-1, 10) == b""
        assert source.read_at(1 << 62, 10) == b""
        assert source.read_at(len(CONTENT) - 3, 10) == CONTENT[-3:]


def test_announced_ranges_are_at_hand_once_the_stream_was_read(tmp_path: Path) -> None:
    source = write(tmp_path, CONTENT)
    ranges = [(0, 1000), (STEP - 10, STEP + 10), (len(CONTENT) - 5000, len(CONTENT) + 99)]
    for start, end in ranges:
        source.keep(start, end)
    source.keep(0, 1 << 40)
    assert b"".join(source.chunks()) == CONTENT
    (tmp_path / "packed").unlink()

    for start, end in ranges:
        assert source.read_at(start, end - start) == CONTENT[start:end]
    with pytest.raises(FileNotFoundError):
        source.read_at(5000, 10)


def test_kept_states_are_few_however_long_the_member(tmp_path: Path) -> None:
    source = write(tmp_path, NOISE * 20)
    assert sum(map(len, source.chunks())) == 60 << 20

    assert CHECKPOINTS // 2 <= len(source._checkpoints) <= CHECKPOINTS  # noqa: SLF001 - the bound


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (len(NOISE) - 1, "inflates to more than the"),
        (len(NOISE) + 1, "inflates to 3145728 bytes, the 3145729 announced"),
    ],
)
def test_a_wrong_size_is_an_error(tmp_path: Path, size: int, message: str) -> None:
    with pytest.raises(DamagedFileError, match=message):
        list(write(tmp_path, NOISE, size=size).chunks())


def test_a_bomb_is_left_once_it_exceeds_what_it_announced(tmp_path: Path) -> None:
    pieces = write(tmp_path, bytes(200 << 20), size=1000).chunks()

    assert len(next(pieces)) == 1001
    with pytest.raises(DamagedFileError, match="member: inflates to more than the 1000 announced"):
        next(pieces)


def test_a_broken_stream_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(b"\xff" * 100)

    with pytest.raises(DamagedFileError, match="member: not a deflate stream"):
        list(InflatedSource(str(path), "member", 0, 100, 1000).chunks())


def test_a_cut_off_stream_is_an_error(tmp_path: Path) -> None:
    packed = packing.deflated(NOISE)
    path = tmp_path / "short"
    path.write_bytes(packed[:-5000])

    with pytest.raises(DamagedFileError, match="the 3145728 announced"):
        list(InflatedSource(str(path), "member", 0, len(packed), len(NOISE)).chunks())
