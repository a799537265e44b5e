"""The table of commands: which may run through a view, and what they would write otherwise.

One row a command that is not harmless, and the names of those that are, so that a new subcommand
of a tool shows in tests/contract/test_command_lists.py. docs/views.md is written from it.
"""

from __future__ import annotations

from enum import Enum
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.tools.installers.command_line import CommandLine


class Outcome(Enum):
    """What becomes of a command."""

    PASSES = "passes"
    NEEDS_LOCK = "passes if a lock file exists"
    ALONE = "runs as without the view"
    STOPS = "stops"


NAME: Final = "NAME"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """Commands that start with some words; the first row that fits decides.

    Among the words an option has to be given, ``NAME`` is any argument, and a word with a ``*`` one
    that matches; of those between bars one is enough: ``--upgrade|-U``. ``why`` is what a command
    that stops would write. ``lock`` is the file that one passes with, and ``variables`` are set
    then. ``unless`` is an option that makes a command pass. ``remark`` is for the documentation.
    """

    words: tuple[str, ...]
    outcome: Outcome
    why: str = ""
    lock: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    unless: str = ""
    remark: str = ""

    @property
    def subcommand(self) -> tuple[str, ...]:
        """The words without the tool, options and arguments."""
        return tuple(word for word in self.words[1:] if not _is_condition(word))

    @property
    def conditions(self) -> tuple[str, ...]:
        """The options and arguments, one of which makes it the row."""
        return tuple(
            part for word in self.words[1:] if _is_condition(word) for part in word.split("|")
        )

    def fits(self, line: CommandLine) -> bool:
        """Tell whether the row is about a command."""
        given = self.subcommand
        if self.words[0] != line.tool or line.subcommand[: len(given)] != given:
            return False
        return not self.conditions or any(_holds(word, line) for word in self.conditions)


def _is_condition(word: str) -> bool:
    return word.startswith(("-", NAME)) or "*" in word


def _holds(condition: str, line: CommandLine) -> bool:
    if condition == NAME:
        return bool(line.arguments)
    if "*" in condition:
        return any(fnmatch(word.rpartition("=")[2], condition) for word in line.own)
    return line.has(condition)


_ADDRESS: Final = "would write the view's address, which ends with this command, into {file}"
_HASHES: Final = "would write files and hashes that only this view has into {file}"
_UPGRADES: Final = "--upgrade|-U|--upgrade-package|-P|--upgrade-group"


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


def _passes(*commands: str, remark: str = "") -> tuple[CommandRow, ...]:
    return tuple(
        CommandRow(tuple(command.split()), Outcome.PASSES, remark=remark) for command in commands
    )


def _uv_of_lock(command: str) -> tuple[CommandRow, ...]:
    """Return the rows of a command of uv that locks where the lock is not up to date.

    A lock for an index of another address never is: with UV_FROZEN it decides as it is.
    """
    return (
        CommandRow((*command.split(), "--locked"), Outcome.ALONE),
        *_stops(_ADDRESS, "uv.lock", f"{command} {_UPGRADES}"),
        *_locked(_ADDRESS, "uv.lock", command, UV_FROZEN="1"),
    )


