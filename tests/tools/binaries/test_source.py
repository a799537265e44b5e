from __future__ import annotations

import random
import zlib
from itertools import pairwise, product
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.wheels.source import (
    CHECKPOINTS,
    STEP,
    BytesSource,
    Checksum,
    InflatedSource,
    OpenFile,
    PartSource,
    Source,
)
from tests.tools.binaries import packing
from tests.wheel_maker import Reopened

if TYPE_CHECKING:
    from pathlib import Path

NOISE = random.Random(1).randbytes(3 << 20)  # noqa: S311 - any noise will do
CONTENT = NOISE + bytes(5 << 20) + NOISE[: 1 << 20] + b"ab" * (2 << 20)


def write(folder: Path, data: bytes, *, size: int | None = None, level: int = 6) -> InflatedSource:
    packed = packing.deflated(data, level)
    path = folder / "packed"
    path.write_bytes(b"head" + packed)
    return InflatedSource(
        Reopened(path), "member", 4, len(packed), len(data) if size is None else size
    )


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
        PartSource(Reopened(plain), "file", 4, len(CONTENT)),
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
    source = write(tmp_path, NOISE * 20, level=0)
    most = 0
    for _ in source.chunks():
        most = max(most, len(source._checkpoints))  # noqa: SLF001 - the bound

    assert most == CHECKPOINTS
    places = [state.out for state in source._checkpoints]  # noqa: SLF001 - the bound
    assert len(places) >= CHECKPOINTS // 2
    assert max(after - before for before, after in pairwise([*places, 60 << 20])) <= 2 << 20
    assert source.read_at(59 << 20, 100) == (NOISE * 20)[59 << 20 : (59 << 20) + 100]


def test_an_open_file_is_read_at_any_place_and_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(b"head" + NOISE)
    with OpenFile(path, "file") as whole:
        assert (whole.name, whole.size) == ("file", len(NOISE) + 4)
        assert b"".join(whole.chunks()) == b"head" + NOISE
        assert max(map(len, whole.chunks())) == STEP
        assert (whole.read_at(4, 10), whole.read_at(-1, 10)) == (NOISE[:10], b"")


