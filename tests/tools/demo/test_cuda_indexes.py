"""Stand-ins of per-CUDA indexes: PyTorch's layout, the builds of the table, sound pages."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.demo.cuda_indexes import RELEASES, labels_of, write_indexes
from nvidia_variant_provider.tools.releases.pages import parse_page
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

if TYPE_CHECKING:
    from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_there_is_an_index_for_each_build_and_a_main_one(tmp_path: Path) -> None:
    write_indexes(tmp_path)
    labels = {label for version in RELEASES for label in labels_of(version)}

    assert {path.parent.name for path in (tmp_path / "whl").glob("*/torch")} == labels
    assert (tmp_path / "simple" / "torchvision" / "index.html").is_file()
    assert labels_of("2.15.0") == ["cpu", "cu130", "cu132"]


def test_every_link_leads_to_a_sound_wheel_with_the_hash_that_the_page_states(
    tmp_path: Path,
) -> None:
    write_indexes(tmp_path)
    pages = [*tmp_path.glob("simple/*/index.html"), *tmp_path.glob("whl/*/*/index.html")]
    listed = [
        (page.parents[1] / file.name, file.sha256)
        for page in pages
        for file in parse_page(page.read_bytes(), "text/html", "http://x/a/b/")
    ]

    assert {path for path, _ in listed} == set(tmp_path.rglob("*.whl"))
    for path, digest in listed:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        with OpenWheel(path) as wheel:
            wheel.check()


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    write_indexes(tmp_path)
    before = contents(tmp_path)
    write_indexes(tmp_path)

    assert contents(tmp_path) == before


@pytest.mark.parametrize("place", [".", "simple", "whl/cu126"])
def test_other_wheels_are_refused_before_anything_is_written(tmp_path: Path, place: str) -> None:
    real = "torch-2.14.1+cu126-cp312-cp312-manylinux_2_28_x86_64.whl"
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / real).touch()

    with pytest.raises(InvalidValueError, match=re.escape(f"has other wheels ({real})")):
        write_indexes(tmp_path)
    assert list(contents(tmp_path)) == [str(tmp_path / place / real)]


def test_the_command_names_the_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["demo-index", "--per-cuda", str(tmp_path / "indexes")])

    assert code == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"{tmp_path}/indexes: torch 2.15.0 (stand-in wheels): cpu cu130 cu132"
    )
