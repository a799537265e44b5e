from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.tools.binaries.cursor import Cursor


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def find_all(cursor: Cursor, patterns: tuple[bytes, ...]) -> list[tuple[int, bytes]]:
    hits = []
    while cursor.load():
        pattern = cursor.search(patterns)
        if pattern is not None:
            hits.append((cursor.offset, pattern))
            cursor.skip(1)
    return hits


@given(
    data=st.binary(max_size=200).map(lambda data: data.replace(b"x", b"abcd")),
    size=st.integers(1, 30),
)
def test_every_occurrence_is_found_however_the_stream_is_cut(data: bytes, size: int) -> None:
    data += b"abcd" + b"zz" + b"abcdef"
    expected = sorted(
        (at, pattern)
        for pattern in (b"abcd", b"cdef")
        for at in range(len(data))
        if data.startswith(pattern, at)
    )

    assert find_all(Cursor(cut(data, size)), (b"abcd", b"cdef")) == expected


def test_a_chunk_that_is_longer_than_the_one_before_is_searched_too() -> None:
    assert find_all(Cursor([b"abcd", b"efzzgh"]), (b"zz",)) == [(6, b"zz")]
    assert find_all(Cursor([b"z", b"az"]), (b"z",)) == [(0, b"z"), (2, b"z")]


def test_no_more_of_the_stream_is_taken_than_what_is_asked_for() -> None:
    chunks = iter([b"abc", b"def", b"ghi"])
    cursor = Cursor(chunks)

    assert cursor.peek(3) == b"abc"
    assert cursor.skip(3) == 3
    assert cursor.ahead == (3, 3)
    assert next(chunks) == b"def"


def test_what_is_ahead_reaches_to_the_end_of_the_chunk() -> None:
    cursor = Cursor([b"abc", b"def"])
    cursor.skip(2)
    cursor.peek(2)

    assert cursor.ahead == (2, 6)


@given(data=st.binary(min_size=1, max_size=100), size=st.integers(1, 20), lengths=st.data())
def test_peeking_and_skipping_keep_the_place(
    data: bytes, size: int, lengths: st.DataObject
) -> None:
    cursor, at = Cursor(cut(data, size)), 0
    while at < len(data):
        step = lengths.draw(st.integers(1, 25))

        assert cursor.peek(step) == data[at : at + step]
        assert cursor.skip(step) == min(step, len(data) - at)

        at = min(at + step, len(data))
        assert cursor.offset == at


def test_a_skip_far_beyond_the_end_stops_there() -> None:
    cursor = Cursor([b"abc", b"def"])

    assert cursor.skip(1 << 62) == 6
    assert not cursor.load()
    assert cursor.peek(1) == b""


def test_of_two_patterns_that_overlap_the_first_is_met_first() -> None:
    assert find_all(Cursor([b"..abc.."]), (b"ab", b"bc")) == [(2, b"ab"), (3, b"bc")]


def test_what_was_seen_behind_a_nearer_place_waits_for_its_turn() -> None:
    cursor = Cursor([b"0a2a4b6"])
    seen = []
    # The second time the pattern that is known to lie behind is asked for last.
    for patterns in ((b"b", b"a"), (b"a", b"b"), (b"a", b"b")):
        assert cursor.load()
        seen.append((cursor.search(patterns), cursor.offset))
        cursor.skip(1)

    assert seen == [(b"a", 1), (b"a", 3), (b"b", 5)]


def test_what_is_passed_unseen_is_not_met_later() -> None:
    cursor = Cursor([b"a.b.b.a.b"])
    seen = []
    for length in (5, 1, 1):
        assert cursor.load()
        seen.append((cursor.search((b"a", b"b")), cursor.offset))
        cursor.skip(length)

    assert seen == [(b"a", 0), (b"a", 6), (b"b", 8)]
