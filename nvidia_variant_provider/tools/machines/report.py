"""``detect --report``: what an issue needs to hold, as Markdown, without private data.

Versions of Python, pip, uv and torch, the toolkit, where this runs, and every probe. The programs
are asked for their version and nothing else; torch is not imported.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import __version__
from nvidia_variant_provider.detect.surroundings import ANYWHERE
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.rules import judge
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvidia_variant_provider.detect.masking import Masker
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.provider import Answer

SECONDS: Final = 5
PROGRAMS: Final = (
    ("pip", (sys.executable, "-m", "pip", "--version"), r"pip (\S+)"),
    ("uv", ("uv", "--version"), r"uv (\S+)"),
    ("CUDA Toolkit", ("nvcc", "--version"), r"release (\d+\.\d+)"),
    ("docker", ("docker", "--version"), r"version ([^\s,]+)"),
    ("podman", ("podman", "--version"), r"version (\S+)"),
    ("nvidia-ctk", ("nvidia-ctk", "--version"), r"version (\S+)"),
)
_LOCAL: Final = r"cu(\d{2})(\d)"


def render(answer: Answer, lines: Iterable[str], masker: Masker) -> Iterator[str]:
    """Yield the report; ``lines`` are those that ``detect --verbose`` prints."""
    yield "### nvidia-variant-provider detect --report"
    yield ""
    yield "```text"
    rows = (*_versions(), *_torch(answer.detection.machine), *_place(answer))
    for name, text in rows:
        yield masker.mask_text(f"{name:<13}{text}")
    yield ""
    yield from map(masker.mask_text, lines)
    yield "```"


def _versions() -> Iterator[tuple[str, str]]:
    yield "provider", __version__
    yield "Python", ".".join(map(str, sys.version_info[:3]))
    for name, command, pattern in PROGRAMS:
        yield name, _version_of(command, pattern)


def _version_of(command: tuple[str, ...], pattern: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return "none"
    match = re.search(pattern, done.stdout)
    return match[1] if match else "none"


def _torch(machine: Machine) -> Iterator[tuple[str, str]]:
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        version = ""
    yield "torch", describe_torch(version, machine) if version else "none"


def describe_torch(version: str, machine: Machine) -> str:
    """Say which CUDA a torch is built for, by its version, and whether the driver supports that.

    ``2.9.1+cu128`` is built for CUDA 12.8; a version without a label does not say, and ``+cpu`` is
    the CPU build.
    """
    label = version.partition("+")[2]
    match = re.fullmatch(_LOCAL, label)
    if label == "cpu":
        return f"{version} (the CPU build)"
    if match is None:
        return f"{version} (its version does not say for which CUDA)"
    needed = f"{match[1]}.0"
    try:
        fits = judge(machine, LOWER_BOUND, str(CudaVersion.parse(needed))).supported
    except InvalidValueError:
        fits = False
    words = "the driver supports it" if fits else f"needs a driver for CUDA {needed}"
    return f"{version} (CUDA {match[1]}.{match[2]}: {words})"


def _place(answer: Answer) -> Iterator[tuple[str, str]]:
    around = answer.detection.surroundings or ANYWHERE
    yield "container", around.container or "none seen"
    if around.unit:
        yield "unit", around.unit
    if around.slurm_job:
        yield "job", "Slurm"
