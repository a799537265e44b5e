"""The table of commands has every subcommand of the real tools, and their options with values.

A new version of a tool with a new subcommand fails here: read what it writes, and give it a row.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.tools.installers.command_line import parse, takes_value
from nvidia_variant_provider.tools.installers.command_table import COMMANDS, OTHERS
from tests.tools.views.clients import pip_environment
from tests.tools.views.ways import tool

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.clients,
    pytest.mark.deep,
    pytest.mark.skipif(sys.platform != "linux", reason="the tools are those of Linux"),
]
TOOLS: Final = ("pip", "uv", "poetry", "pdm", "pipenv", "hatch", "pipx")
# Where a help begins to list subcommands, and what a line of that list looks like.
LISTS: Final = {
    "pip": (r"^Commands:", r"^  ([a-z]+)  "),
    "uv": (r"^Commands:", r"^  ([a-z-]+)  "),
    "poetry": (r"^Available commands:", r"^  ([a-z]+(?: [a-z]+)?)(?: [a-z]+)?  "),
    "pdm": (r"^Commands:", r"^  ([a-z]+)(?: \(([a-z]+)\))?  "),
    "pipenv": (r"^positional arguments:", r"^    ([a-z]+)  "),
    "hatch": (r"^Commands:", r"^  ([a-z]+)  "),
    "pipx": (r"^subcommands:", r"^    ([a-z-]+)(?:  |$)"),
}
# ``-c, --config <FILE>``, ``--project=PROJECT``, ``-c CONFIG, --config CONFIG``.
VALUED: Final = re.compile(
    r"^ {2,8}(?:(-[A-Za-z])(?: [A-Z_]+)?, )?(--[a-z][\w-]*)(?: |=)(?:<|[A-Z]{3})", re.MULTILINE
)


def rows_of(name: str) -> set[tuple[str, ...]]:
    others = {tuple(words.split()) for words in OTHERS[name].split(",")}
    return others | {row.subcommand for row in COMMANDS if row.words[0] == name}


def help_of(name: str, *words: str) -> str:
    executable = {
        "pip": lambda: [str(pip_environment("26.3")), "-m", "pip"],
        "uv": lambda: [uv_executable()],
    }.get(name, lambda: [tool(name)])()
    last = {"poetry": ("list", "--no-ansi"), "uv": ("help", *words)}.get(name, (*words, "--help"))
    done = subprocess.run(
        [*executable, *last],
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def listed(name: str, text: str) -> Iterator[tuple[str, ...]]:
    begin, row = LISTS[name]
    _, _, rest = text.partition(re.search(begin, text, re.MULTILINE)[0])  # type: ignore[index]  # a help without it fails
    for match in re.finditer(row, rest, re.MULTILINE):
        yield from (tuple(word.split()) for word in match.groups() if word)


def subcommands(name: str, groups: set[str]) -> Iterator[tuple[str, ...]]:
    for words in listed(name, help_of(name)):
        if words[0] not in groups or len(words) > 1:
            yield words
            continue
        for (below,) in listed(name, help_of(name, words[0])):
            yield (words[0], below)


@pytest.mark.parametrize("name", TOOLS)
def test_every_subcommand_of_a_tool_has_a_row(name: str) -> None:
    rows = rows_of(name)
    groups = {words[0] for words in rows if len(words) > 1}
    real = set(subcommands(name, groups))

    assert (real - rows, rows - real) == (set(), set())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *((name, ()) for name in TOOLS if name != "pipx"),
        ("uv", ("run",)),
        ("uv", ("tool", "run")),
        ("uv", ("sync",)),
        ("uv", ("export",)),
        ("pdm", ("run",)),
        ("pipx", ("run",)),
    ],
    ids=str,
)
def test_options_with_values_are_known(name: str, words: tuple[str, ...]) -> None:
    options = {option for pair in VALUED.findall(help_of(name, *words)) for option in pair}

    assert options
    assert options - {""} - {option for option in options if takes_value(name, option)} == set()


def test_the_subcommands_of_uv_that_take_indexes_are_known() -> None:
    rows = rows_of("uv") - {("help",)}
    real = {words for words in rows if "--default-index" in help_of("uv", *words)}

    assert real == {words for words in rows if parse(["uv", *words]).takes_indexes}
