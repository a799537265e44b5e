"""Which commands of installers may run through a view, and what works for the others.

A view's address ends with the command. A command that writes addresses, or hashes that only the
view has, into a file of the project must not see it.
"""

from __future__ import annotations

import os
import re
from enum import Enum
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.installers.command_line import (
    layers,
    parse,
    project_folder,
    value_of,
    working_folder,
)
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
_STARTERS: Final = (
    *_passes("hatch lock --check", "hatch env lock --check", "hatch dep lock --check"),
    *_stops(_ADDRESS, "the environment's lock file", "hatch lock", "hatch env lock",
            "hatch dep lock"),
    *_stops(_ADDRESS, "the lock files of its tools", "pipx manifest lock"),
)  # fmt: skip
COMMANDS: Final = (*_PIP, *_UV, *_POETRY, *_PDM, *_PIPENV, *_STARTERS)
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

_TELLS: Final = frozenset({"-h", "--help", "--version", "-V"})
_SCRIPT: Final = re.compile(rb"^# /// script\s*$", re.MULTILINE)
_UNMANAGED: Final = re.compile(rb"^\[tool\.uv\]$[^\[]*^managed *= *false", re.MULTILINE)
_HEAD_BYTES: Final = 1 << 16
_TRUE: Final = frozenset({"1", "true", "yes", "on", "y", "t"})


def words_of(command: Sequence[str]) -> list[str]:
    """Return a command with its tool and subcommand in front: ``python3 -m pip`` is ``pip``."""
    return parse(command).words


def row_of(command: Sequence[str]) -> CommandRow | None:
    """Return the row of the table that decides about a command; ``None`` if it has none."""
    rows = (_row(line) for line in layers(command))
    return next((row for row in rows if row is not None), None)


def is_harmless(command: Sequence[str]) -> bool:
    """Tell whether a command installs nothing: ``pip --version``, ``poetry``, ``uv sync --help``.

    What a program does that an installer starts is not known.
    """
    return all(_is_harmless(line) for line in layers(command))


def _is_harmless(line: CommandLine) -> bool:
    is_known = any(row.words[0] == line.tool for row in COMMANDS)
    has_nothing = line.has_subcommands and not line.subcommand
    return is_known and (has_nothing or not _TELLS.isdisjoint(line.own))


def _row(line: CommandLine) -> CommandRow | None:
    if _is_harmless(line):
        return None
    return next((row for row in COMMANDS if row.fits(line)), None)


def stops(command: Sequence[str], cwd: str, environ: Mapping[str, str] | None = None) -> str:
    """Say why a command must not run through a view that ends with it; "" if it may."""
    environ = os.environ if environ is None else environ
    reasons = (_reason(line, environ, cwd) for line in layers(command))
    return next(filter(None, reasons), "")


def _reason(line: CommandLine, environ: Mapping[str, str], cwd: str) -> str:
    row = _row(line)
    if row is None or (row.unless and line.has(row.unless)) or _is_alone(line, row, environ):
        return ""
    if row.outcome is Outcome.STOPS:
        return f"the command {row.why}"
    if row.outcome is not Outcome.NEEDS_LOCK or _has_no_project(line, environ, cwd):
        return ""
    folder = project_folder(line, environ, cwd)
    lock = _find_up(row.lock, folder)
    if not lock:
        is_here = os.path.normpath(folder) == os.path.normpath(cwd)
        where = "here" if is_here else f"in {folder}"
        return f"there is no {row.lock} {where}, and the command {row.why}"
    return _out_of_date(lock, folder) and f"{_out_of_date(lock, folder)}, and the command {row.why}"


def _out_of_date(lock: str, folder: str) -> str:
    """Say why uv would lock anew, which UV_FROZEN prevents: a dependency would be missing."""
    if os.path.basename(lock) != "uv.lock":
        return ""
    from nvidia_variant_provider.tools.installers.uv_lock import out_of_date

    why = out_of_date(lock, _find_up("pyproject.toml", folder))
    return f"uv.lock is out of date: {why}" if why else ""


