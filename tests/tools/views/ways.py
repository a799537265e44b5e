"""How each installer is asked for torch, and what it has installed or locked in the end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from pip._internal.models.index import PyPI

from examples.torch.clients import uv_executable
from examples.torch.environment import ensure_environment
from nvidia_variant_provider.tools.installers.table import by_name
from tests.tools.views.clients import PIPS, installed, new_environment, pip_environment
from tests.tools.views.stand_in import ARM
from tests.tools.views.worlds import SHOW, Ended, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Beside the tool, in the version that docs/installers.md names.
_BESIDE: Final = {
    "pdm": ["hishel<2"],
    # Without uv pipx asks the index for a pip, which the stand-in has not.
    "pipx": ["uv"],
    "poetry": ["poetry-plugin-pypi-mirror==0.6.5"],
    "tox-uv": ["tox-uv"],
}
_PLATFORM: Final = "aarch64-manylinux_2_28"


def tool(name: str) -> str:
    """Return the path of a tool in an environment of its own, made on first use."""
    program = name.removesuffix("-uv")
    wanted = [by_name(program).pin, *_BESIDE.get(name, ())]
    return str(ensure_environment(f"view-{name}", wanted).parent / program)


def ended_in(site: Path, application: str = "") -> Ended:
    """Return what is installed below a folder."""
    (module,) = site.rglob("torch/__init__.py")
    (build,) = re.findall(r"build = '(.+)'", module.read_text())
    found = installed(site)
    found.pop(application, "")
    return Ended(build, found)


def project(world: World, more: str = "") -> None:
    """Write a project that requires torch, and what goes with it on this index."""
    (world.folder / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\n'
        f"dependencies = {json.dumps(world.projects)}\n{more}"
    )


def at_the_server(world: World, *command: str, **environ: str) -> None:
    """Run a command at the address that stays."""
    names = ("UV_DEFAULT_INDEX", "PDM_PYPI_URL", "PIPENV_PYPI_MIRROR", "POETRY_PYPI_MIRROR_URL")
    settings = {**world.environ, **dict.fromkeys(names, world.served), **environ}
    done = subprocess.run(
        command, env=settings, cwd=world.folder, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def _pip(version: str) -> Callable[[World], Ended]:
    def end(world: World) -> Ended:
        site = world.folder / "site"
        cross = ["--platform", ARM, "--only-binary", ":all:"] if world.is_arm else []
        python = pip_environment(version)
        world.run(python, "-m", "pip", "install", "--target", site, *cross, *world.projects)
        return ended_in(site)

    return end


def _uv_pip(world: World) -> Ended:
    python = new_environment(world.folder / "venv")
    cross = ["--python-platform", _PLATFORM] if world.is_arm else []
    world.run(uv_executable(), "pip", "install", "--python", python, *cross, *world.projects)
    return ended_in(world.folder / "venv")


def _uv_project(world: World) -> Ended:
    """Add, lock and sync at the address that stays; sync for the target's processor."""
    uv = uv_executable()
    (world.folder / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\n'
    )
    at_the_server(world, uv, "add", "--no-sync", "--python", sys.executable, *world.projects)
    at_the_server(world, uv, "lock", "--check", "--python", sys.executable)
    cross = ["--python-platform", _PLATFORM] if world.is_arm else []
    at_the_server(world, uv, "sync", "--locked", "--python", sys.executable, *cross)
    return ended_in(world.folder / ".venv")


def _poetry(world: World) -> Ended:
    project(world, "[tool.poetry]\npackage-mode = false\n")
    at_the_server(world, tool("poetry"), "lock", "-n", POETRY_CACHE_DIR=str(world.folder / "c"))
    if world.is_arm:
        return _locked(world, "poetry.lock")
    world.run(tool("poetry"), "install", "-n", environ={"POETRY_VIRTUALENVS_IN_PROJECT": "1"})
    return ended_in(world.folder / ".venv")


def _pdm(world: World) -> Ended:
    project(world, "[tool.pdm]\ndistribution = false\n")
    cross = ["--platform", ARM] if world.is_arm else []
    at_the_server(world, tool("pdm"), "lock", *cross, PDM_CACHE_DIR=str(world.folder / "c"))
    if world.is_arm:
        return _locked(world, "pdm.lock")
    world.run(tool("pdm"), "sync")
    return ended_in(world.folder / ".venv")


