"""Hostile files: bounded, never waited for, never outside the root."""

# ruff: noqa: PT017 - whether there is an error is not known beforehand
from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvidia_variant_provider.detect.files import MAX_BYTES, MAX_NAMES, Files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "root").mkdir()
    return Files(str(tmp_path / "root"))


def test_a_huge_file_is_read_up_to_the_limit(files: Files, tmp_path: Path) -> None:
    with (tmp_path / "root" / "huge").open("wb") as file:
        file.truncate(1 << 40)

    assert files.read_bytes("/huge") == bytes(MAX_BYTES)
    assert files.read_bytes("/huge", 10) == bytes(10)
    assert files.size("/huge") == 1 << 40


def test_an_endless_device_is_no_file() -> None:
    with pytest.raises(OSError, match="not a regular file"):
        Files().read_bytes("/dev/zero")


def test_a_fifo_is_not_waited_for(files: Files, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "root" / "fifo")
    failed: list[BaseException] = []

    def read() -> None:
        try:
            files.read_bytes("/fifo")
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(5)

    assert not thread.is_alive()
    assert len(failed) == 1
    assert files.size("/fifo") == -1


def test_a_folder_in_a_files_place_is_an_error(files: Files, tmp_path: Path) -> None:
    (tmp_path / "root" / "folder").mkdir()

    with pytest.raises(OSError, match="not a regular file"):
        files.read_bytes("/folder")
    assert files.list_names("/folder") == ()
    assert files.size("/folder") == -1


def test_a_file_in_a_folders_place_is_empty(files: Files, tmp_path: Path) -> None:
    (tmp_path / "root" / "file").write_text("text", encoding="utf-8")

    assert files.list_names("/file") == ()
    assert not files.exists("/file/below")
    with pytest.raises(NotADirectoryError):
        files.read_bytes("/file/below")


def test_links_in_circles_lead_nowhere(files: Files, tmp_path: Path) -> None:
    (tmp_path / "root" / "a").symlink_to("b")
    (tmp_path / "root" / "b").symlink_to("a")

    assert not files.exists("/a")
    assert files.size("/a") == -1
    assert files.list_names("/a/x") == ()
    assert files.read_link("/a/x") == ""
    with pytest.raises(OSError, match="symbolic links"):
        files.read_bytes("/a")


@pytest.mark.parametrize("links", [1, 39, 60])
def test_no_chain_of_links_leaves_the_root(files: Files, tmp_path: Path, links: int) -> None:
    outside = tmp_path / "secret"
    outside.write_text("outside", encoding="utf-8")
    root = tmp_path / "root"
    (root / "0").symlink_to(outside)
    for number in range(links):
        (root / str(number + 1)).symlink_to(str(number))
    (root / "up").symlink_to("../../../../secret")

    assert not files.exists(f"/{links}")
    assert not files.exists("/up")
    assert not files.exists("/../secret")
    assert not files.exists("/./../secret")


def test_links_inside_the_root_are_followed(files: Files, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "deep" / "down").mkdir(parents=True)
    (root / "deep" / "down" / "file").write_text("inside", encoding="utf-8")
    (root / "absolute").symlink_to("/deep/down")
    (root / "deep" / "relative").symlink_to("../absolute/./file")

    assert files.read_text("/deep/relative") == "inside"
    assert files.read_link("/deep/relative") == "../absolute/./file"
    assert files.locate("/absolute/file") == str(root / "deep/down/file")


def test_a_folder_with_too_many_names_is_cut_off(files: Files, tmp_path: Path) -> None:
    folder = tmp_path / "root" / "many"
    folder.mkdir()
    for number in range(MAX_NAMES + 10):
        os.mknod(folder / f"{number}")

    assert len(files.list_names("/many")) == MAX_NAMES


def test_text_that_is_not_utf_8_is_replaced(files: Files, tmp_path: Path) -> None:
    (tmp_path / "root" / "text").write_bytes(b"580\xff\x00.65\xc3")

    assert files.read_text("/text") == "580\ufffd\0.65\ufffd"


def test_a_path_that_cannot_be_is_absent(files: Files) -> None:
    assert not files.exists("/" + "x" * 5000)
    assert files.size("/" + "x" * 5000) == -1
    assert files.list_names("/" + "x" * 5000) == ()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(
        st.sampled_from(["..", ".", "", "a", "b", "up", "abs", "loop", "é", "\udcff"]), max_size=8
    )
)
def test_no_path_leaves_the_root(files: Files, tmp_path: Path, parts: list[str]) -> None:
    root = tmp_path / "root"
    if not os.path.lexists(root / "loop"):
        (root / "a" / "b").mkdir(parents=True)
        (root / "up").symlink_to("../..")
        (root / "abs").symlink_to("/")
        (root / "loop").symlink_to("loop/a")
    path = "/".join(parts)
    try:
        located = files.locate(f"/{path}")
    except OSError as error:
        assert "loop" in parts, path
        assert error.strerror == "Too many levels of symbolic links"
        return

    assert os.path.commonpath([root, os.path.realpath(located)]) == str(root)
