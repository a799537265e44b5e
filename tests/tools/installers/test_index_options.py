"""Options that name indexes are found as pip and uv take them, and nothing of other programs is."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.tools.installers.commands import words_of
from nvidia_variant_provider.tools.installers.index_options import (
    index_in_pip_args,
    program_of,
    shared_options,
    without_index_options,
    without_option,
    without_variables,
)

FOUND = {"index-url": ["U"]}


@pytest.mark.parametrize(
    ("command", "kept", "found"),
    [
        ("pip install -i U torch", "pip install torch", FOUND),
        ("pip install --index-url=U", "pip install", FOUND),
        ("pip install --extra-index-url A --extra-index-url=B", "pip install",
         {"extra-index-url": ["A", "B"]}),
        ("pip install -fdir --no-index x", "pip install x",
         {"find-links": ["dir"], "no-index": [""]}),
        ("pip install torch", "pip install torch", {}),
        ("pip install --ind U torch", "pip install torch", FOUND),
        ("pip install --extra-index U torch", "pip install torch", {"extra-index-url": ["U"]}),
        ("pip install --find=d --no-ind x", "pip install x",
         {"find-links": ["d"], "no-index": [""]}),
        ("pip install -qqUi U torch", "pip install -qqU torch", FOUND),
        ("pip install -qiU -r f", "pip install -q -r f", FOUND),
        ("python -Im pip install -i U x", "python -Im pip install x", FOUND),
        ("python -mpip install -i U x", "python -mpip install x", FOUND),
        ("pip show -f pip", "pip show -f pip", {}),
        ("uv pip install --index a=U --default-index V x", "uv pip install x",
         {"index": ["a=U"], "default-index": ["V"]}),
        ("uv pip install --index-u U", "uv pip install --index-u U", {}),
        ("uv run -i U x.py -i 3", "uv run x.py -i 3", FOUND),
        ("uv run --with y -- x -f z", "uv run --with y -- x -f z", {}),
        ("uv run --with y python -i", "uv run --with y python -i", {}),
        ("uv --directory d run -f l prog -f z", "uv --directory d run prog -f z",
         {"find-links": ["l"]}),
        ("uv tool run --from p -i U app -i 3", "uv tool run --from p app -i 3", FOUND),
        ("uvx -i U app -f x", "uvx app -f x", FOUND),
        ("pipx install -i U app", "pipx install app", FOUND),
        ("pipx run app -i U", "pipx run app -i U", {}),
        ("pip-compile -i U r.in", "pip-compile r.in", FOUND),
        ("pipenv install --pypi-mirror U -i x", "pipenv install -i x", FOUND),
        ("poetry install -i U", "poetry install -i U", {}),
        ("grep -i U -f x", "grep -i U -f x", {}),
    ],
    ids=str,
)  # fmt: skip
def test_options_that_name_indexes_are_taken_out(
    command: str, kept: str, found: dict[str, list[str]]
) -> None:
    assert without_index_options(command.split()) == (kept.split(), found)


def test_options_that_the_view_goes_by_stay() -> None:
    command = ["uv", "run", "--directory", "d", "--no-config", "--cert=c", "prog", "--cert", "x"]

    assert shared_options(command) == {"directory": ["d"], "no-config": [""], "cert": ["c"]}


def test_an_option_of_the_installer_is_taken_out_with_its_value() -> None:
    command = ["uvx", "--torch-backend", "auto", "app", "--torch-backend", "x"]

    assert without_option(command, "--torch-backend") == (
        ["uvx", "app", "--torch-backend", "x"],
        "auto",
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python -Im pip install x", "pip install x"),
        ("python -X dev -W ignore -mpip install x", "pip install x"),
        ("python -BXdev -m pip", "pip"),
        ("python -m piptools compile x", "pip-compile x"),
        ("python -c -m pip", "python -c -m pip"),
        ("python x.py -m pip", "python x.py -m pip"),
        ("python -m", "python -m"),
    ],
)
def test_a_module_is_known_behind_the_options_of_its_python(command: str, words: str) -> None:
    assert words_of(command.split()) == words.split()


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("uv run --with y a.py -i", "a.py"),
        ("uv run -- a.py", "a.py"),
        ("uvx app", "app"),
        ("uv pip install a.py", ""),
        ("uv run", ""),
    ],
)
def test_the_program_that_uv_starts_is_known(command: str, program: str) -> None:
    assert program_of(command.split()) == program


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["pipx", "install", "--pip-args=-q --index-url U", "app"], "index-url"),
        (["pipx", "install", "app", "--pip-args", "-fU"], "find-links"),
        (["pip-compile", "--pip-args", "--extra-index U", "r.in"], "extra-index-url"),
        (["pipx", "install", "--pip-args=--pre", "app"], ""),
        (["pipx", "run", "app", "--pip-args=-i U"], ""),
        (["pipx", "install", "--pip-args=-i '", "app"], ""),
        (["make", "--pip-args=-i U"], ""),
    ],
)
def test_an_index_that_pipx_hands_to_its_installer_is_seen(command: list[str], option: str) -> None:
    assert index_in_pip_args(command) == option


def test_what_env_sets_of_indexes_is_taken_out() -> None:
    command = "timeout 9 env A=1 PIP_INDEX_URL=U -u B pip install PIP_INDEX_URL=x"
    kept, variables = without_variables(command.split())

    assert " ".join(kept) == "timeout 9 env A=1 -u B pip install PIP_INDEX_URL=x"
    assert variables == {"A": "1", "PIP_INDEX_URL": "U"}
    assert without_variables(["pip", "install", "x"]) == (["pip", "install", "x"], {})
