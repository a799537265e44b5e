"""Rewrite ``docs/cli.md`` from the argument parser; ``--check`` fails if it has drifted.

It renders the parser's actions and not its help text: argparse lays that out differently from one
Python release to the next.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import generated

from nvidia_variant_provider.tools.cli.main import build_parser

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TARGET: Final = Path(__file__).resolve().parents[1] / "docs" / "cli.md"

# Where each command is told about at length.
PAGES: Final = {
    "detect": ("status.md", "detection.md", "records.md"),
    "properties": ("targets.md", "properties.md"),
    "targets": ("targets.md",),
    "run": ("views.md", "targets.md"),
    "serve": ("views.md", "how-to/team-server.md"),
    "cache": ("views.md",),
    "torch-backend": ("targets.md",),
    "explain": ("explain.md",),
    "coverage": ("coverage.md",),
    "inventory": ("coverage.md",),
    "inspect": ("inspect.md",),
    "verify": ("verify.md",),
    "tag": ("tag.md",),
    "untag": ("tag.md",),
    "lint": ("lint.md",),
    "convert": ("convert.md",),
    "index": ("index-folder.md", "views.md"),
    "survey": ("survey.md", "schemas.md"),
    "demo-index": ("how-to/index.md",),
    "code": ("codes.md",),
    "completion": ("how-to/index.md",),
    "conformance": ("conformance.md",),
    "help": ("completion.md",),
    "version": ("completion.md",),
}
HEAD: Final = """\
# Commands

Every command prints its section of this page with `--help`. Data goes to stdout, diagnostics go to
stderr. The documents that `--json` prints have [schemas](schemas.md). For all commands, exit code 2
means a usage error, unreadable input or an internal error, and 130 means interrupted. The
[tutorial](tutorial.md) and the [how-to guides](how-to/index.md) show the commands at work.

A *variant* is one of several builds of the same version, told apart by a *label* in the file name
(`cuda13.0`). The *null variant* (label `null`) is the CPU build. A *target* is a machine by name,
with the branch of its driver (`gh200@580`). A *kernel container* (a fatbin in a library) is the
code of one source file for all GPUs. A *rule set* is a numbered version of the rules that rank
variants. A *hole* is a GPU machine that gets the CPU build, and a *shadow* a variant that wins
although another one has native code for the GPU.

"""
FOOT: Final = "\nThis page is generated from the parser by `.ci/regen_cli.py`.\n"


class Part(NamedTuple):
    """A part of an epilog: ``exit codes`` and what follows; the title of ordinary text is empty."""

    title: str
    text: str


def render() -> dict[Path, str]:
    """Return the page."""
    parser = build_parser()
    commands = subcommands(parser)
    missing = set(commands) ^ set(PAGES)
    if missing:
        raise SystemExit(f"PAGES and the parser differ in: {', '.join(sorted(missing))}")
    summaries = _summaries(parser)
    lines = [HEAD, "| command | |\n| --- | --- |\n"]
    lines += [f"| [`{name}`](#{name}) | {cell(summaries[name])} |\n" for name in commands]
    for name, command in commands.items():
        lines += ["\n", *_command(name, command)]
    return {TARGET: "".join([*lines, FOOT])}


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the commands by name, in the order of ``--help``."""
    return dict(_subparsers(parser).choices)


def sections(epilog: str) -> Iterator[Part]:
    """Yield the parts of an epilog: each begins with ``title:``, or is ordinary text."""
    for part in re.split(r"\n\s*\n", epilog.strip("\n")):
        found = re.match(r"(examples|exit codes|formats|[a-z ]{3,20}):[ \n]", part)
        if found:
            yield Part(found[1], part[found.end() :])
        else:
            yield Part("", part)


def cell(text: str) -> str:
    """Return text fit for a cell of a table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")


def _subparsers(
    parser: argparse.ArgumentParser,
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    (action,) = (it for it in parser._actions if isinstance(it, argparse._SubParsersAction))  # noqa: SLF001 - argparse offers no other way
    return action


def _summaries(parser: argparse.ArgumentParser) -> dict[str, str]:
    return {it.dest: it.help or "" for it in _subparsers(parser)._choices_actions}  # noqa: SLF001 - as above


def _command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"## {name}\n\n{_sentence(parser.description or '')}\n\n"
    yield f"```text\n{_synopsis(parser)}\n```\n\n"
    yield from _arguments(parser)
    for inner, action in _inner(parser):
        yield f"### {name} {inner}\n\n```text\n{_synopsis(action)}\n```\n\n"
        yield from _arguments(action)
    for part in sections(parser.epilog or ""):
        yield from _section(part)
    pages = [page for page in PAGES[name] if (TARGET.parent / page).exists()]
    links = ", ".join(f"[{page}]({page})" for page in pages)
    yield f"More: {links}\n"


def _inner(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield the parsers of the actions that a command such as ``survey`` has."""
    for action in parser._actions:  # noqa: SLF001 - argparse offers no other way
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            yield from action.choices.items()


