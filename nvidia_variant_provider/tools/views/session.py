"""What stays the same between two runs: the user's secret, and the folders of a view's caches."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nvidia_variant_provider.model import Machine

_NAME: Final = "nvidia-variant-provider"
_KEPT: Final = "secret"
_BYTES: Final = 16


def cache_folder(environ: Mapping[str, str]) -> str:
    """Return the folder of everything that can be made again."""
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or os.path.expanduser("~")
        return os.path.join(base, _NAME, "cache")
    home = environ.get("HOME") or os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", _NAME)
    return os.path.join(environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), _NAME)


def read_secret(folder: str) -> str:
    """Return this user's own secret, made on first use; a new one where nothing can be kept.

    It keeps other users of the machine from the view, and the address the same from run to run,
    which uv's cache goes by.
    """
    path = os.path.join(folder, _KEPT)
    try:
        os.makedirs(folder, exist_ok=True)
        if not os.path.exists(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(_new_secret())
        with open(path, encoding="ascii") as file:
            status = os.fstat(file.fileno())
            text = file.read().strip()
    except (OSError, UnicodeDecodeError):
        return _new_secret()
    is_mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    is_private = os.name == "nt" or not status.st_mode & 0o077
    return text if is_mine and is_private and len(text) == 2 * _BYTES else _new_secret()


def _new_secret() -> str:
    return os.urandom(_BYTES).hex()


def view_digest(machine: Machine, upstream: Iterable[str], options: Iterable[str]) -> str:
    """Return what stands for a view in its address: equal for equal upstream, machine, options."""
    parts = (
        str(machine.cuda),
        str(machine.driver_release),
        " ".join(map(str, machine.capabilities)),
        str(machine.platform),
        *upstream,
        *options,
        __version__,
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def clear(folder: Path) -> int:
    """Remove what is cached and return its size in bytes; the secret stays."""
    import shutil

    total = 0
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.name == _KEPT:
            continue
        total += _size(entry)
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    return total


def _size(entry: Path) -> int:
    if not entry.is_dir():
        return entry.lstat().st_size
    return sum(path.lstat().st_size for path in entry.rglob("*") if not path.is_dir())