def is_alone(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Tell whether a command compares a lock with the indexes that it was made from.

    A view is another index: the command runs as it would without one.
    """
    line = parse(command)
    row = _row(line)
    return row is not None and _is_alone(line, row, environ)


def _is_alone(line: CommandLine, row: CommandRow, environ: Mapping[str, str]) -> bool:
    by_variable = line.tool == "uv" and _is_on("UV_LOCKED", environ)
    return row.outcome is Outcome.ALONE or (by_variable and row.outcome is Outcome.NEEDS_LOCK)


def _is_on(variable: str, environ: Mapping[str, str]) -> bool:
    return environ.get(variable, "").lower() in _TRUE


def _lock_in(line: CommandLine, name: str, environ: Mapping[str, str], cwd: str) -> str:
    """Return the path of the lock file that an installer would go by; "" where it has none."""
    if line.tool == "uv" and (script := _script_of(line, environ, cwd)):
        return f"{script}.lock" if os.path.exists(f"{script}.lock") else ""
    if _has_no_project(line, environ, cwd):
        return ""
    return _find_up(name, project_folder(line, environ, cwd))


def _has_no_project(line: CommandLine, environ: Mapping[str, str], cwd: str) -> bool:
    """Tell whether uv locks nothing: outside a project, or for a script that is its own one."""
    if line.tool != "uv":
        return False
    if _script_of(line, environ, cwd) or _is_on("UV_NO_PROJECT", environ):
        return True
    if line.subcommand == ("run",) and _is_on("UV_NO_SYNC", environ):
        return True
    pyproject = _find_up("pyproject.toml", project_folder(line, environ, cwd))
    return not pyproject or _is_unmanaged(pyproject)


def _is_unmanaged(pyproject: str) -> bool:
    """Tell whether a project keeps uv from locking: ``managed = false`` in its settings."""
    with open(pyproject, "rb") as file:
        return _UNMANAGED.search(file.read(_HEAD_BYTES)) is not None


def _script_of(line: CommandLine, environ: Mapping[str, str], cwd: str) -> str:
    """Return the path of the script that states its own dependencies (PEP 723); "" without."""
    named = line.program[0] if line.subcommand == ("run",) and line.program else ""
    named = named or value_of(line.own, ("--script",))
    path = os.path.join(working_folder(line, environ, cwd), named)
    if not named or not os.path.isfile(path):
        return ""
    with open(path, "rb") as file:
        return path if _SCRIPT.search(file.read(_HEAD_BYTES)) else ""


def needs_plugin(command: Sequence[str]) -> bool:
    """Tell whether a command of Poetry takes packages from an index."""
    row = row_of(command)
    return row is not None and row.words[0] == "poetry" and row.outcome is Outcome.NEEDS_LOCK


def variables_for(
    command: Sequence[str], cwd: str, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what a command needs so that it does not write its lock file anew."""
    environ = os.environ if environ is None else environ
    variables: dict[str, str] = {}
    for line in layers(command):
        row = _row(line)
        if row is not None and row.variables and _lock_in(line, row.lock, environ, cwd):
            variables.update(row.variables)
    return variables


def lock_of(command: Sequence[str], cwd: str, environ: Mapping[str, str] | None = None) -> str:
    """Return the path of the lock file that decides what a command installs; "" if none does."""
    environ = os.environ if environ is None else environ
    for line in layers(command):
        row = _row(line)
        name = "uv.lock" if row is not None and _is_alone(line, row, environ) else ""
        name = name or (row.lock if row is not None else "")
        if name and (lock := _lock_in(line, name, environ, cwd)):
            return lock
    return ""


def _find_up(name: str, folder: str) -> str:
    folder = os.path.abspath(folder)
    while not os.path.exists(os.path.join(folder, name)):
        if os.path.dirname(folder) == folder:
            return ""
        folder = os.path.dirname(folder)
    return os.path.join(folder, name)
