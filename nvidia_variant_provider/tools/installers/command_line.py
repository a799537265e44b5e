"""A command taken apart: what stands before the installer, its own words, and what it starts.

``env A=1 uv --directory p run --with torch python -i`` is uv's ``run`` behind ``env``; ``-i`` is
an option of the program. Sources: the manuals of the programs before it, and each installer's own
help, which tests/contract/test_command_lines.py holds the tables to.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.installers.command_prefixes import (
    MOST,
    PREFIXES,
    behind_prefixes,
    name_of,
)
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Options with a value that stands in a word of its own, of any installer.
_VALUED_OPTIONS: Final = """\
    -r --requirement --requirements -c --constraint --constraints --override --overrides -b
    --build-constraint --build-constraints -t --target --platform --python-version
    --implementation --abi --root --prefix --src --upgrade-strategy -C --config-settings
    --config-setting --global-option --no-binary --only-binary --progress-bar --report
    --root-user-action --use-feature --use-deprecated --cache-dir --log --proxy --retries --timeout
    --resume-retries --exists-action --trusted-host --cert --client-cert --keyring-provider --group
    --requirements-from-script -d --dest -w --wheel-dir --python -p --python-platform --extra
    --index-strategy --torch-backend --resolution --prerelease --exclude-newer --link-mode
    --refresh-package --reinstall-package -P --upgrade-package --no-build-isolation-package
    --directory --project --config-file --color --allow-insecure-host --no-binary-package
    --uploaded-prior-to --fork-strategy -o --output-file -i --index-url --extra-index-url -f
    --find-links --default-index --index --preview-features --with --with-requirements --from
    --env-file --package --upgrade-group --no-extra --no-group --only-group --prerelease-package
    --exclude-newer-package --no-sources-package --config-settings-package --no-build-package
    --no-editable-package --no-install-package --excludes --output-format --with-editable
    --without --only --extras --lockfile --pypi-mirror --categories --resolver --extra-pip-args
    --data-dir --config --backend --pip-args --suffix --spec --name
    --python-preference --bounds --script --format --no-emit-package --prune --cooldown
    --python-args
