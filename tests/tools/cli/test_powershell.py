"""The texts for PowerShell, of which no test has a real one: their form and their content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.cli.main import COMMANDS, main
from nvidia_variant_provider.tools.cli.powershell import assignment

if TYPE_CHECKING:
    from collections.abc import Iterator


def table(script: str, name: str) -> dict[str, list[str]]:
    """Return a table of the script by key."""
    body = script.partition(f"    ${name} = @{{\n")[2].partition("\n    }\n")[0]
    return dict(rows(body))


def rows(body: str) -> Iterator[tuple[str, list[str]]]:
    for line in body.splitlines():
        match = re.fullmatch(r"        '([^']*)' = @\((.*)\)", line)

        assert match is not None
        yield match[1], re.findall(r"'([^']*)'", match[2])


@pytest.fixture
def script(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", "powershell"]) == 0
    return capsys.readouterr().out


def test_every_command_and_its_options_are_completed(script: str) -> None:
    names = table(script, "names")
    commands = [name.replace("_", "-") for name in COMMANDS]

    assert names[""] == commands
    assert list(names) == ["", *commands]
    assert {"--json", "--replay"} <= set(names["detect"])
    assert "powershell" in names["completion"]


@pytest.mark.parametrize(
    ("option", "word"),
    [
        pytest.param("explain --target", "gb300", id="targets"),
        pytest.param("properties --format", "powershell", id="choices"),
        pytest.param("lint --output-format", "sarif", id="choices that are loaded late"),
    ],
)
def test_the_values_of_options_are_completed(option: str, word: str, script: str) -> None:
    assert word in table(script, "values")[option]


def test_the_braces_of_the_script_are_balanced(script: str) -> None:
    text = re.sub(r"'[^']*'", "", script)

    assert [text.count(it) for it in "{(["] == [text.count(it) for it in "})]"]


def test_a_quote_in_a_value_is_doubled() -> None:
    assert assignment("NAME", "it's $HOME") == "$env:NAME = 'it''s $HOME'"


def test_properties_have_the_variables_of_the_format_env(
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = ("properties", "--target", "b200@580", "--format")
    codes = [main([*named, form]) for form in ("env", "powershell")]
    lines = capsys.readouterr().out.splitlines()
    plain, quoted = lines[: len(lines) // 2], lines[len(lines) // 2 :]

    assert codes == [0, 0]
    assert plain != []
    assert quoted == [assignment(*line.split("=", 1)) for line in plain]
