"""Runs a released variantlib against this provider, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.torch.clients import clean_environment
from examples.torch.environment import ensure_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Variantlib:
    """An environment with one release of variantlib and this provider."""

    python: Path
    folder: Path

    def run(
        self, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command ``variantlib``; stdout holds its data, stderr its log."""
        return self._start([str(self.python.with_name("variantlib")), *arguments], settings)

    def run_code(
        self, code: str, *, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a piece of Python in the environment."""
        return self._start([str(self.python), "-c", code], settings)

    def _start(
        self, command: list[str], settings: Mapping[str, str] | None
    ) -> subprocess.CompletedProcess[str]:
        home = {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**clean_environment(), **home, "PATH": path, **(settings or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def variantlib(version: str, folder: Path) -> Variantlib:
    """Return the environment of a release, made on first use; runs start in ``folder``."""
    python = ensure_environment(f"variantlib-{version}", ["-e", ".", f"variantlib[cli]=={version}"])
    return Variantlib(python, folder)