"""
VALUED: Final = frozenset(_VALUED_OPTIONS.split())
_VALUED_OF: Final[Mapping[str, frozenset[str]]] = {
    "hatch": frozenset({"-e", "--env"}),
    "poetry": frozenset({"-E"}),
    "pdm": frozenset({"-G", "-L", "-k", "--skip", "--env", "--working-dir"}),
    "uvx": frozenset({"--index"}),
}
# Options of some that have no value there.
_FLAGS_OF: Final[Mapping[str, frozenset[str]]] = {
    "pdm": frozenset({"-r", "-d", "-f"}),
    "poetry": frozenset({"-f"}),
    "pipenv": frozenset({"-d", "-c"}),
    "pipx": frozenset({"-f"}),
    "hatch": frozenset({"-f", "-c"}),
}
# Who has subcommands, and which of these have subcommands of their own.
_GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "pip": frozenset({"cache", "config", "index"}),
    "uv": frozenset({"auth", "cache", "pip", "python", "self", "tool", "workspace"}),
    "poetry": frozenset({"cache", "debug", "env", "python", "self", "source"}),
    "pdm": frozenset({"cache", "python", "py", "self", "plugin"}),
    "hatch": frozenset({"config", "dep", "env", "project", "python", "self"}),
    "pipx": frozenset({"cache", "interpreter", "manifest"}),
    "pipenv": frozenset(),
}
# What starts a program: the first plain word behind is it. ``uvx`` needs no subcommand for it.
_STARTERS: Final = frozenset({
    ("uv", "run"), ("uv", "tool", "run"), ("uvx",), ("uv", "format"), ("poetry", "run"),
    ("pdm", "run"), ("pipenv", "run"), ("hatch", "run"), ("hatch", "env", "run"), ("hatch", "test"),
    ("pipx", "run"), ("pipx", "exec"), ("pipx", "runpip"),
})  # fmt: skip
_MODULE: Final = frozenset({"-m", "--module", "-s", "--script"})
_DIRECTORY: Final[Mapping[str, tuple[str, ...]]] = {
    "uv": ("--directory",),
    "uvx": ("--directory",),
    "poetry": ("-C", "--directory"),
}
_PROJECT: Final[Mapping[str, tuple[str, ...]]] = {
    "uv": ("--project",),
    "poetry": ("-P", "--project"),
    "pdm": ("-p", "--project"),
}
# Which subcommands take options that name indexes: of other ones ``-f`` or ``-i`` mean others.
_INDEXED: Final = frozenset({
    ("pip", "install"), ("pip", "download"), ("pip", "wheel"), ("pip", "lock"), ("pip", "list"),
    ("pip", "index", "versions"), ("uvx",), ("pip-compile",), ("pip-sync",), ("uv", "run"),
    ("uv", "sync"), ("uv", "lock"), ("uv", "add"), ("uv", "remove"), ("uv", "export"),
    ("uv", "tree"), ("uv", "version"), ("uv", "check"), ("uv", "audit"), ("uv", "venv"),
    ("uv", "build"), ("uv", "pip", "install"), ("uv", "pip", "sync"), ("uv", "pip", "compile"),
    ("uv", "pip", "list"), ("uv", "pip", "tree"), ("uv", "tool", "run"), ("uv", "tool", "install"),
    ("uv", "tool", "upgrade"), ("uv", "workspace", "metadata"),
})  # fmt: skip

_PYTHON: Final = re.compile(r"(python|pypy|py)[\d.]*")
_PIP: Final = re.compile(r"pip[\d.]*")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """An installer in a command: its words are those from ``begin`` to ``end``.

    ``prefixes`` stand before it, with their options, and ``start`` is where they end.
    ``subcommand`` is what it is asked to do: ``("pip", "install")`` of uv. What follows ``end`` is
    a program that it starts.
    """

    command: tuple[str, ...]
    tool: str
    start: int
    begin: int
    end: int
    subcommand: tuple[str, ...]
    prefixes: tuple[tuple[str, ...], ...] = ()

    @property
    def own(self) -> tuple[str, ...]:
        """The installer's own words, without its name."""
        return self.command[self.begin : self.end]

    @property
    def program(self) -> tuple[str, ...]:
        """The program that it starts, with its arguments."""
        return self.command[self.end :]

    @property
    def words(self) -> list[str]:
        """The command with the installer and its subcommand in front, wherever options stood."""
        left = list(self.own)
        for word in self.subcommand:
            left.remove(word)
        return [self.tool, *self.subcommand, *left, *self.program]

    @property
    def arguments(self) -> list[str]:
        """Its own words that are neither options, their values, nor the subcommand."""
        plain = list(plain_words(self.own, self.tool))
        return plain[len(self.subcommand) :]

    @property
    def has_subcommands(self) -> bool:
        """Whether the installer does nothing without a subcommand."""
        return self.tool in _GROUPS

    @property
    def takes_indexes(self) -> bool:
        """Whether it takes options that name indexes."""
        has_same = self.tool in {"pipx", "pipenv"}
        return has_same or (self.tool, *self.subcommand[:2]) in _INDEXED

    @property
    def behind(self) -> tuple[str, ...]:
        """The command without what stands before the installer."""
        return self.command[self.start :]

    def has(self, option: str) -> bool:
        """Tell whether an option is given, with a value or without: ``-P``, ``--upgrade``."""
        is_short = not option.startswith("--") and option in VALUED
        return any(
            word == option or word.startswith(option if is_short else f"{option}=")
            for word in self.own
        )


def parse(command: Sequence[str]) -> CommandLine:
    """Take a command apart; one without an installer has the name of its program as tool."""
    at, prefixes = behind_prefixes(command)
    if at >= len(command):
        return CommandLine(tuple(command), "", at, len(command), len(command), (), prefixes)
    name, begin = _tool_at(command, at)
    end, subcommand = _own_words(name, command, begin)
    return CommandLine(tuple(command), name, at, begin, end, subcommand, prefixes)


def layers(command: Sequence[str]) -> Iterator[CommandLine]:
    """Yield the installers of a command from the outer to the inner: ``uv run pip install``."""
    base = 0
    for _ in range(MOST):
        line = parse(command[base:])
        if not line.tool:
            return
        yield CommandLine(
            tuple(command), line.tool, base + line.start, base + line.begin, base + line.end,
            line.subcommand, line.prefixes,
        )  # fmt: skip
        base += line.end
        if base >= len(command):
            return


def drops_variables(command: Sequence[str]) -> str:
    """Name the program that starts a command without our variables: ``sudo``; "" for none."""
    for words in parse(command).prefixes:
        name = name_of(words[0])
        row = PREFIXES[name]
        is_dropping = "" in row.drops or _has_any(words[1:], row.drops)
        if is_dropping and not _has_any(words[1:], row.keeps):
            return name
    return ""


