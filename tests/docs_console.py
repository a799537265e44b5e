"""Reads the commands of a page, runs them in one shell, and gives what each of them printed.

The conventions, which ``CONTRIBUTING.md`` tells to whoever writes a page:

- ``console`` blocks have ``$`` before a command, ``>`` before the lines that continue it, and below
  it what it prints; ``...`` stands for any number of lines. Without ``$``, and in ``sh`` and
  ``bash`` blocks, every line is a command.
- A block that cannot be run here has a line above it that readers see, such as
  ``*Not run in CI: needs Docker.*``.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from examples.torch.clients import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parents[1]
END = "@@@"
# Below the folder of a page: what stands on PATH beside the commands of this environment.
TOOLS = ".tools"
LANGUAGES = ("console", "bash", "sh", "shell")

_FENCE = re.compile(r"^( *)```([\w-]+)?[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"\*Not run in CI: needs ([^*]+)\.\*\s*$")
# The ports that pages name, and a line that starts a server in the background on one of them.
PORTS = ("8000", "8001")
_SERVER = re.compile(r"(?:http\.server |--bind 127\.0\.0\.1:)(\d+)\b.*&$")


class Step(NamedTuple):
    """A command of a page and the lines it shows under it; none means that they do not matter."""

    command: str
    shown: tuple[str, ...]


class Block(NamedTuple):
    """A fenced block of commands; ``needs`` is what it is marked with, else empty."""

    language: str
    text: str
    needs: str

    @property
    def steps(self) -> list[Step]:
        """The commands in order."""
        lines = self.text.splitlines()
        if self.language == "console" and lines[0].startswith("$ "):
            return _prompted(lines)
        text = re.sub(r"\\\n\s*", "", self.text)
        return [Step(line, ()) for line in text.splitlines() if line and line[0] not in "# "]


def _prompted(lines: Iterable[str]) -> list[Step]:
    steps: list[Step] = []
    for line in lines:
        if line.startswith("$ "):
            steps.append(Step(line[2:], ()))
        elif line == ">" or line.startswith("> "):
            steps[-1] = Step(f"{steps[-1].command}\n{line[2:]}", ())
        else:
            steps[-1] = Step(steps[-1].command, (*steps[-1].shown, line))
    return steps


def fences_of(text: str) -> list[Block]:
    """Return every fenced block of a page, whatever its language."""
    blocks = []
    for found in _FENCE.finditer(text):
        mark = _MARK.search(text[: found.start()].rstrip() + "\n")
        inner = re.sub(rf"^{found[1]}", "", found[3], flags=re.MULTILINE)
        blocks.append(Block(found[2] or "", inner, mark[1] if mark else ""))
    return blocks


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of commands of a page, named from the project's root."""
    text = (ROOT / page).read_text("utf-8")
    return [block for block in fences_of(text) if block.language in LANGUAGES]


def steps_of(page: str) -> list[Step]:
    """Return the commands of a page under docs/ that are not marked, in order."""
    blocks = [block for block in blocks_of(f"docs/{page}") if not block.needs]
    return [step for block in blocks for step in block.steps]


def agrees(shown: tuple[str, ...], printed: tuple[str, ...]) -> bool:
    """Tell whether a page shows what was printed; blanks after a line and at the end are left."""
    wanted, came = ("\n".join(map(str.rstrip, lines)).rstrip() for lines in (shown, printed))
    parts = re.split(r"^\.\.\.$", wanted, flags=re.MULTILINE)
    return re.fullmatch(".*".join(map(re.escape, parts)), came, re.DOTALL) is not None


def run_steps(
    steps: list[Step], folder: Path, changes: Mapping[str, str | None] | None = None
) -> list[tuple[str, ...]]:
    """Run the commands in one shell in a folder, and return the lines each of them printed.

    uv is offline and installs into an environment of its own, and the machine has no GPU.
    ``changes`` are variables to set, or to unset. A command that fails fails the page.
    """
    environ = _environment(folder)
    for name, value in (changes or {}).items():
        environ.pop(name, None)
        if value is not None:
            environ[name] = value
    ports = {named: str(_free_port()) for named in PORTS}
    script = "\n".join(f"{_served(step.command, ports)}\necho '{END}'" for step in steps)
    # uv speaks of its progress on stderr, which no page shows.
    head = 'uv() { command uv --quiet "$@"; }\nset -e -o pipefail\n'
    head += "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
    done = subprocess.run(
        ["bash", "-c", head + script],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    printed = done.stdout
    for named, free in ports.items():
        printed = printed.replace(f"127.0.0.1:{free}", f"127.0.0.1:{named}")
    parts = printed.split(f"{END}\n")
    assert done.returncode == 0, f"{steps[len(parts) - 1].command}\n{parts[-1]}"
    return [tuple(part.splitlines()) for part in parts[:-1]]


def _environment(folder: Path) -> dict[str, str]:
    """Make an environment to install into, and return the variables of the shell."""
    bin_folder = Path(sys.executable).parent
    if not (folder / "venv").exists():
        command: list[str | Path] = [
            "venv",
            "-q",
            "--no-config",
            "--python",
            sys.executable,
            folder / "venv",
        ]
        command.insert(0, str(bin_folder / "uv"))
        subprocess.run(command, env=clean_environment(), check=True, timeout=60)
    (folder / ".empty").mkdir()
    return clean_environment() | {
        "PATH": os.pathsep.join((str(folder / TOOLS), str(bin_folder), os.environ["PATH"])),
        "HOME": str(folder),
        "COLUMNS": "100",
        "GITHUB_ENV": str(folder / "github.env"),
        "NV_VARIANT_PROVIDER_ROOT": str(folder / ".empty"),
        "PIP_TARGET": str(folder / ".pip"),
        "PYTHONPATH": str(ROOT),
        "UV_CACHE_DIR": str(folder / ".cache"),
        "UV_OFFLINE": "1",
        "VIRTUAL_ENV": str(folder / "venv"),
    }


def _served(command: str, ports: Mapping[str, str]) -> str:
    """Give the servers of a page ports that are free, and wait until one that starts answers."""
    server = _SERVER.search(command)
    for named, free in ports.items():
        command = re.sub(rf"(127\.0\.0\.1:|http\.server ){named}\b", rf"\g<1>{free}", command)
    if server is None:
        return command
    ask = f"import socket; socket.create_connection(('127.0.0.1', {ports[server[1]]})).close()"
    return f'{command}\nuntil {sys.executable} -c "{ask}" 2> /dev/null; do sleep 0.1; done'


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
