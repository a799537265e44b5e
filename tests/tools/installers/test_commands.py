"""The table of commands: what passes through a view, what stops, and what a lock decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.installers.commands import (
    is_alone,
    is_harmless,
    lock_of,
    needs_plugin,
    stops,
    variables_for,
)

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")
SCRIPT = "# /// script\n# dependencies = []\n# ///\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[project]\nname = 'app'\nversion = '1'\n")
    return folder


@pytest.mark.parametrize(
    ("command", "without_lock", "with_lock"),
    [
        ("pip install torch", "", ""),
        ("pip lock torch", "pylock.toml", "pylock.toml"),
        ("pip --timeout 10 lock torch", "pylock.toml", "pylock.toml"),
        ("pip-compile requirements.in", "its output", "its output"),
        ("pip-compile --no-emit-index-url requirements.in", "", ""),
        ("pip-compile --no-emit-index-url --generate-hashes x.in", "its output", "its output"),
        ("python -m piptools compile x.in", "its output", "its output"),
        ("uv pip install torch", "", ""),
        ("uv pip compile x.in", "", ""),
        ("uv pip compile --emit-index-url x.in", "its output", "its output"),
        ("uv pip compile --emit-index-annotation x.in", "its output", "its output"),
        ("uv pip compile --generate-hashes x.in", "its output", "its output"),
        ("uv pip compile x.in -o pylock.gpu.toml", "its output", "its output"),
        ("uv pip compile x.in --format=pylock.toml", "its output", "its output"),
        ("uv pip sync pylock.toml", "", ""),
        ("uv --quiet lock", "uv.lock", "uv.lock"),
        ("uv --color never lock", "uv.lock", "uv.lock"),
        ("env A=1 timeout 60 uv lock", "uv.lock", "uv.lock"),
        ("uv lock --check", "", ""),
        ("uv add torch", "uv.lock", "uv.lock"),
        ("uv version", "", ""),
        ("uv version --short", "", ""),
        ("uv version 2.0", "uv.lock", "uv.lock"),
        ("uv version --bump patch", "uv.lock", "uv.lock"),
        ("uv version --frozen --bump patch", "", ""),
        ("uv sync", "uv.lock", ""),
        ("uv sync --locked", "", ""),
        ("uv sync -U", "uv.lock", "uv.lock"),
        ("uv sync -Ptorch", "uv.lock", "uv.lock"),
        ("uv export", "uv.lock", ""),
        ("uv export --frozen", "uv.lock", ""),
        ("uv run x.py", "uv.lock", ""),
        ("uv run --no-project x.py", "", ""),
        ("uv run --no-sync x.py", "", ""),
        ("uv run script.py -U", "", ""),
        ("uv run --no-project uv lock", "uv.lock", "uv.lock"),
        ("uv tool install app", "", ""),
        ("poetry install", "poetry.lock", ""),
        ("poetry -C . install", "poetry.lock", ""),
        ("poetry add torch", "poetry.lock", "poetry.lock"),
        ("poetry self lock", "poetry.lock", "poetry.lock"),
        ("poetry version 2.0", "", ""),
        ("pdm sync", "pdm.lock", ""),
        ("pdm install", "pdm.lock", ""),
        ("pdm lock", "pdm.lock", "pdm.lock"),
        ("pdm lock --check", "", ""),
        ("pdm add --frozen-lockfile torch", "", ""),
        ("pdm export", "", ""),
        ("pdm export -f pylock", "its output", "its output"),
        ("pipenv install", "Pipfile.lock", ""),
        ("pipenv requirements", "its output", "its output"),
        ("pipenv requirements --exclude-index", "", ""),
        ("pipenv install --skip-lock", "", ""),
        ("pipenv install --dev", "Pipfile.lock", ""),
        ("pipenv install torch", "Pipfile.lock", "Pipfile.lock"),
        ("pipenv install -r x.txt", "Pipfile.lock", "Pipfile.lock"),
        ("pipenv install -e .", "Pipfile.lock", "Pipfile.lock"),
        ("pipenv lock", "Pipfile.lock", "Pipfile.lock"),
        ("pipx install app", "", ""),
        ("pipx manifest lock m.toml", "the lock files", "the lock files"),
        ("hatch env lock", "lock file", "lock file"),
        ("hatch -e gpu dep lock", "lock file", "lock file"),
        ("hatch lock --check", "", ""),
        ("tox -e py", "", ""),
        ("sh -c true", "", ""),
    ],
)
def test_a_command_stops_if_it_would_write_what_only_the_view_has(
    project: Path, command: str, without_lock: str, with_lock: str
) -> None:
    (project / "script.py").write_text(SCRIPT)
    alone = stops(command.split(), str(project), {})
    for name in LOCKS:
        (project / name).touch()
    locked = stops(command.split(), str(project), {})

    assert (bool(alone), bool(locked)) == (bool(without_lock), bool(with_lock))
    assert without_lock in alone
    assert with_lock in locked


@pytest.mark.parametrize(
    "command", ["poetry", "poetry --version", "pip -V", "uv lock --help", "pip lock -h", "pdm -V"]
)
def test_what_prints_its_use_or_its_version_is_never_refused(project: Path, command: str) -> None:
    assert is_harmless(command.split())
    assert stops(command.split(), str(project), {}) == ""


@pytest.mark.parametrize(
    "command", ["uv sync", "pip install x", "uvx x", "uv run x --help", "make", "pip-compile"]
)
def test_what_may_install_is_not_harmless(command: str) -> None:
    assert not is_harmless(command.split())


def test_uv_outside_a_project_and_with_a_script_of_its_own_writes_no_lock(
    tmp_path: Path, project: Path
) -> None:
    (project / "script.py").write_text(SCRIPT)
    commands = ["uv run --with torch python", "uv sync", "uv run script.py"]

    assert [stops(command.split(), str(tmp_path), {}) for command in commands] == ["", "", ""]
    assert stops(["uv", "run", "script.py"], str(project), {}) == ""
    assert stops(["uv", "sync"], str(project), {"UV_NO_PROJECT": "1"}) == ""
    assert stops(["uv", "run", "x"], str(project), {"UV_NO_SYNC": "1"}) == ""
    assert stops(["uv", "sync"], str(project), {"UV_NO_SYNC": "1"}) != ""


def test_a_project_that_uv_does_not_manage_has_no_lock(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write("[tool.uv]\nmanaged = false\n")

    assert stops(["uv", "run", "x.py"], str(project), {}) == ""


def test_a_lock_is_looked_for_where_the_command_says(tmp_path: Path, project: Path) -> None:
    (project / "uv.lock").touch()
    commands = ["uv sync --project project", "uv --directory project sync", "uv sync"]
    locks = [lock_of(command.split(), str(tmp_path), {}) for command in commands]

    assert locks == [str(project / "uv.lock"), str(project / "uv.lock"), ""]
    assert [stops(command.split(), str(tmp_path), {}) for command in commands] == ["", "", ""]


def test_a_missing_lock_is_named_with_its_folder(tmp_path: Path, project: Path) -> None:
    here = stops(["uv", "sync"], str(project), {})
    there = stops(["uv", "sync", "--project", "project"], str(tmp_path), {})
    nowhere = stops(["uv", "sync", "--project", "x"], str(project), {})

    assert here.startswith("there is no uv.lock here, and the command would write")
    assert there.startswith(f"there is no uv.lock in {project}, and")
    assert nowhere.startswith(f"there is no uv.lock in {project / 'x'}, and")


def test_a_lock_decides_by_a_variable_where_there_is_one(project: Path) -> None:
    (project / "script.py").write_text(SCRIPT)
    before = variables_for(["uv", "run", "script.py"], str(project), {})
    for name in (*LOCKS, "script.py.lock"):
        (project / name).touch()
    commands = ["uv run script.py", "uv sync", "pdm install", "pipenv install", "pdm sync"]
    after = [variables_for(command.split(), str(project), {}) for command in commands]

    assert (before, after) == (
        {},
        [
            {"UV_FROZEN": "1"},
            {"UV_FROZEN": "1"},
            {"PDM_FROZEN_LOCKFILE": "1"},
            {"PIPENV_IGNORE_PIPFILE": "1"},
            {},
        ],
    )


@pytest.mark.parametrize(
    ("command", "environ", "alone"),
    [
        ("uv sync --locked", {}, True),
        ("uv lock --check", {}, True),
        ("uv sync", {"UV_LOCKED": "1"}, True),
        ("uv sync", {"UV_LOCKED": "0"}, False),
        ("uv pip install x", {"UV_LOCKED": "1"}, False),
        ("uv run -- x --locked", {}, False),
        ("pip install x", {}, False),
    ],
)
def test_who_compares_a_lock_with_its_indexes_runs_without_the_view(
    project: Path,
    command: str,
    environ: dict[str, str],
    alone: bool,  # noqa: FBT001 - a column
) -> None:
    (project / "uv.lock").touch()

    assert is_alone(command.split(), environ) is alone
    assert bool(lock_of(command.split(), str(project), environ)) is ("pip" not in command)


def test_poetry_needs_its_plugin_to_install_alone() -> None:
    commands = ["poetry install", "poetry -C x sync", "poetry run x", "poetry --version"]

    assert [needs_plugin(command.split()) for command in commands] == [True, True, False, False]


LOCK = """\
version = 1
[[package]]
name = "app"
version = "1"
source = {{ virtual = "." }}

