"""Damage to bytes: sizes and offsets that lie, pieces cut out, doubled, moved and flipped."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

# What sizes and offsets are compared with, and what overflows them.
NUMBERS: Final = (
    0, 1, 2, 7, 8, 63, 64, 65, 255, 256, 4095, 4096, 65535, 65536, (1 << 24) - 1, (1 << 31) - 1,
    1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1,
)  # fmt: skip
_MOST: Final = 1 << 18


def mutate_bytes(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Return the bytes with one to six kinds of damage, 256 KB at most."""
    for _ in range(random.choice((1, 1, 2, 4, 6))):
        data = random.choice(_WAYS)(random, data, others)
    return data[:_MOST]


def _number(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Write a number where one may stand: formats align their fields."""
    form = random.choice(("<B", "<H", "<I", "<I", "<Q", "<Q"))
    size = struct.calcsize(form)
    at = random.randrange(max(len(data) - size, 1)) // min(size, 4) * min(size, 4)
    value = random.choice(NUMBERS) & ((1 << 8 * size) - 1)
    return data[:at] + struct.pack(form, value) + data[at + size :]


def _flip(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _cut(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[end:]


def _truncate(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _double(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:end] + data[start:end] * random.choice((1, 2, 30)) + data[end:]


def _splice(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = random.choice(others)
    return data[: _span(random, data)[0]] + other[_span(random, other)[0] :]


def _zeros(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:start] + bytes(end - start) + data[end:]


def _span(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((0, 1, 4, 8, 64, 600)))


_WAYS: Final[tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...]] = (
    _number, _number, _number, _flip, _flip, _cut, _truncate, _double, _splice, _zeros,
)  # fmt: skip
