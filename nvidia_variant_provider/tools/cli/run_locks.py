"""What ``run`` says of lock files: written during the command, made elsewhere, or out of date."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.run_refusal import STAYS
from nvidia_variant_provider.tools.installers.command_line import (
    parse,
    project_folder,
    working_folder,
)
from nvidia_variant_provider.tools.installers.commands import lock_of, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LOCKS: Final = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")
_FILES: Final = re.compile(
    r"pyproject\.toml|uv\.toml|Pipfile|.*\.lock|pylock(\..+)?\.toml|.*requirements.*\.txt"
)
_MOST_FILES: Final = 200
_MOST_BYTES: Final = 16 << 20
# File systems take the time of the last tick of the kernel's clock.
_TICK_S: Final = 0.02
_RECEIPT: Final = "uv-receipt.toml"


def tell_of_written(
    command: Sequence[str], environ: Mapping[str, str], cwd: str, url: str, since: float
) -> None:
    """Warn of each file that a command wrote after ``since`` and that needs this view.

    What a shell or make starts cannot be seen before it does so. ``since`` is in seconds since the
    epoch, as the file system counts.
    """
    line = parse(command)
    folders = (cwd, working_folder(line, environ, cwd), project_folder(line, environ, cwd))
    for folder in dict.fromkeys(map(os.path.normpath, folders)):
        for path, text in _written(folder, since):
            _tell_of_file(path, text, url, cwd)
    if line.tool == "uv" and line.subcommand == ("tool", "install"):
        _tell_of_receipts(environ, url, since)


def _tell_of_file(path: str, text: str, url: str, cwd: str) -> None:
    name = os.path.basename(path)
    is_lock = name in _LOCKS or name.startswith("pylock.")
    if url in text:
        output.warn(f"{path} now has the address of this view, which has ended")
    elif is_lock:
        output.warn(
            f"{path} was written meanwhile: if through this view, it has the files of one machine "
            "alone"
        )
    else:
        return
    again = "delete it and lock anew without run" if is_lock else "take that address out of it"
    output.hint(
        f"to undo it: git checkout -- {shlex.quote(os.path.relpath(path, cwd))}, or {again}"
    )
    output.hint(STAYS)


def _tell_of_receipts(environ: Mapping[str, str], url: str, since: float) -> None:
    for path, text in _receipts(environ, since):
        if url in text:
            tool = os.path.basename(os.path.dirname(path))
            output.note(f"uv keeps the address of this view, which has ended, in {path}")
            output.hint(f"to upgrade: nvidia-variant-provider run -- uv tool upgrade {tool}")


def _written(folder: str, since: float) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(filter(_FILES.fullmatch, os.listdir(folder)))[:_MOST_FILES]
    except OSError:
        return
    yield from _read_since((os.path.join(folder, name) for name in names), since)


def _receipts(environ: Mapping[str, str], since: float) -> Iterator[tuple[str, str]]:
    """Yield what uv keeps of the tools that it has installed."""
    home = environ.get("HOME") or os.path.expanduser("~")
    data = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    folder = environ.get("UV_TOOL_DIR") or os.path.join(data, "uv", "tools")
    try:
        tools = sorted(os.listdir(folder))
    except OSError:
        return
    yield from _read_since((os.path.join(folder, tool, _RECEIPT) for tool in tools), since)


def _read_since(paths: Iterator[str], since: float) -> Iterator[tuple[str, str]]:
    for path in paths:
        try:
            if not is_younger(path, since):
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                yield path, file.read(_MOST_BYTES)
        except OSError:
            continue


def is_younger(path: str, since: float) -> bool:
    """Tell whether a file or folder was written after a moment, in seconds since the epoch.

    Raises ``OSError``.
    """
    return os.stat(path).st_mtime >= since - _TICK_S


def tell_of_failure(command: Sequence[str], cwd: str) -> None:
    """Say, of a command that failed, that its lock decides and may be of another index."""
    lock = lock_of(command, cwd)
    row = row_of(command)
    if not lock or row is None or not row.lock:
        return
    name = os.path.basename(lock)
    if name == "uv.lock":
        return
    output.note(
        f"{name} says which files are installed, and the view shows one build of each version: "
        "a lock that was made with another index, or for another machine, names files that are "
        "not here"
    )
    output.hint("lock through a view of this machine (docs/how-to/lock.md), or install without run")
