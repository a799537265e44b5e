"""Wheels and NVIDIA's own tools from PyPI, kept in ``.cache`` between runs."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE: Final = Path(__file__).parent.parent.parent.parent / ".cache"
_TOOLS: Final = (
    "nvidia-cuda-nvcc==13.5.37",
    "nvidia-cuda-crt==13.5.37",
    "nvidia-nvvm==13.5.37",
    "nvidia-cuda-runtime==13.5.37",
    "nvidia-cuda-cuobjdump==13.5.37",
    "nvidia-nvfatbin==13.5.37",
)


# PyPI has cuobjdump from 13.2 on. Debian packages the toolkits before, one in each release.
_DEBIAN: Final = {"12.4": "trixie", "11.8": "bookworm"}
_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Keep parallel test processes from downloading the same thing twice."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pip(*args: str) -> None:
    command = [sys.executable, "-m", "pip", *args, "--quiet", "--disable-pip-version-check"]
    # An exact file is asked for: what this machine is constrained to is not at issue. An empty
    # value would not take a configured constraint back, an empty file does.
    result = subprocess.run(
        command,
        env={**os.environ, "PIP_CONSTRAINT": os.devnull},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
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


def cuobjdumps() -> Iterator[Path]:
    """Yield ``cuobjdump`` 13.5, 12.4 and 11.8; the older ones are fetched when they are needed."""
    yield tools() / "bin" / "cuobjdump"
    yield from map(_older_cuobjdump, _DEBIAN)


@cache
def _older_cuobjdump(version: str) -> Path:
    program = CACHE / f"cuobjdump-{version}" / "cuobjdump"
    with _alone(program.parent.name):
        if not program.exists():
            program.parent.mkdir(exist_ok=True)
            _fetch_from_debian(_DEBIAN[version], program)
    return program


def _fetch_from_debian(release: str, program: Path) -> None:
    """Fetch the package with apt, from where this machine gets its own, and take one file of it."""
    if not Path(_KEYRING).exists() or shutil.which("apt-get") is None:
        pytest.skip("older versions of cuobjdump come from Debian, with apt-get")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lists" / "partial").mkdir(parents=True)
        places = ["--format", "$(SITE)", "Created-By: Packages"]
        site = _apt("indextargets", *places).splitlines()[0]
        source = f"deb [arch=amd64 signed-by={_KEYRING}] {site} {release} non-free\n"
        (folder / "sources.list").write_text(source)
        (folder / "apt.conf").write_text(
            f'Dir::Etc::sourcelist "{folder}/sources.list";\nDir::Etc::sourceparts "-";\n'
            f'Dir::State::lists "{folder}/lists";\nDir::Cache "{folder}";\n'
            'APT::Sandbox::User "root";\n'
        )
        _apt("update", folder=folder)
        _apt("download", "nvidia-cuda-toolkit:amd64", folder=folder)
        (package,) = folder.glob("nvidia-cuda-toolkit_*.deb")
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "x")], check=True)
        # Beside its place, then renamed: a file that is there is whole.
        shutil.copy2(folder / "x" / "usr" / "bin" / "cuobjdump", f"{program}.part")
        Path(f"{program}.part").rename(program)


def _apt(*words: str, folder: Path | None = None) -> str:
    environment = dict(os.environ, **({"APT_CONFIG": str(folder / "apt.conf")} if folder else {}))
    result = subprocess.run(
        ["apt-get", "-q", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if result.returncode:
        pytest.skip(f"apt-get {words[0]} did not work: {result.stderr[-300:]}")
    return result.stdout


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
