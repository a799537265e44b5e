"""What the lockers may not do through a view that ends, and what they say instead."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from examples.torch.environment import ensure_environment
from tests.tools.views.clients import clean_environment, installed, run
from tests.tools.views.ways import at_the_server, pipfile, project, tool
from tests.tools.views.worlds import CUDA, Indexes, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.clients,
    pytest.mark.deep,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux"),
]


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
    tmp_path: Path, name: str, command: list[str], file: str
) -> None:
    environ = clean_environment(tmp_path)
    done = run(["--target", "v100@580"], [tool(name), *command], environ, tmp_path)

    assert (done.code, list(tmp_path.glob("*lock*"))) == (2, [])
    assert f"into {file}" in done.output
    assert "hint: use an address that stays" in done.output


def test_poetry_without_its_plugin_stops_and_shows_the_source_to_write(tmp_path: Path) -> None:
    poetry = ensure_environment("view-poetry-alone", ["poetry==2.5.1"]).parent / "poetry"
    (tmp_path / "poetry.lock").touch()
    environ = clean_environment(tmp_path)
    done = run(["--target", "v100@580"], [poetry, "install"], environ, tmp_path)

    assert done.code == 2
    assert "only with its plugin poetry-plugin-pypi-mirror" in done.output
    assert "hint: [[tool.poetry.source]]" in done.output


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "server").mkdir()
    (tmp_path / "app").mkdir()
    with contextlib.ExitStack() as stack:
        yield World(tmp_path / "app", Indexes(CUDA, tmp_path / "server", stack), "v100@580")


def test_pipenv_install_takes_what_its_lock_has(world: World) -> None:
    pipfile(world)
    at_the_server(world, tool("pipenv"), "lock", PIPENV_VENV_IN_PROJECT="1")
    world.run(tool("pipenv"), "install", environ={"PIPENV_VENV_IN_PROJECT": "1"})

    assert installed(world.folder / ".venv")["torch"] == "2.14.1+cu126"


def test_uv_sync_takes_what_its_lock_has(world: World) -> None:
    project(world)
    at_the_server(world, uv_executable(), "lock", "--python", sys.executable)
    lock = (world.folder / "uv.lock").read_bytes()
    world.run(uv_executable(), "sync", "--python", sys.executable)

    assert installed(world.folder / ".venv")["torch"] == "2.14.1+cu126"
    assert (world.folder / "uv.lock").read_bytes() == lock
