"""The files of a record: written down while a machine is probed, and read back alike."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from nvidia_variant_provider.detect.files import Files
from nvidia_variant_provider.detect.record import RecordingFiles
from nvidia_variant_provider.detect.replay import ReplayFiles
from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.detect.files import FileView


def replay(entries: dict[str, Any]) -> ReplayFiles:
    return ReplayFiles(entries, is_real=True)


def errno_of(files: FileView, path: str) -> int | None:
    with pytest.raises(OSError, match=path) as caught:
        files.read_bytes(path)
    return caught.value.errno


def test_what_could_not_be_read_cannot_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    recording = RecordingFiles(Files(str(tmp_path)))

    seen = errno_of(recording, "/loop")
    again = errno_of(replay(recording.entries()), "/loop")

    assert (seen, again) == (errno.ELOOP, errno.ELOOP)


@pytest.mark.parametrize("head", [b"\x7fELF", b"MZ"])
def test_of_a_library_size_and_first_bytes_are_kept(tmp_path: Path, head: bytes) -> None:
    content = head + bytes(range(40))
    (tmp_path / "library").write_bytes(content)
    recording = RecordingFiles(Files(str(tmp_path)))

    assert recording.read_bytes("/library") == content
    assert recording.entries() == {"/library": {"size": len(content), "head": content[:20].hex()}}


def test_of_files_that_may_hold_anything_only_what_names_the_driver_is_kept(
    tmp_path: Path,
) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cmdline").write_text("root=LABEL=secret modprobe.blacklist=nvidia ip=10.1\n")
    folder = tmp_path / "etc/modprobe.d"
    folder.mkdir(parents=True)
    (folder / "mine.conf").write_text("options wifi key=secret\nblacklist nvidia\n")
    recording = RecordingFiles(Files(str(tmp_path)))

    text = recording.read_text("/etc/modprobe.d/mine.conf")
    recording.read_text("/proc/cmdline")

    assert text == "options wifi key=secret\nblacklist nvidia\n"
    assert recording.entries() == {
        "/etc/modprobe.d/mine.conf": "blacklist nvidia\n",
        "/proc/cmdline": "modprobe.blacklist=nvidia",
    }


def test_a_text_that_was_read_says_all_that_later_probes_ask(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("580.65.06\n", encoding="ascii")
    recording = RecordingFiles(Files(str(tmp_path)))

    assert recording.read_text("/file") == "580.65.06\n"
    assert recording.size("/file") == 10
    assert recording.exists("/file")
    assert recording.locate("/file") == str(tmp_path / "file")
    assert recording.entries() == {"/file": "580.65.06\n"}


@pytest.mark.parametrize(
    ("entries", "path", "number"),
    [
        ({}, "/missing", errno.ENOENT),
        ({"/folder/file": "text"}, "/folder", errno.EISDIR),
        ({"/file": {"error": "EACCES"}}, "/file", errno.EACCES),
        ({"/file": {"error": "no such name"}}, "/file", errno.EIO),
        ({"/device": {"present": True}}, "/device", errno.EINVAL),
        ({"/one": {"link": "two"}, "/two": {"link": "one"}}, "/one", errno.ENOENT),
    ],
)
def test_what_a_record_has_no_content_of_is_an_error(
    entries: dict[str, Any], path: str, number: int
) -> None:
    assert errno_of(replay(entries), path) == number


def test_a_path_of_a_record_lies_nowhere_else() -> None:
    assert replay({}).locate("/dev/nvidia0") == "/dev/nvidia0"


def test_first_bytes_that_are_not_hexadecimal_are_named() -> None:
    with pytest.raises(InvalidValueError, match=r"files\['/library'\]: head: "):
        replay({"/library": {"size": 9, "head": "7g"}})
