"""What the lockers may not do through a view that ends, and what they say instead."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from examples.torch.environment import ensure_environment
from tests.tools.views.clients import clean_environment, installed, plain, run
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
        ("poetry", ["-C", ".", "lock"], "poetry.lock"),
        ("hatch", ["env", "lock"], "the environment's lock file"),
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


def test_pipenv_does_not_lock_anew_for_what_is_named(world: World) -> None:
    pipfile(world)
    at_the_server(world, tool("pipenv"), "lock", PIPENV_VENV_IN_PROJECT="1")
    before = (world.folder / "Pipfile.lock").read_bytes()
    done = world.try_run(tool("pipenv"), "install", "torch")

    assert (done.code, (world.folder / "Pipfile.lock").read_bytes()) == (2, before)


def test_pdm_installs_what_an_older_lock_lacks_and_leaves_the_lock(world: World) -> None:
    project(world, "[tool.pdm]\ndistribution = false\n")
    pyproject = world.folder / "pyproject.toml"
    whole = pyproject.read_text()
    pyproject.write_text(whole.replace(', "torchvision"', ""))
    at_the_server(world, tool("pdm"), "lock", PDM_CACHE_DIR=str(world.folder / "c"))
    before = (world.folder / "pdm.lock").read_bytes()
    pyproject.write_text(whole)
    done = world.try_run(tool("pdm"), "install")

    assert (done.code, (world.folder / "pdm.lock").read_bytes()) == (0, before)
    assert b"torchvision" not in before
    assert installed(world.folder / ".venv").items() >= {
        ("torch", "2.14.1+cu126"),
        ("torchvision", "0.29.1+cu126"),
    }


@pytest.mark.parametrize(
    ("name", "lock", "install"),
    [
        ("poetry", ["lock", "-n"], ["install", "-n"]),
        ("pdm", ["lock"], ["sync"]),
    ],
    ids=["poetry", "pdm"],
)
def test_a_lock_of_another_index_fails_and_is_named(
    world: World, name: str, lock: list[str], install: list[str]
) -> None:
    project(world, "[tool.pdm]\ndistribution = false\n[tool.poetry]\npackage-mode = false\n")
    plain([tool(name)], lock, world.environ | {"PDM_CACHE_DIR": "c"}, world.folder)
    done = world.try_run(tool(name), *install)

    assert done.code == 1
    assert f"note: {name}.lock says which files are installed" in done.output


def test_uv_compares_a_lock_with_the_indexes_that_it_is_of(world: World) -> None:
    project(world)
    uv = uv_executable()
    plain([uv], ["lock", "--python", sys.executable], world.environ, world.folder)
    done = world.try_run(uv, "sync", "--locked", "--python", sys.executable)
    by_variable = world.try_run(uv, "sync", environ={"UV_LOCKED": "1"})

    assert (done.code, by_variable.code) == (0, 0)
    assert installed(world.folder / ".venv")["torch"] == "2.15.0"
    assert "uv.lock decides, and its torch is no build for this GPU" in done.output


def test_uv_s_note_of_the_view_is_named_and_the_upgrade_works(world: World) -> None:
    uv = uv_executable()
    places = {"UV_TOOL_DIR": str(world.folder / "tools"), "UV_TOOL_BIN_DIR": str(world.folder)}
    words = ("tool", "install", "--python", sys.executable, "app")
    done = world.try_run(uv, *words, environ=places)
    again = world.try_run(uv, "tool", "upgrade", "--reinstall", "app", environ=places)

    assert (done.code, again.code) == (0, 0)
    assert "note: uv keeps the address of this view" in done.output
    assert "hint: to upgrade: nvidia-variant-provider run -- uv tool upgrade app" in done.output
    assert installed(world.folder / "tools")["torch"] == "2.14.1+cu126"


def test_options_of_a_program_that_uv_starts_arrive(world: World) -> None:
    script = "import sys; print(sys.argv[1:])"
    words = ("run", "--python", sys.executable, "--with", "torch", "python", "-c", script)
    done = world.try_run(uv_executable(), *words, "-f", "conf.yaml", "-i", "3")

    assert done.code == 0
    assert "['-f', 'conf.yaml', '-i', '3']" in done.output
    assert not (world.folder / "uv.lock").exists()