def _sentence(text: str) -> str:
    words = re.sub(r"\s+", " ", text).replace("<", "&lt;").strip()
    return re.sub(r"docs/([\w-]+\.md)", _linked, words)


def _linked(found: re.Match[str]) -> str:
    page = found[1]
    return f"[{page}]({page})" if (TARGET.parent / page).exists() else f"`{found[0]}`"


def _section(part: Part) -> Iterator[str]:
    if part.title == "exit codes":
        yield "| exit code | meaning |\n| --- | --- |\n"
        yield from (f"| {code} | {cell(words)} |\n" for code, words in exit_codes(part.text))
        yield "\n"
    elif part.title:
        yield f"{part.title.capitalize()}:\n\n```text\n{_dedented(part.text)}\n```\n\n"
    else:
        yield f"{_sentence(part.text)}\n\n"


def exit_codes(text: str) -> Iterator[tuple[str, str]]:
    """Yield each code and its meaning, from a list of lines or from one sentence."""
    for piece in re.split(r"(?:[,;]\s+|\n\s*|^\s*)(?=(?:\d+|\*) )", text.strip()):
        found = re.match(r"(\d+|\*)\s+(.*)", piece.strip(), re.DOTALL)
        if found:
            yield found[1], found[2].strip()
        elif piece.strip():
            yield "other", piece.strip()


def _dedented(text: str) -> str:
    return "\n".join(line.removeprefix("  ") for line in text.strip("\n").splitlines())


def _synopsis(parser: argparse.ArgumentParser, width: int = 96) -> str:
    words = [parser.prog, *_usage(parser)]
    lines, indent = [words[0]], " " * 4
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > width:
            lines.append(indent + word)
        else:
            lines[-1] += f" {word}"
    return "\n".join(lines)


def _usage(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield ``[--json]`` and the like; what excludes each other stands in one pair of brackets."""
    groups = parser._mutually_exclusive_groups  # noqa: SLF001 - argparse offers no other way
    leader = {id(group._group_actions[0]): group for group in groups}  # noqa: SLF001 - as above
    grouped = {id(action) for group in groups for action in group._group_actions}  # noqa: SLF001 - as above
    for action in _documented(parser):
        if id(action) in leader:
            group = leader[id(action)]
            choice = " | ".join(map(_form, group._group_actions))  # noqa: SLF001 - as above
            yield f"({choice})" if group.required else f"[{choice}]"
        elif id(action) not in grouped:
            form = _form(action)
            optional = action.option_strings and not action.required
            yield f"[{form}]" if optional else form


def _documented(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return options and then arguments, as a command line has them; ``--help`` is told once."""
    actions = [
        it
        for it in parser._actions  # noqa: SLF001 - argparse offers no other way
        if it.help != argparse.SUPPRESS and not isinstance(it, argparse._HelpAction)  # noqa: SLF001 - as above
    ]
    return sorted(actions, key=lambda it: not it.option_strings)


def _form(action: argparse.Action) -> str:
    """Return ``--record FILE``, ``SOURCE`` or ``[WORD ...]``: how it is written."""
    value = _value(action)
    if not action.option_strings:
        return value
    return f"{action.option_strings[-1]} {value}".strip()


def _value(action: argparse.Action) -> str:
    name = action.metavar or (
        "|".join(map(str, action.choices)) if action.choices else action.dest.upper()
    )
    if isinstance(name, tuple):
        name = " ".join(name)
    forms = {
        0: "",
        "?": f"[{name}]",
        "*": f"[{name} ...]",
        "+": f"{name} [{name} ...]",
        argparse.REMAINDER: f"{name} ...",
    }
    return forms.get(action.nargs, name) if action.nargs is not None else name


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    if any(isinstance(it, argparse._SubParsersAction) for it in _documented(parser)):  # noqa: SLF001 - argparse offers no other way
        return
    yield "| argument | |\n| --- | --- |\n"
    for action in sorted(_documented(parser), key=lambda it: bool(it.option_strings)):
        spelled = [f"`{cell(_spelled(action, it))}`" for it in action.option_strings[::-1]]
        names = ", ".join(spelled) or f"`{cell(_value(action))}`"
        yield f"| {names} | {cell(_help(action))} |\n"
    yield "\n"


def _spelled(action: argparse.Action, option: str) -> str:
    long = option == action.option_strings[-1]
    return f"{option} {_value(action)}".strip() if long else option


def _help(action: argparse.Action) -> str:
    text = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")
    said = text.replace("%(choices)s", ", ".join(map(str, action.choices or ())))
    # The number is that of the machine on which this script runs.
    said = re.sub(r"(the processors), \d+", r"\1", said)
    if action.choices and action.metavar:
        said += f" (one of {_listed(action.choices)})"
    return said


def _listed(choices: Iterable[object]) -> str:
    return ", ".join(f"`{it}`" for it in choices)


if __name__ == "__main__":
    sys.exit(generated.run(__doc__, render))