def test_places_and_sizes_of_64_bits_are_read_as_from_memory(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(NOISE[:100])
    numbers = (-1, 0, 1, 99, 100, 101, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
    with OpenFile(path) as whole:
        memory = BytesSource("plain", NOISE[:100])
        for one, other in (
            (whole, memory),
            (PartSource(whole, "a", 3, 50), PartSource(memory, "a", 3, 50)),
        ):
            for at, length in product(numbers, numbers):
                assert one.read_at(at, length) == other.read_at(at, max(length, 0)), (at, length)


@pytest.mark.parametrize("packed", [False, True], ids=["stored", "deflated"])
def test_the_checksum_of_what_was_read_to_its_end_is_checked(packed: bool) -> None:  # noqa: FBT001
    data = packing.deflated(CONTENT) if packed else CONTENT
    whole = BytesSource("w.whl", data)
    right, wrong = Checksum(zlib.crc32(CONTENT)), Checksum(1)

    def member(checksum: Checksum) -> Source:
        if packed:
            return InflatedSource(whole, "a.so", 0, len(data), len(CONTENT), checksum)
        return PartSource(whole, "a.so", 0, len(data), checksum)

    pieces = member(right).chunks()
    seen = len(next(pieces))
    before = right.is_confirmed
    seen += sum(map(len, pieces))

    assert (before, seen, right.is_confirmed) == (False, len(CONTENT), True)
    with pytest.raises(DamagedFileError, match=r"a\.so: damaged: its checksum is .* 00000001"):
        list(member(wrong).chunks())
    assert not wrong.is_confirmed


def test_pieces_of_bytes_have_the_chosen_step() -> None:
    assert list(BytesSource("bytes", b"abcdefgh", 3).chunks()) == [b"abc", b"def", b"gh"]
    assert BytesSource("bytes", b"abc").read_at(0, 2) == b"ab"
    assert BytesSource("bytes", b"abc").read_at(-1, 10) == b""


def test_the_place_asked_for_last_is_at_hand(tmp_path: Path) -> None:
    source = write(tmp_path, CONTENT)
    first, second = 100_000, 2_000_000
    assert source.read_at(first, 10) == CONTENT[first : first + 10]
    assert source.read_at(second, 10) == CONTENT[second : second + 10]
    (tmp_path / "packed").unlink()

    assert source.read_at(second + 20, 1000) == CONTENT[second + 20 : second + 1020]
    for place in (first, second - 1, second + (1 << 16)):
        with pytest.raises(FileNotFoundError):
            source.read_at(place, 10)


def test_a_long_answer_is_not_kept(tmp_path: Path) -> None:
    source = write(tmp_path, CONTENT)
    assert source.read_at(0, 1 << 20) == CONTENT[: 1 << 20]
    (tmp_path / "packed").unlink()

    with pytest.raises(FileNotFoundError):
        source.read_at(0, 10)


def test_what_was_announced_stays_beside_the_place_asked_for_last(tmp_path: Path) -> None:
    source = write(tmp_path, CONTENT)
    source.keep(10, 1000)
    assert sum(map(len, source.chunks())) == len(CONTENT)
    assert source.read_at(500_000, 10) == CONTENT[500_000:500_010]
    (tmp_path / "packed").unlink()

    assert source.read_at(10, 990) == CONTENT[10:1000]
    for start, length in ((9, 10), (10, 991)):
        with pytest.raises(FileNotFoundError):
            source.read_at(start, length)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        (0, 1, True), (100, 100 + (128 << 10), True), (100, 101 + (128 << 10), False),
        (-10, 10, False), (10, 10, False), (20, 10, False),
    ],
)  # fmt: skip
def test_only_ranges_of_bounded_length_are_kept(
    tmp_path: Path,
    start: int,
    end: int,
    kept: bool,  # noqa: FBT001
) -> None:
    source = write(tmp_path, CONTENT[: 1 << 20])
    source.keep(start, end)
    assert sum(map(len, source.chunks())) == 1 << 20
    (tmp_path / "packed").unlink()

    if kept:
        assert source.read_at(start, end - start) == CONTENT[start:end]
    else:
        with pytest.raises(FileNotFoundError):
            source.read_at(max(start, 0), 1)


def test_a_fifth_range_is_not_kept(tmp_path: Path) -> None:
    source = write(tmp_path, CONTENT[: 1 << 20])
    for start in range(0, 50, 10):
        source.keep(start, start + 5)
    assert sum(map(len, source.chunks())) == 1 << 20
    (tmp_path / "packed").unlink()

    assert [source.read_at(start, 5) for start in range(0, 40, 10)] == [
        CONTENT[start : start + 5] for start in range(0, 40, 10)
    ]
    with pytest.raises(FileNotFoundError):
        source.read_at(40, 5)


def test_a_stream_as_long_as_announced_is_fine_and_its_end_is_checked_when_it_is_reached(
    tmp_path: Path,
) -> None:
    short = write(tmp_path, NOISE, size=len(NOISE) + 1)
    assert short.read_at(0, 10) == NOISE[:10]
    with pytest.raises(DamagedFileError, match="inflates to 3145728 bytes, the 3145729 announced"):
        short.read_at(len(NOISE) - 10, 20)

    longer = write(tmp_path, NOISE, size=len(NOISE) - 1)
    assert longer.read_at(1 << 20, 5) == NOISE[1 << 20 : (1 << 20) + 5]


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
    pieces = write(tmp_path, bytes(20 << 20), size=1000).chunks()

    assert len(next(pieces)) == 1001
    with pytest.raises(DamagedFileError, match="member: inflates to more than the 1000 announced"):
        next(pieces)


def test_a_broken_stream_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(b"\xff" * 100)

    with pytest.raises(DamagedFileError, match="member: not a deflate stream"):
        list(InflatedSource(Reopened(path), "member", 0, 100, 1000).chunks())


def test_a_cut_off_stream_is_an_error(tmp_path: Path) -> None:
    packed = packing.deflated(NOISE)
    path = tmp_path / "short"
    path.write_bytes(packed[:-5000])

    with pytest.raises(DamagedFileError, match="the 3145728 announced"):
        list(InflatedSource(Reopened(path), "member", 0, len(packed), len(NOISE)).chunks())
