"""Which commands of installers may run through a view, and what works for the others.

A view's address ends with the command. A command that writes addresses, or hashes that only the
view has, into a file of the project must not see it.
"""

from __future__ import annotations

import os
import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Outcome(Enum):
    """What becomes of a command."""

    PASSES = "passes"
    NEEDS_LOCK = "passes if a lock file exists"
    STOPS = "stops"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """Commands that start with some words; the first row that fits decides.

    ``why`` is what a command that stops would write. ``lock`` is the file that one passes with,
    and ``variables`` are set then. ``unless`` is an option that makes a command pass.
    """

    words: tuple[str, ...]
    outcome: Outcome
    why: str = ""
    lock: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    unless: str = ""


_ADDRESS: Final = "would write the view's address, which ends with this command, into {file}"
_HASHES: Final = "would write files and hashes that only this view has into {file}"


def _stops(why: str, file: str, *commands: str, unless: str = "") -> tuple[CommandRow, ...]:
    return tuple(
        CommandRow(tuple(command.split()), Outcome.STOPS, why.format(file=file), unless=unless)
        for command in commands
    )


def _locked(why: str, lock: str, *commands: str, **variables: str) -> tuple[CommandRow, ...]:
    return tuple(
        CommandRow(
            tuple(command.split()),
            Outcome.NEEDS_LOCK,
            why.format(file=lock),
            lock,
            tuple(variables.items()),
        )
        for command in commands
    )


def _passes(*commands: str) -> tuple[CommandRow, ...]:
    return tuple(CommandRow(tuple(command.split()), Outcome.PASSES) for command in commands)


# ``uv sync`` and ``uv run`` with a lock would lock anew for an index of another address: with
# UV_FROZEN the lock decides.
COMMANDS: Final = (
    *_stops(_ADDRESS, "pylock.toml", "pip lock", "uv export"),
    *_passes("pip"),
    *_stops(_ADDRESS, "its output", "uv pip compile --emit-index-url"),
    *_passes("uv pip", "uv tool", "uv venv", "uv python", "uv cache", "uvx"),
    *_passes("uv run --no-project"),
    *_stops(_ADDRESS, "uv.lock", "uv lock"),
    *_stops(_ADDRESS, "pyproject.toml and uv.lock", "uv add", "uv remove"),
    *_locked(_ADDRESS, "uv.lock", "uv sync", "uv run", "uv tree", UV_FROZEN="1"),
    *_stops(_ADDRESS, "its output", "pip-compile", unless="--no-emit-index-url"),
    *_stops(_HASHES, "poetry.lock", "poetry add", "poetry lock", "poetry update", "poetry remove"),
    *_locked(_HASHES, "poetry.lock", "poetry install", "poetry sync"),
    *_stops(_HASHES, "pdm.lock", "pdm add", "pdm lock", "pdm update", "pdm remove"),
    *_locked(_HASHES, "pdm.lock", "pdm install", "pdm sync"),
    *_stops(
        _HASHES,
        "Pipfile.lock",
        "pipenv lock",
        "pipenv update",
        "pipenv upgrade",
        "pipenv uninstall",
    ),
    *_locked(_HASHES, "Pipfile.lock", "pipenv sync"),
    *_locked(_HASHES, "Pipfile.lock", "pipenv install", PIPENV_IGNORE_PIPFILE="1"),
)
"""The table; a command without a row passes."""

# Options with a value that stands in a word of its own, and could be taken for a project.
_VALUED_OPTIONS: Final = """\
    -r --requirement --requirements -c --constraint --constraints --override --overrides -b
    --build-constraint --build-constraints -t --target --platform --python-version
    --implementation --abi --root --prefix --src --upgrade-strategy -C --config-settings
    --config-setting --global-option --no-binary --only-binary --progress-bar --report
    --root-user-action --use-feature --use-deprecated --cache-dir --log --proxy --retries --timeout
    --exists-action --trusted-host --cert --client-cert --keyring-provider --group
    --requirements-from-script -d --dest -w --wheel-dir --python -p --python-platform --extra
    --index-strategy --torch-backend --resolution --prerelease --exclude-newer --link-mode
    --refresh-package --reinstall-package -P --upgrade-package --no-build-isolation-package
    --directory --project --config-file --color --allow-insecure-host --no-binary-package
    --uploaded-prior-to --fork-strategy -o --output-file -i --index-url --extra-index-url -f
    --find-links --default-index --index --preview-features
"""
_VALUED: Final = frozenset(_VALUED_OPTIONS.split())
_PYTHON: Final = re.compile(r"(python|pypy)[\d.]*(\.exe)?")
_PIP: Final = re.compile(r"pip[\d.]*")
# What may stand before a module's name in its word: ``-m``, ``-Im``.
_MODULE: Final = re.compile(r"-[A-Za-z]*?m")


