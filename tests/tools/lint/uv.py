"""Runs the real uv on releases that ``releases.py`` wrote."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from examples.torch.clients import DEADLINE_S, clean_environment, uv_executable

if TYPE_CHECKING:
    from collections.abc import Mapping


class Installed(NamedTuple):
    """What uv did: the label of the build it installed ("" for the ordinary wheel), its words.

    The label is what the installed module itself says; ``None`` if nothing was installed.
    ``packages`` are the names of all that was installed, dependencies too.
    """

    label: str | None
    stderr: str
    packages: tuple[str, ...] = ()


def uv_install(settings: Mapping[str, str], *arguments: str, module: str = "demo") -> Installed:
    """Install one package into a fresh folder, with no cache and no settings of the user."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "target")
        command = [
            *(uv_executable(), "pip", "install", "--preview-features", "wheel-variants"),
            *("--no-config", "--python", sys.executable, "--target", str(target)),
            *("--python-platform", "x86_64-manylinux_2_28", *arguments),
        ]
        private = {"HOME": scratch, "XDG_CONFIG_HOME": scratch, "UV_CACHE_DIR": f"{scratch}/cache"}
        done = subprocess.run(
            command,
            cwd=scratch,
            env={**clean_environment(), **private, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        installed = target / module / "__init__.py"
        if done.returncode != 0 or not installed.is_file():
            return Installed(None, done.stderr)
        namespace: dict[str, str] = {}
        exec(installed.read_text("utf-8"), namespace)  # noqa: S102 - one assignment, ours
        packages = sorted(it.name.split("-")[0] for it in target.glob("*.dist-info"))
        return Installed(namespace["build"], done.stderr, tuple(packages))
