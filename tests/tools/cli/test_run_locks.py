"""What ``run`` says of lock files that were written through a view, or made elsewhere."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.cli.run_locks import tell_of_failure, tell_of_written

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:20000/word/simple/"
AGO_S = 60.0


def said(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    *command: str,
    since: float = 0,
    **environ: str,
) -> list[str]:
    tell_of_written(command, {"HOME": str(folder), **environ}, str(folder), URL, since)
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("uv.lock", "delete it and lock anew without run"),
        ("pylock.gpu.toml", "delete it and lock anew without run"),
        ("pyproject.toml", "take that address out of it"),
        ("Pipfile", "take that address out of it"),
        ("dev-requirements.txt", "take that address out of it"),
    ],
)
def test_a_file_that_has_the_view_s_address_is_named_with_the_way_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, again: str
) -> None:
    (tmp_path / name).write_text(f'url = "{URL}torch/"\n')

    assert said(capsys, tmp_path, "make")[:2] == [
        f"warning: {tmp_path / name} now has the address of this view, which has ended",
        f"hint: to undo it: git checkout -- {name}, or {again}",
    ]


@pytest.mark.parametrize("name", ["poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml"])
def test_a_lock_without_addresses_that_was_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).touch()

    assert said(capsys, tmp_path, "sh", "-c", "x")[0] == (
        f"warning: {tmp_path / name} was written meanwhile: if through this view, it has the files "
        "of one machine alone"
    )


def test_what_was_there_before_and_what_needs_no_view_is_not_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "uv.lock").write_text(URL)
    os.utime(tmp_path / "uv.lock", (time.time() - AGO_S,) * 2)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "notes.txt").write_text(URL)

    assert said(capsys, tmp_path, "make", since=time.time() - AGO_S / 2) == []


def test_the_project_of_the_command_is_looked_at_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "uv.lock").write_text(URL)
    lines = said(capsys, tmp_path, "uv", "--project", "p", "run", "make")

    assert lines[0].startswith(f"warning: {tmp_path / 'p' / 'uv.lock'} now has the address")
    assert lines[1].startswith("hint: to undo it: git checkout -- p/uv.lock, or delete it")


def test_what_uv_keeps_of_a_tool_is_named_with_the_way_to_upgrade_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = tmp_path / "tools" / "app" / "uv-receipt.toml"
    receipt.parent.mkdir(parents=True)
    receipt.write_text(f'index = [{{ url = "{URL}" }}]\n')
    lines = said(capsys, tmp_path, "uv", "tool", "install", "app", UV_TOOL_DIR=f"{tmp_path}/tools")

    assert lines == [
        f"note: uv keeps the address of this view, which has ended, in {receipt}",
        "hint: to upgrade: nvidia-variant-provider run -- uv tool upgrade app",
    ]


@pytest.mark.parametrize(
    ("command", "name", "is_told"),
    [
        ("poetry install", "poetry.lock", True),
        ("pdm sync", "pdm.lock", True),
        ("pipenv sync", "Pipfile.lock", True),
        ("pip install torch", "poetry.lock", False),
        ("uv sync", "uv.lock", False),
        ("poetry install", "pdm.lock", False),
    ],
)
def test_a_failure_names_the_lock_that_decides(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    name: str,
    is_told: bool,  # noqa: FBT001 - a column
) -> None:
    (tmp_path / name).touch()
    tell_of_failure(command.split(), str(tmp_path))
    lines = capsys.readouterr().err.splitlines()

    assert bool(lines) is is_told
    assert all(line.startswith((f"note: {name} says which files", "hint: lock")) for line in lines)