def _has_any(words: Sequence[str], options: Sequence[str]) -> bool:
    """Tell whether one of some options is given; short ones may share a word: ``-EH``."""
    letters = [option[1] for option in options if re.fullmatch(r"-[A-Za-z]", option)]
    clusters = [word for word in words if re.fullmatch(r"-[A-Za-z]+", word)]
    is_in_cluster = any(letter in word for letter in letters for word in clusters)
    return is_in_cluster or not {*options, ""}.isdisjoint(words)


def starts_in_conda(command: Sequence[str]) -> bool:
    """Tell whether a command starts another one in an environment of conda, mamba or pixi."""
    return any(PREFIXES[name_of(words[0])].word for words in parse(command).prefixes)


def plain_words(words: Sequence[str], tool: str = "") -> Iterator[str]:
    """Yield the words that are neither options nor their values."""
    is_value = False
    for word in words:
        if not is_value and not word.startswith("-"):
            yield word
        is_value = not is_value and takes_value(tool, word)


def value_of(words: Sequence[str], names: tuple[str, ...]) -> str:
    """Return what an option is given, "" without it: ``-t x``, ``-tx``, ``--target=x``."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else "".join(words[index + 1 : index + 2])
        if word[:2] in names and not word.startswith("--"):
            return word[2:]
    return ""


def working_folder(line: CommandLine, environ: Mapping[str, str], cwd: str) -> str:
    """Return the folder that an installer changes to: ``uv --directory``, ``poetry -C``."""
    named = value_of(line.own, _DIRECTORY.get(line.tool, ()))
    if not named and line.tool in {"uv", "uvx"}:
        named = environ.get("UV_WORKING_DIR", "")
    return os.path.join(cwd, named)


def project_folder(line: CommandLine, environ: Mapping[str, str], cwd: str) -> str:
    """Return the folder in which an installer looks for its project: ``uv --project``."""
    named = value_of(line.own, _PROJECT.get(line.tool, ()))
    variable = {"uv": "UV_PROJECT", "pdm": "PDM_PROJECT", "poetry": "POETRY_PROJECT"}
    named = named or environ.get(variable.get(line.tool, ""), "")
    return os.path.join(working_folder(line, environ, cwd), named)


def takes_value(tool: str, word: str) -> bool:
    """Tell whether a word is an option of an installer whose value is the next word."""
    if word in _FLAGS_OF.get(tool, ()):
        return False
    return word in VALUED or word in _VALUED_OF.get(tool, ())


def _tool_at(command: Sequence[str], at: int) -> tuple[str, int]:
    """Return the name of a tool and where its words begin: ``python3 -m pip`` is ``pip``."""
    name, begin = os.path.basename(command[at]).removesuffix(".exe"), at + 1
    if _PYTHON.fullmatch(name):
        name, begin = _module_of(command, begin) or (name, begin)
    if name in {"piptools", "pip-tools"} and command[begin : begin + 1] in (["compile"], ["sync"]):
        name, begin = f"pip-{command[begin]}", begin + 1
    name = "pip-tools" if name == "piptools" else name
    return ("pip" if _PIP.fullmatch(name) else name), begin


def _module_of(command: Sequence[str], at: int) -> tuple[str, int] | None:
    """Return the module that a Python runs, and where its words begin; ``None`` for a script.

    Short options may share a word, the module's name too: ``-Im pip``, ``-mpip``.
    """
    while at < len(command) and re.match(r"-[A-Za-z]", command[at]):
        own = re.match(r"-[^cmWX]*([cmWX]?)(.*)", command[at])
        letter, rest = (own[1], own[2]) if own else ("", "")
        if letter == "c":
            return None
        if letter == "m":
            at = at if rest else at + 1
            return (rest or command[at], at + 1) if at < len(command) else None
        at += 2 if letter and not rest else 1
    return None


def _own_words(tool: str, command: Sequence[str], begin: int) -> tuple[int, tuple[str, ...]]:
    """Return where the installer's own words end, and its subcommand."""
    subcommand: tuple[str, ...] = ()
    groups = _GROUPS.get(tool)
    is_value = False
    for at in range(begin, len(command)):
        word = command[at]
        is_starter = (tool, *subcommand) in _STARTERS
        if is_value:
            is_value = False
        elif is_starter and (word == "--" or (word in _MODULE and tool == "uv")):
            return at + 1, subcommand
        elif word.startswith("-"):
            is_value = takes_value(tool, word)
        elif is_starter:
            return at, subcommand
        elif groups is not None and (not subcommand or subcommand in {(name,) for name in groups}):
            subcommand = (*subcommand, word)
    return len(command), subcommand
