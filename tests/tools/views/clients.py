"""Real installers through ``run``, each in an environment of its own, made on first use."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from typing import TYPE_CHECKING, Final, NamedTuple

from examples.torch.environment import ensure_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PIPS: Final = ("23.0", "23.2", "26.3")
_TIMEOUT_S: Final = 300


class Done(NamedTuple):
    """How a command ended: its exit code, and everything it and ``run`` printed."""

    code: int
    output: str


def pip_environment(version: str) -> Path:
    """Return the interpreter of an environment with a pip of this version."""
    return ensure_environment(f"view-pip-{version}", [f"pip=={version}"])


def new_environment(folder: Path) -> Path:
    """Make an empty environment and return its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Return the test's environment without anybody's settings of installers."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("PIP_", "UV_", "PDM_", "PIPENV_", "POETRY_", "NV_VARIANT"))
        and name.lower() not in {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
        and name != "VIRTUAL_ENV"
    }
    empty = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CONFIG_DIRS": str(home / "xdg"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_NO_CONFIG": "1",
        "NV_VARIANT_PROVIDER_ROOT": "/var/empty-no-such-root",
    }
    return kept | empty | more


def run(
    options: Sequence[str], command: Sequence[str | Path], environ: Mapping[str, str],
    cwd: Path | None = None,
) -> Done:  # fmt: skip
    """Run a command through a view."""
    ours = (sys.executable, "-m", "nvidia_variant_provider", "run", *options, "--")
    return plain(ours, [str(word) for word in command], environ, cwd)


def installed(site: Path) -> dict[str, str]:
    """Return the projects in a folder of packages with their versions."""
    found = {}
    # setuptools carries projects of its own inside.
    for path in (it for it in site.rglob("*.dist-info") if it.parent.name != "_vendor"):
        name, _, version = path.name.removesuffix(".dist-info").partition("-")
        if name not in {"pip", "setuptools", "wheel"}:
            found[name] = version
    return found


def plain(
    command: Sequence[str | Path], words: Sequence[str], environ: Mapping[str, str],
    cwd: Path | None = None,
) -> Done:  # fmt: skip
    """Run an installer by itself, without a view."""
    done = subprocess.run(
        [*map(str, command), *words],
        env=dict(environ),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    return Done(done.returncode, done.stdout)
