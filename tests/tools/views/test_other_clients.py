"""Poetry, PDM, Pipenv, pipx, Hatch, tox and nox through a view, with their own ways to lock."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pip._internal.models.index import PyPI

from examples.torch.environment import ensure_environment
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.views.loopback import Loopback
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.place import open_place
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream
from tests.tools.views.clients import Done, clean_environment, installed, run
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import cuda_index, main_index, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.clients,
    pytest.mark.deep,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux"),
]
TARGET = "v100@580"
# As in test_clients.py: target, version of torch, the library of its CUDA.
MACHINES = [
    ("", "2.15.0+cpu", {}),
    ("gtx-1080-ti@580", "2.14.1+cu126", {"nvidia_cublas_cu12": "1.126"}),
    (TARGET, "2.14.1+cu126", {"nvidia_cublas_cu12": "1.126"}),
    ("h100@550", "2.14.1+cu126", {"nvidia_cublas_cu12": "1.126"}),
    ("rtx-5090@580", "2.15.0", {"nvidia_cublas_cu13": "1.132"}),
    ("a10+t4@580", "2.15.0", {"nvidia_cublas_cu13": "1.132"}),
    ("sm_107@615", "2.15.0", {"nvidia_cublas_cu13": "1.132"}),
]
SHOW = "import torch; print(torch.build)"
PROJECT = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.10"
dependencies = ["torch"]
"""
# As Pipenv writes it: its mirror takes the place of this source alone.
PIPFILE = f"""\
[[source]]
url = "{PyPI.simple_url.rstrip("/")}"
verify_ssl = true
name = "pypi"

[packages]
torch = "*"
"""
NOXFILE = f"""\
import nox

@nox.session
def show(session):
    session.install("torch")
    session.run("python", "-c", {SHOW!r})
"""
TOX = f"""\
[tox]
no_package = true
[testenv]
deps = torch
commands = python -c "{SHOW}"
"""
HATCH = """\
[project]
name = "app"
version = "1"
[tool.hatch.envs.default]
skip-install = true
dependencies = ["torch"]
"""


class World:
    """Both indexes, a project folder, and a view that outlives commands, as a server's would."""

    def __init__(
        self, folder: Path, row: tuple[str, str, dict[str, str]], main: str, cuda: str, served: str
    ) -> None:
        target, torch, library = row
        self.folder = folder
        self.served = served
        self.build = f"torch-{torch}-cp310-abi3-manylinux_2_28_x86_64.whl"
        self.installed = {"torch": torch, "typing_extensions": "4.12.0", **library}
        named = ["--target", target] if target else []
        self.options = [*named, "--cuda-index", f"{cuda}/whl"]
        index = f"{main}/simple/"
        names = (
            "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "PDM_PYPI_URL", "PIPENV_PYPI_MIRROR",
            "POETRY_PYPI_MIRROR_URL",
        )  # fmt: skip
        self.environ = clean_environment(folder / "home", **dict.fromkeys(names, index))
        self.environ |= {"POETRY_VIRTUALENVS_IN_PROJECT": "1", "PIPENV_VENV_IN_PROJECT": "1"}

    def run(self, *command: str) -> Done:
        return run(self.options, command, self.environ, self.folder)

    def lock(self, *command: str, **environ: str) -> None:
        """Lock through the address that stays."""
        subprocess.run(
            command, env=self.environ | environ, cwd=self.folder, check=True, capture_output=True
        )


@pytest.fixture
def row(request: pytest.FixtureRequest) -> tuple[str, str, dict[str, str]]:
    """The machine that a test is about; one row unless it asks for all."""
    given: tuple[str, str, dict[str, str]] = getattr(request, "param", MACHINES[2])
    return given


@pytest.fixture
def world(tmp_path: Path, row: tuple[str, str, dict[str, str]]) -> Iterator[World]:
    main = main_index()
    app = make_wheel(
        "app-1.0-py3-none-any.whl",
        ["torch"],
        {
            "app-1.0.dist-info/entry_points.txt": "[console_scripts]\napp = app:main\n",
            "app/__init__.py": f"def main():\n    {SHOW}\n",
        },
    )
    main.add_page("/simple/", "app", {"app-1.0-py3-none-any.whl": app})
    (tmp_path / "home").mkdir()
    with contextlib.ExitStack() as stack:
        main_url = stack.enter_context(main.serving())
        cuda_url = stack.enter_context(cuda_index().serving())
        upstream = Upstream(Fetcher({}), [f"{main_url}/simple/"])
        family = CudaFamily(upstream.fetcher, f"{cuda_url}/whl", frozenset({"torch"}))
        service = ViewService(upstream, lambda: Wanted(machine(row[0])), [family])
        served = stack.enter_context(Loopback(service, open_place("token")).running())
        yield World(tmp_path, row, main_url, cuda_url, served)


EVERY_MACHINE = pytest.mark.parametrize(
    "row", MACHINES, indirect=True, ids=[target or "no-gpu" for target, _, _ in MACHINES]
)


