"""Which release a file belongs to, and what a wheel says of itself: one answer for every tool."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.releases.files import (
    ReleaseKey,
    SortedNames,
    list_folder,
    read_wheel_file,
)
from nvidia_variant_provider.tools.releases.source import read_release
from tests.tools.lint.releases import read_base, write_release
from tests.wheel_maker import METADATA, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

KEY = ReleaseKey("foo-bar", Version("1.0"))
WHEELS = ("foo_bar-1.0-py3-none-any-cuda12.4.whl", "foo_bar-1.0-py3-none-any-null.whl")


def test_names_are_sorted_into_releases() -> None:
    found = SortedNames(
        [
            *WHEELS,
            "Foo.Bar-1.0.0-py3-none-any.whl",
            "foo_bar-1-variants.json",
            "foo-bar-1.0.tar.gz",
            "foo_bar-1.1-py3-none-any.whl",
            "foo-bar-1.0-variants.json",
            "foo_bar-x-variants.json",
            "foo_bar-1.0-py3.whl",
            "notes.zip",
            "README",
        ]
    )
    files = found.releases[KEY]

    assert list(found.releases) == [KEY, ReleaseKey("foo-bar", Version("1.1"))]
    assert [str(wheel) for wheel in files.wheels] == ["Foo.Bar-1.0.0-py3-none-any.whl", *WHEELS]
    assert (files.sdists, files.metadata) == (["foo-bar-1.0.tar.gz"], "foo_bar-1-variants.json")
    assert found.misnamed == ["foo-bar-1.0-variants.json", "foo_bar-x-variants.json"]
    assert found.ignored == ["README", "foo_bar-1.0-py3.whl", "notes.zip"]


def test_the_metadata_file_has_the_name_that_uv_looks_for() -> None:
    assert KEY.metadata_name == "foo_bar-1.0-variants.json"
    assert ReleaseKey.of_metadata(KEY.metadata_name) == KEY


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>-1.0.tar.gz", "é-1.0.zip", "-1.zip"])
def test_a_name_that_is_none_belongs_to_no_release(name: str) -> None:
    assert SortedNames([name]).ignored == [name]


@given(st.text(max_size=12).map("{}-variants.json".format) | st.text(max_size=30))
def test_any_name_is_sorted(name: str) -> None:
    found = SortedNames([name])
    held = [file for files in found.releases.values() for file in (*files.sdists, files.metadata)]
    wheels = [str(wheel) for files in found.releases.values() for wheel in files.wheels]

    assert name in (*held, *wheels, *found.misnamed, *found.ignored)


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()

    with pytest.raises(InvalidValueError, match="3 files, expected at most 2"):
        list_folder(str(tmp_path), 2)


def test_a_wheel_says_what_it_is(tmp_path: Path) -> None:
    wheel = read_wheel_file(str(make_wheel(tmp_path)))

    assert (wheel.metadata, wheel.variant, wheel.fault) == (METADATA, None, "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders")
def test_a_pipe_and_a_link_to_nothing_are_faults(tmp_path: Path) -> None:
    pipe, link = tmp_path / "a-1-py3-none-any.whl", tmp_path / "b-1-py3-none-any.whl"
    os.mkfifo(pipe)
    link.symlink_to("nowhere")

    assert read_wheel_file(str(pipe)).fault == "is a pipe; expected a regular file"
    assert read_wheel_file(str(link)).fault == "No such file or directory"


def with_hyphen(folder: Path) -> Path:
    """A release whose metadata file has a hyphen too many; the wheels are right."""
    release = json.loads(json.dumps(read_base()).replace("demo", "foo_bar"))
    release["index-name"] = "foo-bar-1.0-variants.json"
    return write_release(folder, release)


def test_metadata_under_a_name_that_nobody_looks_for_is_not_promised(tmp_path: Path) -> None:
    release = read_release(str(with_hyphen(tmp_path)))

    assert (release.listed, release.metadata is None) == (False, False)


def test_metadata_of_a_version_without_wheels_is_no_release(tmp_path: Path) -> None:
    folder = write_release(tmp_path, read_base())
    (folder / "demo-1.0-variants.json").rename(folder / "demo-1.1-variants.json")
    release = read_release(str(folder))

    assert (release.version, release.listed) == ("1.0", False)


def test_metadata_named_so_is_refused_when_it_is_given(tmp_path: Path) -> None:
    path = with_hyphen(tmp_path) / "foo-bar-1.0-variants.json"

    with pytest.raises(InvalidValueError, match="no installer looks for this name"):
        read_release(str(path))


@pytest.mark.parametrize("command", ["lint", "explain", "coverage", "index"])
def test_no_tool_waits_for_a_pipe_in_a_folder(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_release(tmp_path / "dist", read_base())
    os.mkfifo(folder / "demo-1.0-py3-none-any.whl")
    more = ["--catalogue"] if command == "coverage" else []
    code = main([command, str(folder), *more])
    shown = capsys.readouterr()

    # explain judges the rest, with a warning.
    assert code == {"lint": 1, "explain": 0}.get(command, 2)
    assert "is a pipe; expected a regular file" in shown.out + shown.err


@pytest.mark.parametrize("command", ["convert", "inspect", "verify", "explain", "lint", "untag"])
def test_no_tool_waits_for_a_pipe_that_is_given(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(path := tmp_path / "demo-1.0-py3-none-any-null.whl")
    more = ["-o", str(tmp_path)] if command == "untag" else []
    code = main([command, str(path), *more])
    shown = capsys.readouterr()

    assert code == (1 if command == "lint" else 2)
    assert "is a pipe; expected a regular file" in shown.out + shown.err
