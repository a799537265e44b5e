"""Hashes of files: each is read once, and again when anything about it has changed."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.index.hashes import CACHE_NAME, HashCache, hash_files
from tests.tools.lint.releases import read_base, write_release

if TYPE_CHECKING:
    from pathlib import Path

OLD_NS = 1_600_000_000 * 10**9


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def settled(path: Path, data: bytes, at: int = OLD_NS) -> Path:
    """Write a file in place, long ago."""
    with open(path, "r+b" if path.exists() else "xb") as file:
        file.truncate(0)
        file.write(data)
    os.utime(path, ns=(at, at))
    return path


def saved(folder: Path, *paths: Path) -> None:
    cache = HashCache.load(folder)
    hash_files(paths, cache)
    cache.save(folder)


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    path = settled(tmp_path / "a.whl", b"before")
    saved(tmp_path, path)
    # The same size, time and inode: only who reads it can tell.
    settled(path, b"AFTER!")

    assert hash_files([path], HashCache.load(tmp_path)) == {path: sha256(b"before")}
    assert hash_files([path]) == {path: sha256(b"AFTER!")}


@pytest.mark.parametrize("change", ["size", "time", "inode"])
def test_a_file_that_has_changed_is_read_again(tmp_path: Path, change: str) -> None:
    path = settled(tmp_path / "a.whl", b"before")
    saved(tmp_path, path)
    data = b"longer than before" if change == "size" else b"AFTER!"
    if change == "inode":
        path.rename(tmp_path / "kept")
    settled(path, data, OLD_NS + (change == "time"))

    assert hash_files([path], HashCache.load(tmp_path)) == {path: sha256(data)}


def test_a_file_of_just_now_is_not_remembered(tmp_path: Path) -> None:
    fresh, old = tmp_path / "fresh.whl", settled(tmp_path / "old.whl", b"old")
    fresh.write_bytes(b"fresh")

    saved(tmp_path, fresh, old)

    assert set(json.loads((tmp_path / CACHE_NAME).read_text())["files"]) == {"old.whl"}


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    first, second = (settled(tmp_path / name, b"x") for name in ("a.whl", "b.whl"))
    saved(tmp_path, first, second)

    saved(tmp_path, second)

    assert set(json.loads((tmp_path / CACHE_NAME).read_text())["files"]) == {"b.whl"}


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = settled(tmp_path / "a.whl", b"x" * (3 << 20))

    with pytest.raises(InvalidValueError, match=r"a\.whl: changed while it was read"):
        hash_files([path], progress=lambda _size: os.utime(path))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"gone\.whl: No such file"):
        hash_files([tmp_path / "gone.whl"])


def test_progress_counts_every_byte(tmp_path: Path) -> None:
    path = settled(tmp_path / "a.whl", b"x" * (2_500_000))
    cache, told = HashCache(), list[int]()
    hash_files([path], cache, told.append)
    cache.save(tmp_path)
    again = list[int]()
    hash_files([path], HashCache.load(tmp_path), again.append)

    assert (sum(told), again) == (2_500_000, [2_500_000])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not JSON",
        b"[]",
        b"{}",
        b'{"format": 2, "files": {}}',
        b'{"format": 1, "files": {"a": [1, 2, 3]}}',
        b'{"format": 1, "files": {"a": [1, 2, 3, "abcd"]}}',
        b'{"format": 1, "files": []}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_cache_is_passed_over_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes
) -> None:
    folder = write_release(tmp_path / "dist", read_base())
    (folder / CACHE_NAME).write_bytes(text)

    assert main(["index", str(folder)]) == 0

    said = capsys.readouterr().err
    assert said.startswith(f"note: {folder / CACHE_NAME}: not a cache of format 1")
    assert "every file is read again" in said
    assert json.loads((folder / CACHE_NAME).read_bytes())["format"] == 1


def test_the_command_reads_a_folder_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_release(tmp_path / "dist", read_base())
    wheel = min(folder.glob("*.whl"))
    os.utime(wheel, ns=(OLD_NS, OLD_NS))
    assert main(["index", str(folder)]) == 0
    page = folder / "simple/demo/index.html"
    before = page.read_bytes()
    # One byte of a member's date: nothing that is read but the hash sees it.
    data = bytearray(wheel.read_bytes())
    data[10] ^= 1
    settled(wheel, bytes(data))

    assert main(["index", str(folder)]) == 0
    assert page.read_bytes() == before
    assert main(["index", "--no-cache", str(folder)]) == 0
    assert sha256(bytes(data)).encode() in page.read_bytes()
    assert capsys.readouterr().err == ""
