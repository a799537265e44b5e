"""``targets``: the list, its filter, one target."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from nvidia_variant_provider.targets.devices import products
from nvidia_variant_provider.tools.cli.main import main

SCHEMA = Path(__file__).parents[3] / "schemas" / "targets.schema.json"


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["targets", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def first_words(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines()[1:]]


def test_the_list_is_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = output_of(capsys)

    assert (code, err) == (0, "")
    assert first_words(out) == [device.name for device in products()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["hopper", "aarch64"], ["gh200", "h200", "h100"]),
        (["GB110"], ["gb300", "b300"]),
        (["vr200"], ["vera-rubin"]),
        (["jetpack"], ["jetson-thor", "jetson-orin", "jetson-xavier"]),
    ],
    ids=str,
)
def test_words_narrow_the_list(
    words: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert first_words(output_of(capsys, *words)[1]) == expected


def test_chips_are_listed_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert first_words(output_of(capsys, "--chips", "hopper")[1]) == ["gh100"]


def test_no_match_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert output_of(capsys, "itanium") == (1, "", "warning: no row contains 'itanium'\n")


@pytest.mark.parametrize("arguments", [[], ["blackwell"], ["show", "a10+orin@570"]], ids=str)
def test_json_fits_its_schema(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = output_of(capsys, *arguments, "--json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))

    assert document["targets"]


def test_show_says_what_is_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = output_of(capsys, "show", "gb300")

    assert "compute capability  10.3" in out
    assert "R580 (CUDA 13.0) is assumed" in out


def test_show_takes_a_capability_without_a_known_driver(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "JetPack not known" in output_of(capsys, "show", "sm_88")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show"], "expected one target"),
        (["show", "h100", "h200"], "expected one target"),
        (["show", "gtx-1080-ti@610"], "R580 is the last driver branch"),
        (["show", "h1000"], "did you mean h100"),
    ],
    ids=str,
)
def test_misuse_is_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = output_of(capsys, *arguments)

    assert code == 2
    assert words in err