[package.metadata]
requires-dist = [
{rows}]

[[package]]
name = "torch"
version = "2.14.1"
source = {{ registry = "https://main.example/simple" }}
"""


@pytest.mark.parametrize(
    ("dependencies", "rows", "why"),
    [
        (["torch"], '{ name = "torch" },', ""),
        (["torch >=2, <3"], '{ name = "torch", specifier = "<3,>=2" },', ""),
        (["torch<3"], '{ name = "torch", specifier = "<3.0" },', ""),
        (["torch<3"], '{ name = "torch" },', "pyproject.toml asks for torch<3"),
        (["torch", "Typing_Extensions"], '{ name = "torch" },', "asks for typing-extensions"),
        ([], '{ name = "torch" },', "pyproject.toml no longer asks for torch"),
        (
            ["torch==2.1; sys_platform == 'linux'", "torch==2.2; sys_platform != 'linux'"],
            '{ name = "torch", specifier = "==2.2" }, { name = "torch", specifier = "==2.1" },',
            "",
        ),
        (["app2>1"], '{ name = "app2", editable = "../app2" },', ""),
        ([], '{ name = "torch", marker = "extra == \'gpu\'" },', ""),
        (["torch; extra == 'gpu'"], '{ name = "torch", marker = "extra == \'gpu\'" },', ""),
        (
            ["Torch_Vision (>=0.2,!=0.3.*); python_version < '3.8'"],
            '{ name = "torch-vision", marker = "x", specifier = ">=0.2,!=0.3.*" },',
            "",
        ),
        (["not a requirement!"], "", ""),
    ],
)
def test_a_lock_of_uv_that_is_out_of_date_stops(
    project: Path, dependencies: list[str], rows: str, why: str
) -> None:
    (project / "uv.lock").write_text(LOCK.format(rows=f"    {rows}\n"))
    with (project / "pyproject.toml").open("a") as file:
        file.write(f"dependencies = {dependencies}\n")
    reason = stops(["uv", "sync"], str(project), {})

    assert bool(reason) is bool(why)
    assert why in reason
