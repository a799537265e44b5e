"""Wheels and NVIDIA's own tools from PyPI, kept in ``.cache`` between runs."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE: Final = Path(__file__).parent.parent.parent / ".cache"
_TOOLS: Final = (
    "nvidia-cuda-nvcc==13.5.37",
    "nvidia-cuda-crt==13.5.37",
    "nvidia-nvvm==13.5.37",
    "nvidia-cuda-runtime==13.5.37",
    "nvidia-cuda-cuobjdump==13.5.37",
    "nvidia-nvfatbin==13.5.37",
)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Keep parallel test processes from downloading the same thing twice."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pip(*args: str) -> None:
    command = [sys.executable, "-m", "pip", *args, "--quiet", "--disable-pip-version-check"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if result.returncode:
        pytest.skip(f"could not be downloaded: {' '.join(args[:4])}: {result.stderr[-300:]}")


@cache
def tools() -> Path:
    """Return the folder of the CUDA tools: ``bin`` and ``lib`` are below it."""
    folder = CACHE / "cuda-13.5"
    with _alone("cuda-13.5"):
        if not (folder / "complete").exists():
            _pip("install", "--target", str(folder), "--upgrade", "--no-deps", *_TOOLS)
            (folder / "complete").touch()
    return folder / "nvidia" / "cu13"


def wheel(requirement: str, platform: str, python: str = "3.12") -> Path:
    """Return a wheel, for any platform, by ``"name==version"``."""
    name, _, version = requirement.partition("==")
    folder = CACHE / "wheels" / f"{name}-{version}-{platform}"
    with _alone("wheels"):
        if not list(folder.glob("*.whl")):
            tags = [arg for tag in _tags(platform) for arg in ("--platform", tag)]
            chosen = ("--no-deps", "--only-binary", ":all:", "--python-version", python, *tags)
            _pip("download", requirement, *chosen, "--dest", str(folder))
    (path,) = folder.glob("*.whl")
    return path


def _tags(platform: str) -> list[str]:
    """Return the platform tags under which wheels for a platform are published."""
    system, _, machine = platform.partition("_")
    if system == "win":
        return [platform]
    numbered = [f"manylinux_2_{minor}_{machine}" for minor in (17, 24, 25, 27, 28, 31, 34, 35)]
    return [*numbered, f"manylinux2014_{machine}"]