def _locked(world: World, lock: str) -> Ended:
    """Return what a lock has for the target's processor; versions are those of the files.

    PDM writes a version without its local part, and the file's name with it.
    """
    packages = tomllib.loads((world.folder / lock).read_text("utf-8"))["package"]
    names = [file["file"] for package in packages for file in package["files"]]
    wheels = [name.split("-") for name in names if name.endswith((f"{ARM}.whl", "any.whl"))]
    torch = ["-".join(parts) for parts in wheels if parts[0] == "torch"]
    return Ended(" ".join(torch), {project: version for project, version, *_ in wheels})


def pipfile(world: World) -> None:
    """Write a Pipfile as Pipenv does: its mirror takes the place of this source alone."""
    names = "".join(f'{name} = "*"\n' for name in world.projects)
    source = f'[[source]]\nurl = "{PyPI.simple_url.rstrip("/")}"\nname = "pypi"\n'
    (world.folder / "Pipfile").write_text(f"{source}verify_ssl = true\n[packages]\n{names}")


def _pipenv(world: World) -> Ended:
    pipfile(world)
    at_the_server(world, tool("pipenv"), "lock", PIPENV_VENV_IN_PROJECT="1")
    world.run(tool("pipenv"), "sync", environ={"PIPENV_VENV_IN_PROJECT": "1"})
    return ended_in(world.folder / ".venv")


def _pipx(world: World) -> Ended:
    pipx = tool("pipx")
    path = f"{os.path.dirname(pipx)}{os.pathsep}{world.environ['PATH']}"
    world.run(pipx, "install", "app", environ={"PATH": path})
    return ended_in(world.folder / "home" / ".local", "app")


def _hatch(installer: str) -> Callable[[World], Ended]:
    def end(world: World) -> Ended:
        (world.folder / "pyproject.toml").write_text(
            '[project]\nname = "app"\nversion = "1"\n[tool.hatch.envs.default]\n'
            f'skip-install = true\ninstaller = "{installer}"\npath = "made"\n'
            f"dependencies = {json.dumps(world.projects)}\n"
        )
        # Else Hatch installs a uv of its own from the index, which the stand-in has not.
        world.run(
            tool("hatch"),
            "env",
            "create",
            environ={"HATCH_ENV_TYPE_VIRTUAL_UV_PATH": uv_executable()},
        )
        return ended_in(world.folder / "made")

    return end


def _tox(name: str) -> Callable[[World], Ended]:
    def end(world: World) -> Ended:
        deps = "\n  ".join(world.projects)
        (world.folder / "tox.ini").write_text(
            f"[tox]\nno_package = true\n[testenv]\ndeps =\n  {deps}\n"
            f'commands = python -c "{SHOW}"\n'
        )
        world.run(tool(name), "-e", "py")
        return ended_in(world.folder / ".tox" / "py")

    return end


def _nox(backend: str) -> Callable[[World], Ended]:
    def end(world: World) -> Ended:
        wanted = ", ".join(map(repr, world.projects))
        (world.folder / "noxfile.py").write_text(
            f"import nox\n\n@nox.session\ndef show(session):\n    session.install({wanted})\n"
        )
        path = f"{os.path.dirname(uv_executable())}{os.pathsep}{world.environ['PATH']}"
        world.run(tool("nox"), "--no-color", "-db", backend, environ={"PATH": path})
        return ended_in(world.folder / ".nox" / "show")

    return end


INSTALLERS: Final = {
    **{f"pip {version}": _pip(version) for version in PIPS},
    "uv pip": _uv_pip,
    "uv project": _uv_project,
    "Poetry": _poetry,
    "PDM": _pdm,
    "Pipenv": _pipenv,
    "pipx": _pipx,
    "Hatch": _hatch("pip"),
    "Hatch with uv": _hatch("uv"),
    "tox": _tox("tox"),
    "tox with uv": _tox("tox-uv"),
    "nox": _nox("venv"),
    "nox with uv": _nox("uv"),
}
# For another processor these install; the next ones lock for it. The rest resolve and install for
# the running interpreter alone.
CROSS: Final = (*(f"pip {version}" for version in PIPS), "uv pip", "uv project")
CROSS_LOCKS: Final = ("Poetry", "PDM")
