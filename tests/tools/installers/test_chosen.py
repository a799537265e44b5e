"""Whose settings count: pip's, uv's, or those of PDM, Pipenv and Poetry, which read neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.installers.chosen import choose

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.installers.chosen import Chosen

MINE = "https://mine.example/simple/"
OTHER = "https://other.example/simple/"


def chosen(folder: Path, *command: str, **environ: str) -> Chosen:
    settings = {"HOME": str(folder / "home"), "XDG_CONFIG_DIRS": str(folder), "PATH": "", **environ}
    return choose(command, settings, {}, str(folder))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "UV_DEFAULT_INDEX"])
def test_what_may_start_pip_or_uv_asks_the_index_that_either_names(
    tmp_path: Path, name: str
) -> None:
    found = chosen(tmp_path, "tox", "-e", "py", **{name: MINE})

    assert (found.configured.index_url, found.notes) == (MINE, ())


def test_where_pip_and_uv_name_different_indexes_pip_s_count_and_that_is_said(
    tmp_path: Path,
) -> None:
    environ = {"PIP_INDEX_URL": MINE, "UV_INDEX": OTHER}
    same = chosen(tmp_path, "make", PIP_INDEX_URL=MINE, UV_DEFAULT_INDEX=MINE.rstrip("/"))
    found = chosen(tmp_path, "make", **environ)
    (note,) = found.notes

    assert (found.configured.index_url, same.notes) == (MINE, ())
    assert note == (
        "pip and uv are configured with different indexes. The view asks pip's "
        "(https://mine.example/simple) for both, not uv's (https://other.example/simple); with uv"
        " itself as the command, uv's are asked"
    )


@pytest.mark.parametrize(
    ("command", "environ", "index"),
    [
        ("uv run pip install x", {"PIP_INDEX_URL": MINE}, MINE),
        ("uv run pip install x", {"UV_DEFAULT_INDEX": MINE}, MINE),
        ("uvx --from x pip install x", {"PIP_INDEX_URL": MINE, "UV_INDEX": OTHER}, MINE),
        ("uv run make", {"PIP_INDEX_URL": OTHER}, ""),
        ("uv run make", {"PIP_INDEX_URL": OTHER, "UV_DEFAULT_INDEX": MINE}, MINE),
        ("poetry run pip install x", {"PIP_INDEX_URL": MINE}, MINE),
        ("poetry run uv pip install x", {"UV_DEFAULT_INDEX": MINE}, MINE),
        ("timeout 9 uv pip install x", {"UV_DEFAULT_INDEX": MINE}, MINE),
        ("uvx pdm sync", {"PDM_PYPI_URL": MINE, "PIP_INDEX_URL": OTHER}, MINE),
    ],
)
def test_the_installer_that_another_one_starts_counts(
    tmp_path: Path, command: str, environ: dict[str, str], index: str
) -> None:
    assert chosen(tmp_path, *command.split(), **environ).configured.index_url == index


def test_a_file_that_uv_cannot_read_is_no_error_of_what_may_not_start_uv(tmp_path: Path) -> None:
    write(tmp_path / "uv.toml", "not toml")

    assert chosen(tmp_path, "make", PIP_INDEX_URL=MINE).configured.index_url == MINE


def test_pipx_starts_the_uv_that_it_finds(tmp_path: Path) -> None:
    write(tmp_path / "bin" / "uv", "#!/bin/sh\n")
    (tmp_path / "bin" / "uv").chmod(0o755)
    environ = {"PIP_INDEX_URL": OTHER, "UV_DEFAULT_INDEX": MINE}
    with_uv = chosen(tmp_path, "pipx", "install", "a", **environ, PATH=str(tmp_path / "bin"))
    told = chosen(tmp_path, "pipx", "install", "--backend", "uv", "a", **environ)
    without = chosen(tmp_path, "pipx", "install", "a", **environ)

    assert [it.configured.index_url for it in (with_uv, told, without)] == [MINE, MINE, OTHER]


@pytest.mark.parametrize(
    ("tool", "variable"),
    [
        ("pdm", "PDM_PYPI_URL"),
        ("pipenv", "PIPENV_PYPI_MIRROR"),
        ("poetry", "POETRY_PYPI_MIRROR_URL"),
    ],
)
def test_tools_of_projects_have_an_index_of_their_own_and_not_pip_s(
    tmp_path: Path, tool: str, variable: str
) -> None:
    pip = {"PIP_INDEX_URL": OTHER, "PIP_EXTRA_INDEX_URL": OTHER, "PIP_PROXY": "p:1"}
    own = chosen(tmp_path, tool, "install", **{variable: MINE}, **pip).configured
    none = chosen(tmp_path, tool, "install", **pip).configured

    assert (own.index_url, own.extra, own.proxy) == (MINE, (), "p:1")
    assert (none.index_url, none.extra) == ("", ())


def test_pdm_s_file_has_the_index_its_credentials_and_others(tmp_path: Path) -> None:
    write(
        tmp_path / "home" / ".config" / "pdm" / "config.toml",
        f'[pypi]\nurl = "{MINE}"\nusername = "me"\npassword = "w@rd"\nverify_ssl = "false"\n'
        f'[pypi.more]\nurl = "{OTHER}"\nusername = "you"\n',
    )
    found = chosen(tmp_path, "pdm", "sync")
    (warning,) = found.warnings
    write(tmp_path / "pyproject.toml", "")
    write(tmp_path / "pdm.toml", f'[pypi]\nurl = "{OTHER}"\n')
    of_project = chosen(tmp_path, "pdm", "sync").configured.index_url

    assert found.configured.index_url == "https://me:w%40rd@mine.example/simple/"
    assert found.configured.trusted_hosts == ("mine.example",)
    assert warning == (
        f"PDM's configuration names more ({OTHER}): PDM asks there itself, past the view, so a "
        "build from there is not judged"
    )
    assert of_project == "https://me:w%40rd@other.example/simple/"


def test_poetry_s_plugin_is_configured_in_files_too(tmp_path: Path) -> None:
    text = '[plugins.pypi_mirror]\nurl = "{}"\n'
    write(tmp_path / "home" / ".config" / "pypoetry" / "config.toml", text.format(OTHER))
    of_person = chosen(tmp_path, "poetry", "install").configured.index_url
    write(tmp_path / "pyproject.toml", "")
    write(tmp_path / "poetry.toml", text.format(MINE))
    write(
        tmp_path / "home" / ".config" / "pypoetry" / "auth.toml",
        '[http-basic.PyPI]\nusername = "me"\npassword = "word"\n',
    )
    of_project = chosen(tmp_path, "poetry", "install").configured.index_url
    login = {"POETRY_HTTP_BASIC_PYPI_USERNAME": "x", "POETRY_HTTP_BASIC_PYPI_PASSWORD": "y"}
    by_variable = chosen(tmp_path, "poetry", "install", **login).configured.index_url

    assert of_person == OTHER
    assert of_project == "https://me:word@mine.example/simple/"
    assert by_variable == "https://x:y@mine.example/simple/"


@pytest.mark.parametrize(
    ("tool", "name", "text"),
    [
        ("Poetry", "pyproject.toml", "[[tool.poetry.source]]"),
        ("PDM", "pyproject.toml", "[[tool.pdm.source]]"),
        ("Pipenv", "Pipfile", "[[source]]"),
    ],
)
def test_sources_of_a_project_are_asked_past_the_view_and_that_is_said(
    tmp_path: Path, tool: str, name: str, text: str
) -> None:
    write(tmp_path / name, f'{text}\nname = "corp"\nurl = "{MINE}"\n')
    (tmp_path / "sub").mkdir()

    (warning,) = chosen(tmp_path / "sub", tool.lower(), "install").warnings

    assert warning == (
        f"{tmp_path / name} names corp ({MINE}): {tool} asks there itself, past the view, so a "
        "build from there is not judged"
    )
