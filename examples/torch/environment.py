"""Makes virtual environments under the project's ``.cache`` folder and keeps them.

Standard library only: the demonstration starts here on a fresh machine, with any pip from 23 on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROJECT: Final = Path(__file__).resolve().parents[2]
CACHE: Final = PROJECT / ".cache"


class SetUpError(Exception):
    """An environment could not be made; the message says what pip or venv said."""


def ensure_environment(name: str, requirements: Sequence[str]) -> Path:
    """Return the interpreter of an environment with the requirements and this project installed.

    The project is installed so that changes of its sources count at once. An environment is
    made once for an interpreter, the requirements and ``pyproject.toml``; processes that want the
    same one at the same time wait for each other.
    """
    project = (PROJECT / "pyproject.toml").read_bytes()
    seed = repr((sys.version, sys.base_prefix, str(PROJECT), sorted(requirements), project))
    digest = hashlib.sha256(seed.encode()).hexdigest()[:8]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = CACHE / f"{name}-py{version}-{digest}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = folder / "complete"
    with _lock(folder.with_suffix(f"{folder.suffix}.lock")):
        if not complete.is_file():
            _say(f"making the environment {folder.relative_to(PROJECT)} (once)")
            try:
                _run([sys.executable, "-m", "venv", "--clear", str(folder)])
                _say(f"installing {' '.join(requirements)}")
                _run([str(python), "-m", "pip", "install", "--quiet", *requirements])
            except SetUpError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            complete.touch()
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        what = " ".join(command[1:4])
        raise SetUpError(f"'{what}' failed:\n{done.stdout}{done.stderr}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
