"""Damage to texts: what a hostile or broken driver, disk or user could make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

# What parsers stumble over: separators, ends of numbers, other digits, broken escapes, surrogates.
TOKENS: Final = (
    "\0", "\n", "\r", "\t", "\x1b[31m", "\x85", "\u2028", "\ufeff", "\ufffd", "\ud800", "\\", "\\x",
    "\\ud800", "\\U0011ffff", "\\q", "\\N{DIGIT ONE}", "%s", "{}", ",", ";", ":", "..", "/",
    "../../..",
    "-1", "-0", "0", "00", "1_0", "+1", " 1", "1e9", "nan", "٣", "²", "0x", "0X1", "99.99",
    "1000.0",
    "2147483648", "4294967295", "18446744073709551616", "9" * 5000, "A" * 3000, " " * 2000,
    "[N/A]", "[Unknown Error]", "GPU-", "Module ", "true", "null", "[[[[", "end", "gpu\t0\t0",
)  # fmt: skip


def mutate(random: Random, text: str, others: list[str]) -> str:
    """Return the text with one to four kinds of damage."""
    for _ in range(random.choice((1, 1, 2, 4))):
        text = random.choice(_WAYS)(random, text, others)
    return text[:20000]


def _cut(random: Random, text: str, _: list[str]) -> str:
    start, end = _span(random, text)
    return text[:start] + text[end:]


def _truncate(random: Random, text: str, _: list[str]) -> str:
    return text[: random.randrange(len(text) + 1)]


def _double(random: Random, text: str, _: list[str]) -> str:
    start, end = _span(random, text)
    return text[:end] + text[start:end] * random.choice((1, 2, 50)) + text[end:]


def _insert(random: Random, text: str, _: list[str]) -> str:
    start, _end = _span(random, text)
    return text[:start] + random.choice(TOKENS) + text[start:]


def _replace(random: Random, text: str, _: list[str]) -> str:
    start, end = _span(random, text)
    return text[:start] + random.choice(TOKENS) + text[end:]


def _flip(random: Random, text: str, _: list[str]) -> str:
    if not text:
        return text
    at = random.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ (1 << random.randrange(8))) + text[at + 1 :]


def _shuffle_lines(random: Random, text: str, _: list[str]) -> str:
    lines = text.split("\n")
    random.shuffle(lines)
    return "\n".join(lines)


def _splice(random: Random, text: str, others: list[str]) -> str:
    other = random.choice(others)
    return text[: _span(random, text)[0]] + other[_span(random, other)[0] :]


def _noise(random: Random, text: str, _: list[str]) -> str:
    return bytes(random.randrange(256) for _ in range(len(text) % 97)).decode("utf-8", "replace")


def _span(random: Random, text: str) -> tuple[int, int]:
    start = random.randrange(len(text) + 1)
    return start, min(len(text), start + random.choice((0, 1, 2, 5, 20, 200)))


_WAYS: Final[tuple[Callable[[Random, str, list[str]], str], ...]] = (
    _cut, _truncate, _double, _insert, _insert, _replace, _replace, _flip, _shuffle_lines, _splice,
    _noise,
)  # fmt: skip
