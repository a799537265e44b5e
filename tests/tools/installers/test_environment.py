"""The environment of a command moves no more than it has to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.installers.environment import view_environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform != "linux", reason="the folders are those of Linux")
@pytest.mark.parametrize(
    ("environ", "own", "persons", "path"),
    [
        ({}, "", "", "{home}/.cache/pypoetry/virtualenvs"),
        ({"XDG_CACHE_HOME": "/x"}, "", "", "/x/pypoetry/virtualenvs"),
        ({"POETRY_CACHE_DIR": "/c"}, "", "", "/c/virtualenvs"),
        ({"POETRY_VIRTUALENVS_PATH": "/v"}, "", "path = '/p'", "/v"),
        ({"POETRY_CACHE_DIR": "/c"}, "path = '{cache-dir}/v'", "path = '/p'", "/c/v"),
        ({}, "", "path = '{data-dir}/v'", "{data-dir}/v"),
    ],
    ids=str,
)
def test_poetry_keeps_its_virtual_environments_where_it_finds_them_again(
    tmp_path: Path, environ: dict[str, str], own: str, persons: str, path: str
) -> None:
    config = tmp_path / ".config" / "pypoetry"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(f"[virtualenvs]\n{persons}\n")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "poetry.toml").write_text(f"[virtualenvs]\n{own}\n")
    given = {"HOME": str(tmp_path), **environ}
    child = view_environment(given, "http://127.0.0.1/", "/view", str(tmp_path))

    assert child["POETRY_CACHE_DIR"] == "/view/poetry"
    assert child["POETRY_VIRTUALENVS_PATH"] == path.replace("{home}", str(tmp_path))
