"""Rewrite what pages say of installers from the tables.

They are docs/installers.md, the pins of clients, and the commands that pass through a view in
docs/views.md.
``--check`` fails if one of them has drifted. Pins are ``uv==...`` and ``variantlib==...`` in
pyproject.toml, the tutorial and the examples, which people and images install as they stand.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import generated

from nvidia_variant_provider.tools.installers.command_table import (
    COMMANDS,
    NAME,
    OTHERS,
    CommandRow,
    Outcome,
)
from nvidia_variant_provider.tools.installers.table import INSTALLERS, Reads

if TYPE_CHECKING:
    from collections.abc import Iterator


ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "docs" / "installers.md"
VIEWS: Final = ROOT / "docs" / "views.md"
PINNED: Final = (
    "pyproject.toml",
    "docs/tutorial.md",
    "examples/docker/ci.Dockerfile",
    "examples/docker/gb200.Dockerfile",
    "examples/docker/gh200.Dockerfile",
    "examples/torch/demo.py",
)
_OUTCOMES: Final = re.compile(
    r"^(\| command \| through `run` \|\n\| --- \| --- \|\n)(?:\|.*\n)*", re.MULTILINE
)
HEAD: Final = """\
# Installers

What each installer makes of wheel variants, and which version was tried. A *variant* is one of
several builds of the same version, told apart by a *label* in the file name. The wheel without a
label is the build for every machine, for most projects the CPU build. A *rule set* is a numbered
version of the rules by which a provider ranks variants.

| installer | version tried | on | reads variants | judges GPUs by |
| --- | --- | --- | --- | --- |
"""
READS: Final = """
## Commands

The same release was given to every command: variants, and a wheel without a label.

| command | reads | since |
| --- | --- | --- |
"""
SWITCHES: Final = """
## Switches

"""
FOOT: Final = """
## Through a view

Each installer was asked for torch, as each kind of machine, through [run](views.md) or at a
[served view](how-to/team-server.md). It ended in the wheel that `explain` names, with the
torchvision and the CUDA libraries of that wheel. Indexes and wheels were small stand-ins on
loopback: a plain index, one of variants, and one as PyTorch has it.

| installer | as x86-64 machines | as aarch64 machines |
| --- | --- | --- |
| pip 23.0, 23.2 and 26.3 | installs | installs, with `--platform` |
| `uv pip install` | installs | installs, with `--python-platform` |
| `uv add`, `uv lock`, `uv sync` at a served view | locks, installs | the same |
| Poetry, PDM, locked at a served view | locks, installs through `run` | locks |
| Pipenv, locked at a served view | locks, installs through `run` | not tried |
| pipx, Hatch, tox, nox | installs | not tried |

Of these, pip and uv alone install for another processor. Pipenv also locks for the running
interpreter alone.

Machines: no GPU, `gtx-1080-ti@580`, `v100@570`, `h100@550`, `rtx-5090@570`, `rtx-5090@580`,
`a10+t4@580` (two kinds of GPUs), `sm_107@615` (newer than every build); on aarch64 `gh200@550`,
`gh200@580`, `gb200@580`, `dgx-spark@580`. pip and uv had all of them on both indexes with several
builds, the others on the one like PyTorch's. Elsewhere two or three stand for all. No row ran on a
real GPU or a real aarch64 machine.

## How this is checked

