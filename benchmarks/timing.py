"""Paired timing: all cases take turns in one run, so that a busy machine slows them alike."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from compileall import compile_dir
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PACKAGE: Final = Path(__file__).resolve().parents[1] / "nvidia_variant_provider"


@dataclass(slots=True)
class Case:
    """One thing to time: what runs, and the seconds it took each time."""

    name: str
    run: Callable[[], object]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def milliseconds(self) -> float:
        """The median of the wall-clock times."""
        return statistics.median(self.wall) * 1000

    def ratio_to(self, other: Case) -> float:
        """Return the median over the rounds of this case's time by the other's."""
        pairs = zip(self.wall, other.wall, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)

    def cpu_ratio_to(self, other: Case) -> float:
        """Return the same for processor time, which other programs disturb less."""
        return statistics.median(self.cpu) / statistics.median(other.cpu)


def take_turns(cases: Sequence[Case], rounds: int) -> None:
    """Run every case once a round, in an order that changes, after one round that warms up."""
    for index in range(-1, rounds):
        turn = index % len(cases)
        for case in (*cases[turn:], *cases[:turn]):
            spent, started = _child_cpu(), time.perf_counter()
            case.run()
            wall, cpu = time.perf_counter() - started, _child_cpu() - spent
            if index >= 0:
                case.wall.append(wall)
                case.cpu.append(cpu)


def run_quietly(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command that must succeed, where nothing of this repository is imported by chance."""
    subprocess.run(
        command,
        cwd="/",
        env=dict(environment),
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


def install_compiled(folder: Path) -> None:
    """Put the package below a folder as an installer does, with its bytecode."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    compile_dir(folder, quiet=2)


def clean_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which only ``folder`` is importable besides what is installed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(folder), "LC_ALL": "C.UTF-8"}


def describe_interpreter() -> str:
    """Return a line about what was measured with."""
    return f"Python {sys.version.split()[0]} on {sys.platform}, {os.cpu_count()} processors"


def _child_cpu() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
