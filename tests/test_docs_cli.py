"""The examples in every command's help are command lines that its parser takes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.cli.main import COMMANDS, build_parser

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "cli.md").read_text("utf-8")
PROGRAM = "nvidia-variant-provider"


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def examples() -> Iterator[str]:
    """Yield what stands after the program's name, up to a pipe, a redirection or a remark."""
    for block in re.findall(r"^Examples:\n\n```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        text = block.replace("\\\n", " ")
        for line in text.splitlines():
            for words in re.findall(rf"(?:^|[ (]){PROGRAM} ([^|>&)]+)", line):
                yield re.split(r"\s{4,}|\s#", words.replace("$INDEX", "index"))[0].strip()


def test_the_page_has_not_drifted() -> None:
    command = [sys.executable, str(ROOT / ".ci" / "regen_cli.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_has_a_section_with_exit_codes_examples_and_a_link() -> None:
    found = sections()

    assert list(found) == [name.replace("_", "-") for name in COMMANDS]
    for name, text in found.items():
        for part in ("```text\n" + PROGRAM, "| exit code |", "\nExamples:\n", "\nMore: ["):
            assert part in text, f"{name}: {part}"


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_is_a_command_line_that_the_parser_takes(example: str) -> None:
    parsed = build_parser().parse_args(shlex.split(example))

    assert parsed.command == shlex.split(example)[0]


def test_there_is_an_example_of_every_command() -> None:
    shown = {shlex.split(example)[0] for example in examples()}

    assert shown == {name.replace("_", "-") for name in COMMANDS}
