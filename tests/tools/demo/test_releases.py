"""Stand-in wheels: sound, installable names, and never mixed with real ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.demo.releases import RELEASES, write_releases
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

if TYPE_CHECKING:
    from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_folder_is_sound_and_says_of_itself_that_it_is_a_stand_in(tmp_path: Path) -> None:
    write_releases(tmp_path)
    wheels = sorted(tmp_path.glob("*.whl"))
    builds = sum(map(len, RELEASES.values()))

    assert len(wheels) == builds + 2 * len(RELEASES)
    for path in wheels:
        with OpenWheel(path) as wheel:
            wheel.check()
            assert b"A stand-in for demonstrations" in wheel.metadata


def test_writing_again_gives_the_same_bytes_and_leaves_what_others_made(tmp_path: Path) -> None:
    write_releases(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    write_releases(tmp_path)

    assert contents(tmp_path) == before


def test_a_folder_of_other_wheels_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    real = "torch-2.14.1-cp312-cp312-manylinux_2_28_x86_64.whl"
    (tmp_path / real).touch()

    with pytest.raises(InvalidValueError, match=re.escape(f"has other wheels ({real})")):
        write_releases(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [real]


def test_the_command_names_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["demo-index", str(tmp_path / "new" / "wheels")])

    assert code == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"{tmp_path}/new/wheels: torch 2.10.0 (stand-in wheels): cuda12.6 cuda12.8 cuda13.0 null"
    )