def tool(name: str) -> str:
    requirements = {
        "pdm": ["pdm==2.29.4", "hishel<2"],
        # Without uv pipx asks the index for a pip, which the stand-in has not.
        "pipx": ["pipx", "uv"],
        "poetry": ["poetry==2.5.1", "poetry-plugin-pypi-mirror==0.6.5"],
    }.get(name, [name])
    return str(ensure_environment(f"view-{name}", requirements).parent / name)


@EVERY_MACHINE
@pytest.mark.parametrize(
    ("name", "file", "text", "command"),
    [
        ("nox", "noxfile.py", NOXFILE, ["--no-color", "-db", "venv"]),
        ("tox", "tox.ini", TOX, ["-e", "py"]),
        ("hatch", "pyproject.toml", HATCH, ["run", "python", "-c", SHOW]),
    ],
    ids=["nox", "tox", "hatch"],
)
def test_tools_that_start_an_installer_hand_the_view_on(
    world: World, name: str, file: str, text: str, command: list[str]
) -> None:
    (world.folder / file).write_text(text)
    done = world.run(tool(name), *command)

    assert (done.code, world.build in done.output) == (0, True), done.output


@EVERY_MACHINE
def test_pipx_installs_an_application_with_the_build_that_fits(world: World) -> None:
    pipx = tool("pipx")
    world.environ["PATH"] = f"{os.path.dirname(pipx)}{os.pathsep}{world.environ['PATH']}"
    done = world.run(pipx, "install", "app")
    assert done.code == 0, done.output
    shown = subprocess.run(
        [world.folder / "home" / ".local" / "bin" / "app"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout.strip() == world.build


@pytest.mark.parametrize(
    ("name", "command", "file"),
    [
        ("pdm", ["add", "torch"], "pdm.lock"),
        ("pdm", ["install"], "pdm.lock"),
        ("poetry", ["add", "torch"], "poetry.lock"),
        ("pipenv", ["lock"], "Pipfile.lock"),
        ("pipenv", ["install"], "Pipfile.lock"),
    ],
    ids=lambda it: it if isinstance(it, str) else " ".join(it),
)
def test_what_would_lock_this_view_s_hashes_stops_and_says_what_works(
    world: World, name: str, command: list[str], file: str
) -> None:
    done = world.run(tool(name), *command)

    assert (done.code, list(world.folder.glob("*lock*"))) == (2, [])
    assert f"into {file}" in done.output
    assert "hint: use an address that stays" in done.output


def test_poetry_without_its_plugin_stops_and_shows_the_source_to_write(world: World) -> None:
    poetry = ensure_environment("view-poetry-alone", ["poetry==2.5.1"]).parent / "poetry"
    (world.folder / "poetry.lock").touch()
    done = world.run(str(poetry), "install")

    assert done.code == 2
    assert "only with its plugin poetry-plugin-pypi-mirror" in done.output
    assert "hint: [[tool.poetry.source]]" in done.output


@EVERY_MACHINE
def test_pdm_installs_from_a_lock_of_an_address_that_stays(world: World) -> None:
    (world.folder / "pyproject.toml").write_text(f"{PROJECT}[tool.pdm]\ndistribution = false\n")
    cache = str(world.folder / "cache")
    world.lock(tool("pdm"), "lock", PDM_PYPI_URL=world.served, PDM_CACHE_DIR=cache)
    done = world.run(tool("pdm"), "sync")

    assert (done.code, installed(world.folder / ".venv")) == (0, world.installed), done.output


@EVERY_MACHINE
def test_poetry_installs_from_a_lock_of_an_address_that_stays(world: World) -> None:
    (world.folder / "pyproject.toml").write_text(f"{PROJECT}[tool.poetry]\npackage-mode = false\n")
    cache = str(world.folder / "cache")
    world.lock(
        tool("poetry"), "lock", "-n", POETRY_PYPI_MIRROR_URL=world.served, POETRY_CACHE_DIR=cache
    )
    done = world.run(tool("poetry"), "install", "-n")

    assert (done.code, installed(world.folder / ".venv")) == (0, world.installed), done.output


@EVERY_MACHINE
@pytest.mark.parametrize("command", ["sync", "install"])
def test_pipenv_installs_from_a_lock_of_an_address_that_stays(world: World, command: str) -> None:
    (world.folder / "Pipfile").write_text(PIPFILE)
    world.lock(tool("pipenv"), "lock", PIPENV_PYPI_MIRROR=world.served)
    done = world.run(tool("pipenv"), command)

    assert (done.code, installed(world.folder / ".venv")) == (0, world.installed), done.output


@EVERY_MACHINE
def test_uv_locks_and_syncs_at_an_address_that_stays(world: World) -> None:
    from examples.torch.clients import uv_executable

    uv = str(uv_executable())
    (world.folder / "pyproject.toml").write_text(PROJECT)
    world.lock(uv, "lock", "--python", sys.executable, UV_DEFAULT_INDEX=world.served)
    world.lock(uv, "sync", "--python", sys.executable, UV_DEFAULT_INDEX=world.served)
    lock = (world.folder / "uv.lock").read_text()

    assert installed(world.folder / ".venv") == world.installed
    assert f"torch-{world.installed['torch'].replace('+', '%2B')}-" in lock
    assert os.path.exists(world.folder / ".venv")
