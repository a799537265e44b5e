"""Files are read within bounds, and written whole, whatever stands under their names."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import (
    link_or_copy,
    open_regular,
    read_bounded,
    replacing,
    taking_the_name_of,
    write_atomically,
)

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and owners of POSIX")
root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)

WRITER = """
import os, pathlib, sys, time
from nvidia_variant_provider.tools.files import replacing
with replacing(pathlib.Path(sys.argv[1])) as file:
    file.write(b"half of")
    file.flush()
    print("begun", flush=True)
    while True:  # a signal right before pause() would be slept through
        time.sleep(0.05)
"""


def names(folder: Path) -> list[str]:
    return sorted(it.name for it in folder.iterdir())


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    write_atomically(tmp_path / "new", b"text")

    assert (tmp_path / "new").read_bytes() == b"text"
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert names(tmp_path) == ["new", "usual"]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")

    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)


@posix
def test_nobody_else_reads_what_replaces_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with replacing(path) as file:
        mode = os.fstat(file.fileno()).st_mode

    assert stat.S_IMODE(mode) == 0o600


@root
def test_root_keeps_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    os.chown(path, 1234, 2345)
    path.chmod(0o2755)
    write_atomically(path, b"new")
    status = path.stat()

    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 2345, 0o2755)


@posix
def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "file", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, b"new")

    assert (link.is_symlink(), target.read_bytes()) == (True, b"new")
    assert (names(tmp_path), names(tmp_path / "real")) == (["link", "real"], ["file"])


@posix
def test_a_link_to_nothing_gets_its_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_atomically(tmp_path / "link", b"new")

    assert ((tmp_path / "link").is_symlink(), (tmp_path / "file").read_bytes()) == (True, b"new")


@posix
def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    write_atomically(link, b"text")

    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert (link.is_symlink(), names(tmp_path)) == (True, ["null"])


@posix
def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append(path.read_bytes()))
    reader.start()
    write_atomically(path, b"text")
    reader.join()

    assert (seen, stat.S_ISFIFO(path.stat().st_mode), names(tmp_path)) == (
        [b"text"],
        True,
        ["pipe"],
    )


@posix
@pytest.mark.parametrize("name", ["/dev/stdout", "/proc/self/fd/1"])
def test_standard_output_is_continued_not_replaced(name: str, tmp_path: Path) -> None:
    code = (
        "import pathlib\nfrom nvidia_variant_provider.tools.files import write_atomically\n"
        f"print('before')\nwrite_atomically(pathlib.Path('{name}'), b'text\\n')\nprint('after')"
    )
    out = tmp_path / "out"
    with out.open("wb") as stream:
        subprocess.run([sys.executable, "-c", code], stdout=stream, check=True)
    piped = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert (out.read_text(), names(tmp_path)) == ("before\ntext\nafter\n", ["out"])
    assert piped.stdout == b"before\ntext\nafter\n"
    assert os.path.lexists("/dev/stdout")


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.write(f"{None:d}".encode())

    assert (names(tmp_path), path.read_bytes()) == (["file"], b"old")


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_process_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    number = getattr(signal, name)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        during = len(names(tmp_path))
        process.send_signal(number)
        code = process.wait(60)

    assert (during, code, names(tmp_path), path.read_bytes()) == (2, -number, ["file"], b"old")


@posix
def test_handlers_are_as_they_were(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    write_atomically(tmp_path / "file", b"text")

    assert signal.getsignal(signal.SIGTERM) is before


def test_a_thread_may_write(tmp_path: Path) -> None:
    thread = threading.Thread(target=write_atomically, args=(tmp_path / "file", b"text"))
    thread.start()
    thread.join()

    assert (tmp_path / "file").read_bytes() == b"text"


@posix
def test_a_write_that_ends_halfway_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    code = (
        "import pathlib, resource, sys\n"
        "from nvidia_variant_provider.tools.files import write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_atomically(pathlib.Path(sys.argv[1]), bytes(100_000))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )

    assert done.stderr.endswith(f"cannot be written: File too large: '{path}'\n")
    assert (names(tmp_path), path.read_bytes()) == (["file"], b"old")


@posix
def test_a_full_disk_is_told_with_the_name_of_the_file() -> None:
    with pytest.raises(OSError, match="cannot be written: No space left on device") as caught:
        write_atomically(Path("/dev/full"), b"text")

    assert caught.value.filename == "/dev/full"


def test_a_folder_that_is_not_there_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "file"
    with pytest.raises(FileNotFoundError, match="cannot be written") as caught:
        write_atomically(path, b"text")

    assert caught.value.filename == str(path)


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be written"):
        write_atomically(tmp_path, b"text")

    assert names(tmp_path) == []


def test_an_error_of_another_file_keeps_its_name(tmp_path: Path) -> None:
    other = tmp_path / "other"
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "file") as file:
        file.write(other.read_bytes())

    assert (caught.value.filename, names(tmp_path)) == (str(other), [])


def test_what_was_linked_under_the_free_name_takes_the_name(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"text")
    with taking_the_name_of(target) as part:
        os.link(source, part)

    assert (target.samefile(source), names(tmp_path)) == (True, ["source", "target"])


def test_reading_stops_behind_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")

    assert (read_bounded(path, 4), read_bounded(path, 10)) == (b"01234", b"0123456789")


@posix
def test_what_could_be_read_for_ever_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.whl")
    (tmp_path / "zero.whl").symlink_to("/dev/zero")

    for name, kind in (("pipe.whl", "a pipe"), ("zero.whl", "a device"), (".", "a folder")):
        with pytest.raises(InvalidValueError, match=f"is {kind}; expected a regular file"):
            open_regular(tmp_path / name)


@posix
def test_a_second_name_is_given_to_the_file_that_a_link_means(tmp_path: Path) -> None:
    source, link, target = (tmp_path / name for name in ("source", "link", "target"))
    source.write_bytes(b"text")
    link.symlink_to("source")
    link_or_copy(link, target)
    link_or_copy(link, target)

    assert (target.is_symlink(), target.samefile(source)) == (False, True)
    assert names(tmp_path) == ["link", "source", "target"]