`tests/contract/test_installers.py` runs the real commands of uv and pip on variants.
`tests/tools/views/test_rows.py` has a test for every row of the last table, 268 in all. Without a
view Poetry and PDM were tried by hand on the day in the first table: they skip every wheel with a
label. [explain](explain.md) predicts this provider, uv and pip for your release;
[differences](differences.md) lists where uv decides otherwise.
"""


def render() -> dict[Path, str]:
    """Return the page, and every file that holds a pin."""
    pinned = {ROOT / name: _pinned((ROOT / name).read_text("utf-8")) for name in PINNED}
    page = (HEAD, *_rows(), READS, *_commands(), SWITCHES, *_switches(), FOOT)
    return {TARGET: "".join(page), VIEWS: _with_outcomes(VIEWS.read_text("utf-8")), **pinned}


def _with_outcomes(text: str) -> str:
    """Put the table of commands into the page, below its heading row."""
    return _OUTCOMES.sub(lambda match: match[1] + "".join(_outcomes()), text, count=1)


def _outcomes() -> Iterator[str]:
    """Yield the commands by tool, those that fare alike in one row."""
    tools: dict[str, dict[tuple[str, str], list[str]]] = {}
    for row in COMMANDS:
        fares = tools.setdefault(row.words[0], {})
        fares.setdefault((_told(row), _given(row)), []).append(_command(row))
    for tool, fares in tools.items():
        for (told, given), commands in fares.items():
            yield f"| {', '.join(dict.fromkeys(commands))}{given} | {told} |\n"
        if tool in OTHERS:
            yield f"| any other `{tool}` command | passes |\n"
    yield "| tox, nox, `%pip`, make, scripts that start one of these | passes |\n"


def _command(row: CommandRow) -> str:
    return f"`{' '.join((row.words[0], *row.subcommand))}`"


def _given(row: CommandRow) -> str:
    """Return with what options or arguments a command is meant: `` with `--locked` ``."""
    texts = {
        NAME: "an argument",
        "*pylock*.toml": "a `pylock.toml`",
        "*pylock": "the format `pylock`",
    }
    given = [texts.get(condition, f"`{condition}`") for condition in row.conditions]
    return f" with {' or '.join(given)}" if given else ""


def _told(row: CommandRow) -> str:
    why = row.why.replace(", which ends with this command,", "")
    if row.outcome is Outcome.PASSES:
        return f"passes; {row.remark}" if row.remark else "passes"
    if row.outcome is Outcome.ALONE:
        return "runs as without `run`: it compares the lock with the indexes it was made from"
    if row.outcome is Outcome.NEEDS_LOCK:
        variables = "".join(f", by `{name}={value}`" for name, value in row.variables)
        decides = f", which then decides{variables}" if variables else ""
        return f"passes if there is a {row.lock}{decides}"
    unless = f"; passes with `{row.unless}`" if row.unless else ""
    return f"stops: it {why}{unless}"


def _pinned(text: str) -> str:
    for installer in INSTALLERS:
        if installer.reads_variants:
            text = re.sub(rf"\b{installer.package}==[0-9][\w.]*", installer.pin, text)
    return text


def _rows() -> Iterator[str]:
    for installer in INSTALLERS:
        named = installer.called.lower() == installer.package
        name = installer.called if named else f"{installer.package} with {installer.called}"
        reads = "yes" if installer.reads_variants else "no"
        reads = f"runs {installer.runs}" if installer.runs else reads
        rules = "" if installer.rules is None else f"[rule set {installer.rules}](rule-sets.md)"
        yield f"| {name} | {installer.version} | {installer.tested} | {reads} | {rules} |\n"


def _commands() -> Iterator[str]:
    for installer in INSTALLERS:
        for command in installer.commands:
            since = installer.since if command.reads is Reads.VARIANTS else ""
            yield f"| {command.text} | {command.reads.value} | {since} |\n"


def _switches() -> Iterator[str]:
    for installer in INSTALLERS:
        for name, value in installer.switches:
            yield f"- {installer.called} reads variants only with `{name}={value}`"
            yield " in its environment. Through a *view* (an index of one machine,"
            yield " [views](views.md)) it needs none.\n"
        if installer.facts:
            told = " and ".join(f"`{name}`" for name in installer.facts)
            yield f"- {installer.called} can be told of a machine with {told}.\n"
        if installer.answers:
            told = ", ".join(f"`{name}`" for name in installer.answers)
            yield f"- {installer.called} answers for the namespaces {told} itself.\n"


if __name__ == "__main__":
    sys.exit(generated.run(__doc__, render))