_UV: Final = (
    *_stops(_ADDRESS, "its output",
            "uv pip compile --emit-index-url|--emit-index-annotation|*pylock*.toml"),
    *_stops(_HASHES, "its output", "uv pip compile --generate-hashes"),
    CommandRow(("uv", "lock", "--check|--locked"), Outcome.ALONE),
    *_stops(_ADDRESS, "uv.lock", "uv lock"),
    *_stops(_ADDRESS, "pyproject.toml and uv.lock", "uv add", "uv remove"),
    *_passes("uv version --frozen|--dry-run"),
    *_stops(_ADDRESS, "uv.lock", f"uv version {NAME}|--bump"),
    *_passes("uv run --no-project|--no-sync"),
    *(row for name in ("sync", "run", "tree", "export", "check", "audit")
      for row in _uv_of_lock(f"uv {name}")),
    *_passes("uv tool install", remark="uv keeps the view's address for upgrades; `run` says so"),
    *_passes("uvx"),
)  # fmt: skip
_PIP: Final = (
    *_stops(_ADDRESS, "pylock.toml", "pip lock"),
    *_stops(_HASHES, "its output", "pip-compile --generate-hashes"),
    *_stops(_ADDRESS, "its output", "pip-compile", unless="--no-emit-index-url"),
    *_passes("pip-sync"),
)  # fmt: skip
_POETRY: Final = (
    *_stops(_HASHES, "poetry.lock", "poetry add", "poetry lock", "poetry update", "poetry remove"),
    *_locked(_HASHES, "poetry.lock", "poetry install", "poetry sync"),
    *_stops(
        _HASHES,
        "Poetry's own poetry.lock",
        *(f"poetry self {name}" for name in ("add", "install", "lock", "remove", "sync", "update")),
    ),
)  # fmt: skip
_PDM: Final = (
    *_passes("pdm lock --check", *(f"pdm {name} --frozen-lockfile|--no-lock"
                                   for name in ("install", "add", "update", "remove"))),
    *_stops(_ADDRESS, "its output", "pdm export *pylock|*pylock*.toml"),
    *_stops(_HASHES, "pdm.lock", "pdm add", "pdm lock", "pdm update", "pdm remove"),
    *_locked(_HASHES, "pdm.lock", "pdm install", PDM_FROZEN_LOCKFILE="1"),
    *_locked(_HASHES, "pdm.lock", "pdm sync"),
)  # fmt: skip
_PIPENV: Final = (
    *_stops(
        _HASHES,
        "Pipfile.lock",
        "pipenv lock",
        "pipenv update",
        "pipenv upgrade",
        "pipenv uninstall",
        f"pipenv install {NAME}|-r|--requirements|-e",
    ),
    *_stops(_HASHES, "pylock.toml", "pipenv pylock --from-pyproject"),
    *_stops(_ADDRESS, "its output", "pipenv requirements", unless="--exclude-index"),
    *_passes("pipenv install --skip-lock"),
    *_locked(_HASHES, "Pipfile.lock", "pipenv sync"),
    *_locked(_HASHES, "Pipfile.lock", "pipenv install", PIPENV_IGNORE_PIPFILE="1"),
)  # fmt: skip
_MAKERS: Final = (
    *_passes("hatch lock --check", "hatch env lock --check", "hatch dep lock --check"),
    *_stops(_ADDRESS, "the environment's lock file", "hatch lock", "hatch env lock",
            "hatch dep lock"),
    *_stops(_ADDRESS, "the lock files of its tools", "pipx manifest lock"),
)  # fmt: skip
COMMANDS: Final = (*_PIP, *_UV, *_POETRY, *_PDM, *_PIPENV, *_MAKERS)
"""The table. A command without a row passes; what it wrote is looked at after it."""

OTHERS: Final[Mapping[str, str]] = {
    "uv": """
        version, init, format, venv, build, publish, help, generate-shell-completion, pip
        compile, pip sync, pip install, pip uninstall, pip freeze, pip list, pip show, pip tree,
        pip check, tool run, tool upgrade, tool list, tool audit, tool uninstall, tool
        update-shell, tool dir, python list, python install, python upgrade, python find, python
        pin, python dir, python uninstall, python update-shell, cache clean, cache prune, cache
        dir, cache size, self update, self version, auth login, auth logout, auth token, auth
        dir, workspace metadata, workspace dir, workspace list""",
    "pip": """
        install, download, uninstall, freeze, inspect, list, show, check, config, search, cache,
        index, wheel, hash, completion, debug, help""",
    "poetry": """
        about, build, check, config, help, init, list, new, publish, run, search, show, version,
        cache clear, cache list, debug info, debug resolve, debug tags, env activate, env info,
        env list, env remove, env use, python install, python list, python remove, self show,
        source add, source remove, source show""",
    "pdm": """
        build, cache, completion, config, export, fix, import, info, init, list, new, outdated,
        publish, python, py, run, search, self, plugin, show, use, venv""",
    "pipenv": """
        remove, shell, activate, run, check, audit, graph, open, clean, scripts, verify,
        pylock""",
    "hatch": """
        build, check, clean, config, dep hash, dep show, dep sync, env create, env find, env
        prune, env remove, env run, env show, fmt, new, project, publish, python, run, self,
        shell, status, test, version""",
    "pipx": """
        install, install-all, uninject, inject, expose, unexpose, pin, unpin, upgrade,
        upgrade-all, upgrade-shared, uninstall, uninstall-all, reset, reinstall, reinstall-all,
        health, repair, list, interpreter, cache, manifest sync, run, exec, runpip, ensurepath,
        environment, completions, help""",
}
"""The subcommands that write nothing of an index, by tool: they pass without a row."""
