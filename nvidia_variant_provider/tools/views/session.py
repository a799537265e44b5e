"""What stays the same between two runs: the user's secret, and the folders of a view's caches."""

from __future__ import annotations

import hashlib
import os
import stat
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
    """Return the folder of everything that can be made again.

    Where it cannot be written (a home that is read-only, or root's under sudo) or nobody has a
    home, it is one of this user's own among temporary files.
    """
    usual = usual_folder(environ)
    return usual if usual and _can_be_written(usual) else _temporary()


def usual_folder(environ: Mapping[str, str]) -> str:
    """Return the folder in the user's home; "" for a user without one."""
    home = environ.get("HOME") or os.path.expanduser("~")
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or home
        return os.path.join(base, _NAME, "cache")
    if environ.get("XDG_CACHE_HOME") and sys.platform != "darwin":
        return os.path.join(environ["XDG_CACHE_HOME"], _NAME)
    if not os.path.isabs(home):
        return ""
    within = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
    return os.path.join(home, *within, _NAME)


def _can_be_written(folder: str) -> bool:
    """Tell whether files can be written to a folder, or the folder made."""
    while not os.path.lexists(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def _temporary() -> str:
    """Return a folder among temporary files that nobody else can write, the same for every run."""
    import tempfile

    whose = str(os.getuid()) if hasattr(os, "getuid") else "user"
    folder = os.path.join(tempfile.gettempdir(), f"{_NAME}-{whose}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.lstat(folder)
    except OSError:
        return tempfile.mkdtemp(prefix=f"{_NAME}-")
    is_mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    is_private = os.name == "nt" or not status.st_mode & 0o077
    if stat.S_ISDIR(status.st_mode) and is_mine and is_private:
        return folder
    return tempfile.mkdtemp(prefix=f"{_NAME}-")


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


def uv_file(folder: str, settings: Mapping[str, object]) -> str:
    """Write a file of settings for uv and return its path, which goes by what it holds."""
    from tomlkit import dumps

    data = dumps(settings).encode()
    path = os.path.join(folder, f"uv-{hashlib.sha256(data).hexdigest()[:16]}.toml")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(path):
        # Whoever reads it meanwhile sees a whole file; a proxy in it may have a password.
        begun = f"{path}.{os.getpid()}"
        with open(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        os.replace(begun, path)
    return path


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
