"""Runs the console blocks of a page in one shell, and holds what they print to the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from examples.torch.clients import clean_environment
from examples.torch.releases import write_releases

ROOT = Path(__file__).resolve().parents[1]
MARK = "@@@"


class Step(NamedTuple):
    """A command of a page and the lines it shows under it; none means that they do not matter."""

    command: str
    shown: tuple[str, ...]


def steps_of(page: str) -> list[Step]:
    """Return the commands of every ``console`` block of a page under docs/, in order."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    steps: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        lines: list[str] = block.splitlines()
        assert lines[0].startswith("$ "), lines[0]
        for line in lines:
            if line.startswith("$ "):
                steps.append(Step(line[2:], ()))
            else:
                steps[-1] = Step(steps[-1].command, (*steps[-1].shown, line))
    return steps


def run_steps(steps: list[Step], folder: Path) -> list[tuple[str, ...]]:
    """Run the commands in one shell in a folder, and return the lines each of them printed.

    ``wheels/`` holds the stand-in torch releases, uv installs from it into an environment of its
    own, and the machine has no GPU. A command that fails fails the page.
    """
    (folder / "wheels").mkdir()
    write_releases(folder / "wheels")
    bin_folder = Path(sys.executable).parent
    subprocess.run(
        [
            bin_folder / "uv",
            "venv",
            "-q",
            "--no-config",
            "--python",
            sys.executable,
            folder / "venv",
        ],
        env=clean_environment(),
        check=True,
        timeout=60,
    )
    (folder / "empty").mkdir()
    environ = clean_environment() | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "COLUMNS": "100",
        "GITHUB_ENV": str(folder / "github.env"),
        "NV_VARIANT_PROVIDER_ROOT": str(folder / "empty"),
        "PYTHONPATH": str(ROOT),
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_FIND_LINKS": str(folder / "wheels"),
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "VIRTUAL_ENV": str(folder / "venv"),
    }
    # uv speaks of its progress on stderr, which no page shows.
    script = "\n".join(f"{step.command}\necho '{MARK}'" for step in steps)
    script = 'uv() { command uv --quiet "$@"; }\nset -e -o pipefail\n' + script
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    parts = done.stdout.split(f"{MARK}\n")
    assert done.returncode == 0, f"{steps[len(parts) - 1].command}\n{parts[-1]}"
    return [tuple(part.splitlines()) for part in parts[:-1]]