def words_of(command: Sequence[str]) -> list[str]:
    """Return a command with the name of its tool in front: ``python3 -Im pip`` is ``pip``."""
    at = module_at(command)
    rest = list(command[at + 1 :])
    if at:
        name = _MODULE.sub("", command[at])
        name = {"piptools": "pip-tools"}.get(name, name)
    else:
        name = os.path.basename(command[0]).removesuffix(".exe")
    if name == "pip-tools" and rest[:1] == ["compile"]:
        name, rest = "pip-compile", rest[1:]
    return ["pip" if _PIP.fullmatch(name) else name, *rest]


def module_at(command: Sequence[str]) -> int:
    """Return which word names the module that a Python runs, 0 where none does.

    Short options may share a word, the module's name too: ``-Im pip``, ``-mpip``.
    """
    if not _PYTHON.fullmatch(os.path.basename(command[0])):
        return 0
    at = 1
    while at < len(command) and re.match(r"-[A-Za-z]", command[at]):
        own = re.match(r"-[^cmWX]*([cmWX]?)(.*)", command[at])
        letter, rest = (own[1], own[2]) if own else ("", "")
        if letter == "c":
            return 0
        if letter == "m":
            at = at if rest else at + 1
            return at if at < len(command) else 0
        at += 2 if letter and not rest else 1
    return 0


def value_follows(word: str) -> bool:
    """Tell whether a word is an option whose value is the next word."""
    return word in _VALUED


def row_of(command: Sequence[str]) -> CommandRow | None:
    """Return the row of the table that decides about a command; ``None`` if it has none."""
    tool, *rest = words_of(command)
    plain = [word for word in rest if not word.startswith("-")]
    for row in COMMANDS:
        if row.words[0] != tool:
            continue
        wanted = [word for word in row.words[1:] if not word.startswith("-")]
        options = [word for word in row.words[1:] if word.startswith("-")]
        if plain[: len(wanted)] == wanted and all(option in rest for option in options):
            return row
    return None


def stops(command: Sequence[str], cwd: str) -> str:
    """Say why a command must not run through a view that ends with it; "" if it may."""
    row = row_of(command)
    if row is None or row.outcome is Outcome.PASSES or (row.unless and row.unless in command):
        return ""
    if row.outcome is Outcome.NEEDS_LOCK:
        if _find_up(row.lock, cwd):
            return ""
        return f"there is no {row.lock} here, and the command {row.why}"
    return f"the command {row.why}"


def variables_for(command: Sequence[str]) -> dict[str, str]:
    """Return what a command needs so that it does not write its lock file anew."""
    row = row_of(command)
    return dict(row.variables) if row is not None else {}


def lock_of(command: Sequence[str], cwd: str) -> str:
    """Return the path of the lock file that decides what a command installs; "" if none does."""
    row = row_of(command)
    return _find_up(row.lock, cwd) if row is not None and row.lock else ""


def plain_words(words: Sequence[str]) -> Iterator[str]:
    """Yield the words that are neither options nor their values."""
    is_value = False
    for word in words:
        if not is_value and not word.startswith("-"):
            yield word
        is_value = word in _VALUED


def value_of(words: Sequence[str], names: tuple[str, ...]) -> str:
    """Return what an option is given, "" without it."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else "".join(words[index + 1 : index + 2])
    return ""


def _find_up(name: str, folder: str) -> str:
    folder = os.path.abspath(folder)
    while not os.path.exists(os.path.join(folder, name)):
        if os.path.dirname(folder) == folder:
            return ""
        folder = os.path.dirname(folder)
    return os.path.join(folder, name)
