"""Reads a Dockerfile, and runs what needs no engine: each stage gets a folder for its root.

Only what the examples use is understood; anything else is an error, so that nothing is passed over.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Instruction(NamedTuple):
    """One instruction, its lines joined: ``RUN``, ``uv venv && uv pip install torch``."""

    word: str
    text: str


def parse_dockerfile(text: str) -> list[Instruction]:
    """Return the instructions in order; comments and empty lines end nothing and are left out."""
    found: list[Instruction] = []
    open_lines: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        open_lines.append(line.strip().removesuffix("\\").strip())
        if not line.rstrip().endswith("\\"):
            word, _, rest = " ".join(open_lines).partition(" ")
            found.append(Instruction(word.upper(), rest.strip()))
            open_lines = []
    assert not open_lines, f"the file ends within an instruction: {open_lines}"
    return found


class StepError(Exception):
    """A RUN line failed, as it would stop the build; the message holds its output."""


@dataclass
class Builder:
    """Builds a Dockerfile in a folder. ``environ`` is what the base image and the engine give."""

    folder: Path
    environ: Mapping[str, str]
    arguments: Mapping[str, str]
    prepared: tuple[str, ...] = ()
    """How RUN lines begin whose work is already done in ``environ``."""

    skipped: list[str] = field(default_factory=list)
    stages: dict[str, Path] = field(default_factory=dict)
    root: Path = field(init=False)
    _work: str = "/"
    _variables: dict[str, str] = field(default_factory=dict)

    def build(self, instructions: list[Instruction]) -> Path:
        """Carry out every instruction and return the working folder of the last stage."""
        steps: dict[str, Callable[[str], None]] = {
            "FROM": self._from,
            "ARG": self._arg,
            "ENV": self._env,
            "WORKDIR": self._workdir,
            "COPY": self._copy,
            "RUN": self._run,
            "CMD": self._cmd,
        }
        for word, text in instructions:
            steps[word](text)
        return self._inside(self._work)

    def _from(self, text: str) -> None:
        found = re.fullmatch(r"\S+(?: AS (\w+))?", text)
        assert found, text
        self.root = self.folder / f"stage{len(self.stages)}"
        self.root.mkdir()
        self.stages[found[1] or str(len(self.stages))] = self.root
        self._work, self._variables = "/", {}

    def _arg(self, text: str) -> None:
        self._variables[text] = self.arguments[text]

    def _env(self, text: str) -> None:
        name, value = plain_env(text)
        self._variables[name] = value

    def _workdir(self, text: str) -> None:
        self._work = text
        self._inside(text).mkdir(parents=True, exist_ok=True)

    def _copy(self, text: str) -> None:
        if text.startswith(". "):
            # The context, of which the prepared steps install: their work is done already.
            return
        found = re.fullmatch(r"--from=(\w+) /(\S+) /(\S+)", text)
        assert found, text
        shutil.copytree(self.stages[found[1]] / found[2], self.root / found[3], symlinks=True)

    def _run(self, text: str) -> None:
        if text.startswith(self.prepared):
            self.skipped.append(text)
            return
        done = subprocess.run(
            ["/bin/sh", "-c", text],
            cwd=self._inside(self._work),
            env={**self.environ, **self._variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise StepError(f"RUN {text}: exit code {done.returncode}\n{done.stdout}")

    def _cmd(self, text: str) -> None:
        """Leave the command to who starts a container."""

    def _inside(self, path: str) -> Path:
        assert path.startswith("/"), path
        return self.root / path[1:]


def plain_env(text: str) -> tuple[str, str]:
    """Return the name and the value of ``NAME=value``, one and without quotes or variables."""
    found = re.fullmatch(r"(\w+)=([\w.,-]+)", text)
    assert found, text
    return found[1], found[2]
