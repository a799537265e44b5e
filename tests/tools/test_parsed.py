"""TOML of any kind is read or refused in time that grows with its size."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.tools.parsed import parse_toml


def key(parts: int, part: str = "a", dot: str = ".") -> str:
    return dot.join([part] * parts)


@pytest.mark.parametrize("part", ["a", "a-1_b", '"a b"', "'a'"])
@pytest.mark.parametrize("dot", [".", " . "])
@pytest.mark.parametrize("form", ["{} = 1", "[{}]", "[[{}]]", "x = {{{} = 1}}"])
def test_a_key_of_more_than_two_hundred_parts_is_refused(part: str, dot: str, form: str) -> None:
    assert parse_toml(form.format(key(200, part, dot)).encode())
    with pytest.raises(ValueError, match="a key of more than 200 parts"):
        parse_toml(form.format(key(201, part, dot)).encode())


@pytest.mark.parametrize(
    "text",
    ["1.2.3", "https://files.example/a.b/c.d.whl", "..." * 500, "a. b. " * 50, "a" * 500_000],
)
def test_a_text_is_no_key(text: str) -> None:
    assert parse_toml(f"x = '{text}'\ny = [\"{text}\", '{text}']\n".encode()) == {
        "x": text,
        "y": [text, text],
    }
