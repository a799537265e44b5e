"""Which commands of installers may run through a view, and what works for the others.

A view's address ends with the command. A command that writes addresses, or hashes that only the
view has, into a file of the project must not see it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.installers.command_line import (
    layers,
    parse,
    project_folder,
    value_of,
    working_folder,
)
from nvidia_variant_provider.tools.installers.command_table import COMMANDS, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.tools.installers.command_line import CommandLine
    from nvidia_variant_provider.tools.installers.command_table import CommandRow

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
