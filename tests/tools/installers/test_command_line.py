"""A command taken apart: what stands before the installer, its own words, and what it starts."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.tools.installers.command_line import (
    drops_variables,
    layers,
    parse,
    project_folder,
    starts_in_conda,
    working_folder,
)
from nvidia_variant_provider.tools.installers.commands import stops


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/usr/bin/pip3.11 install x", "pip install x"),
        ("python -I -m pip install x", "pip install x"),
        ("python -Im pip install x", "pip install x"),
        ("python -X dev -mpip install x", "pip install x"),
        ("python x.py -m pip", "python x.py -m pip"),
        ("python -m piptools compile x.in", "pip-compile x.in"),
        ("uv pip install x", "uv pip install x"),
        ("uv --directory p lock", "uv lock --directory p"),
        (
            "uv --project p pip --color never install x",
            "uv pip install --project p --color never x",
        ),
        ("pip --timeout 10 lock torch", "pip lock --timeout 10 torch"),
        ("poetry -C p self add x", "poetry self add -C p x"),
        ("hatch -e test env lock", "hatch env lock -e test"),
        ("env A=1 -u B uv lock", "uv lock"),
        ("timeout -s KILL 60 nice -n 5 uv lock", "uv lock"),
        ("sudo -E -u me X=1 pip install x", "pip install x"),
        ("taskset -c 0-3 time -p uv lock", "uv lock"),
        ("stdbuf -oL nohup pdm sync", "pdm sync"),
        ("conda run -n x --no-capture-output pip install y", "pip install y"),
        ("micromamba -r /m run -p /e python -m pip install y", "pip install y"),
        ("pixi run pip install y", "pip install y"),
        ("conda install run", "conda install run"),
        ("env", ""),
        ("timeout 60", ""),
    ],
)
def test_the_installer_and_its_subcommand_come_first(command: str, words: str) -> None:
    assert shlex.join(parse(command.split()).words) == (words or "''")


@pytest.mark.parametrize(
    ("command", "own", "program"),
    [
        ("uv run --with torch python -i x", "run --with torch", "python -i x"),
        ("uv run -p 3.12 -- python -c x -f y -i 3", "run -p 3.12 --", "python -c x -f y -i 3"),
        ("uv run -m pytest -i x", "run -m", "pytest -i x"),
        ("uv run --script a -f x", "run --script", "a -f x"),
        ("uvx --from torch tool -f x", "--from torch", "tool -f x"),
        ("uv tool run ruff -i x", "tool run", "ruff -i x"),
        ("pipx runpip app install -i U", "runpip", "app install -i U"),
        ("poetry run python -i", "run", "python -i"),
        ("hatch -e test run x -i y", "-e test run", "x -i y"),
        ("uv sync --extra run", "sync --extra run", ""),
        ("pip show -f pip", "show -f pip", ""),
    ],
)
def test_what_an_installer_starts_is_not_its_own(command: str, own: str, program: str) -> None:
    line = parse(command.split())

    assert (" ".join(line.own), " ".join(line.program)) == (own, program)


@pytest.mark.parametrize(
    ("command", "takes"),
    [
        ("pip install x", True),
        ("pip --timeout 5 index versions x", True),
        ("pip show -f x", False),
        ("pip cache list -i", False),
        ("pip config set -i x", False),
        ("uv pip sync x", True),
        ("uv pip show -f x", False),
        ("uv python list", False),
        ("uvx x", True),
        ("pip-compile x", True),
        ("sh -c x", False),
    ],
)
def test_options_of_indexes_are_those_of_the_commands_that_have_them(
    command: str,
    takes: bool,  # noqa: FBT001 - a column
) -> None:
    assert parse(command.split()).takes_indexes is takes


def test_an_installer_that_another_one_starts_is_seen_with_its_place() -> None:
    lines = list(
        layers(
            ["env", "A=1", "uv", "run", "--with", "x", "nice", "pip", "install", "-i", "U", "torch"]
        )
    )

    assert [(line.tool, line.subcommand, " ".join(line.own)) for line in lines] == [
        ("uv", ("run",), "run --with x"),
        ("pip", ("install",), "install -i U torch"),
    ]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("sudo pip install x", "sudo"),
        ("sudo -E pip install x", ""),
        ("sudo --preserve-env pip install x", ""),
        ("sudo -EH -u me pip install x", ""),
        # It keeps those that are listed alone.
        ("sudo --preserve-env=A pip install x", "sudo"),
        ("env -iu A pip install x", "env"),
        ("nice sudo pip install x", "sudo"),
        ("env -i pip install x", "env"),
        ("env A=1 pip install x", ""),
        ("pip install sudo", ""),
    ],
)
def test_who_starts_a_command_without_our_variables_is_named(command: str, name: str) -> None:
    assert drops_variables(command.split()) == name


def test_a_command_in_an_environment_of_conda_is_known() -> None:
    commands = ["conda run -n x pip install y", "nice pixi run x", "conda install x", "pip install"]

    assert [starts_in_conda(command.split()) for command in commands] == [True, True, False, False]


@pytest.mark.parametrize(
    ("command", "environ", "folders"),
    [
        ("uv sync", {}, ("/c/", "/c/")),
        ("uv --directory d sync --project=p", {}, ("/c/d", "/c/d/p")),
        ("uv sync", {"UV_WORKING_DIR": "d", "UV_PROJECT": "/p"}, ("/c/d", "/p")),
        ("poetry -C d -P p install", {}, ("/c/d", "/c/d/p")),
        ("poetry -Cd install", {}, ("/c/d", "/c/d")),
        ("pdm sync -p p", {}, ("/c/", "/c/p")),
        ("pip install -C x=y", {}, ("/c/", "/c/")),
    ],
)
def test_options_and_variables_say_where_files_are_looked_for(
    command: str, environ: dict[str, str], folders: tuple[str, str]
) -> None:
    line = parse(command.split())
    named = (working_folder(line, environ, "/c"), project_folder(line, environ, "/c"))

    assert tuple(folder.rstrip("/") for folder in named) == tuple(
        folder.rstrip("/") for folder in folders
    )


WORDS = st.sampled_from(
    ["uv", "pip", "python", "-m", "run", "tool", "--", "install", "-i", "--with", "x", "env", "A=1",
     "timeout", "60", "conda", "-n", "sudo", "-E", "uvx", "poetry", "-C", "lock", "-Im", ""]
)  # fmt: skip


@given(st.lists(WORDS, min_size=1, max_size=9))
def test_every_command_is_taken_apart_and_no_word_is_lost(command: list[str]) -> None:
    line = parse(command)
    inner = list(layers(command))

    assert [*command[: line.begin], *line.own, *line.program] == command
    assert sorted(line.words[1:]) == sorted([*line.own, *line.program])
    assert [layer.begin for layer in inner] == sorted({layer.begin for layer in inner})
    assert isinstance(stops(command, "/nonexistent", {}), str)
