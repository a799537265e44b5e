"""A wheel is opened once, believed within limits, and refused where pip or uv would refuse it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import DamagedFileError, InvalidValueError, MetadataError
from nvidia_variant_provider.tools.binaries.wheel import read_wheel
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from nvidia_variant_provider.tools.wheels.archive import Archive
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from tests.tools.binaries import packing
from tests.wheel_maker import (
    DIST_INFO,
    METADATA,
    NAME,
    WHEEL,
    cuda_wheel,
    files_of_wheel,
    make_wheel,
    pack,
    record_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[3]
OTHER = "other-1.0.dist-info"
COUNT_OPENS = """
import json, os, sys
path, *words = sys.argv[1:]
opened = []
sys.addaudithook(
    lambda event, values: opened.append(event)
    if event == "open" and isinstance(values[0], (str, bytes)) and os.fsdecode(values[0]) == path
    else None
)
from nvidia_variant_provider.tools.cli.main import main
main(words)
print(len(opened))
"""


def opens(path: Path, *words: str) -> int:
    """Return how often a command opens a file."""
    command = [sys.executable, "-c", COUNT_OPENS, str(path), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[-1])


def variant(folder: Path) -> Path:
    wheel = cuda_wheel(folder, "90")
    features = {"sm_arch": ("90_real",), "cuda_version_lower_bound": ("12.0",)}
    path, _ = write_variant(wheel, folder, build_variant("cuda12", features))
    return path


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_a_wheel_is_opened_once(command: str, tmp_path: Path) -> None:
    path = variant(tmp_path)

    assert opens(path, command, str(path)) == 1


@pytest.mark.parametrize("words", [("--from-code",), ("--null",)])
def test_tag_opens_a_wheel_once(words: tuple[str, ...], tmp_path: Path) -> None:
    path = cuda_wheel(tmp_path, "90")
    (tmp_path / "out").mkdir()

    assert opens(path, "tag", str(path), "-o", str(tmp_path / "out"), *words) == 1


def test_a_wheel_is_what_its_files_say(tmp_path: Path) -> None:
    path = variant(tmp_path)
    with OpenWheel(path) as wheel:
        wheel.check()

        assert (wheel.name.label, wheel.dist_info) == ("cuda12", DIST_INFO)
        assert wheel.metadata == METADATA
        assert b"90_real" in (wheel.variant_json or b"")
        assert [row[0] for row in wheel.record.rows][-2:] == [
            f"{DIST_INFO}/variant.json",
            f"{DIST_INFO}/RECORD",
        ]


def written(folder: Path, files: Mapping[str, bytes], *, drop: str = "") -> Path:
    """Write a wheel whose RECORD fits its files."""
    kept = {name: data for name, data in files.items() if name not in {drop, f"{DIST_INFO}/RECORD"}}
    path = folder / NAME
    path.write_bytes(pack(kept | {f"{DIST_INFO}/RECORD": record_of(kept)}))
    return path


def moved(folder: str) -> dict[str, bytes]:
    """The files of a wheel whose ``.dist-info`` has another name."""
    return {name.replace(DIST_INFO, folder): data for name, data in files_of_wheel().items()}


def of_another(text: bytes) -> dict[str, bytes]:
    return files_of_wheel() | {f"{DIST_INFO}/METADATA": text}


@pytest.mark.parametrize(
    ("files", "drop", "message"),
    [
        pytest.param({"a.py": b""}, "", "METADATA: seen no such member", id="only-record"),
        pytest.param(moved("other-1.0.dist-info"), "", "2: ", id="another-project"),
        pytest.param(files_of_wheel({f"{OTHER}/x": b""}), "", "2: .*, expected one", id="two"),
        pytest.param(files_of_wheel(), f"{DIST_INFO}/METADATA", "no such member", id="no-metadata"),
        pytest.param(files_of_wheel(), f"{DIST_INFO}/WHEEL", "no such member", id="no-wheel"),
        pytest.param(
            of_another(METADATA.replace(b"demo", b"other")),
            "",
            "seen other 1.0, expected demo 1.0",
            id="metadata-of-another-project",
        ),
        pytest.param(
            of_another(METADATA.replace(b"1.0", b"2.0")),
            "",
            "seen demo 2.0, expected demo 1.0",
            id="metadata-of-another-version",
        ),
        pytest.param(of_another(b"Name: demo\n"), "", "no Name or no Version", id="no-version"),
        pytest.param(
            files_of_wheel() | {f"{DIST_INFO}/WHEEL": WHEEL.replace(b"1.0", b"2.0")},
            "",
            "seen 2.0, expected Wheel-Version 1.0",
            id="format-of-the-future",
        ),
    ],
)
def test_what_pip_or_uv_refuse_is_refused(
    files: dict[str, bytes], drop: str, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, files, drop=drop)
    with OpenWheel(path) as wheel, pytest.raises(MetadataError, match=message):
        wheel.check()


@pytest.mark.parametrize("folder", ["other-1.0.dist-info", "demo-1.1.dist-info", "demo.dist-info"])
def test_the_folder_of_another_project_or_version_is_refused(folder: str, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(pack(moved(folder)))
    with OpenWheel(path) as wheel, pytest.raises(MetadataError, match=f"seen {folder}, expected"):
        wheel.check()


@pytest.mark.parametrize("folder", ["Demo-1.0.dist-info", "demo-1.0.0.dist-info"])
def test_another_spelling_of_the_folder_is_read(folder: str, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(pack(moved(folder)))
    with OpenWheel(path) as wheel:
        assert (wheel.dist_info, wheel.metadata) == (folder, METADATA)


def test_a_member_that_is_there_twice_is_not_read(tmp_path: Path) -> None:
    name = f"{DIST_INFO}/METADATA"
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in [
            *files_of_wheel().items(),
            (name.replace("METADATA", "METADATB"), b""),
        ]:
            archive.writestr(member, data)
    path.write_bytes(path.read_bytes().replace(b"METADATB", b"METADATA"))
    with OpenWheel(path) as wheel, pytest.raises(DamagedFileError, match="there are two of them"):
        _ = wheel.metadata


@pytest.mark.parametrize(
    "words", [("--null",), ("--property", "nvidia::sm_arch::90_real", "--label", "x")]
)
def test_tag_refuses_a_wheel_with_flipped_bytes(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = os.urandom(200_000)
    path = make_wheel(tmp_path, {"demo/data.bin": noise}, method=zipfile.ZIP_STORED)
    out = tmp_path / "out"
    out.mkdir()
    data = path.read_bytes()
    at = data.index(noise) + 100_000
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    code = main(["tag", str(path), "-o", str(out), *words])

    assert code == 2
    assert "demo/data.bin: damaged: its checksum is" in capsys.readouterr().err
    assert list(out.iterdir()) == []


def test_without_a_check_the_members_are_copied_as_they_are(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, {"demo/data.bin": b"text"}, method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"text", b"next"))
    (tmp_path / "out").mkdir()
    code = main(["tag", str(path), "-o", str(tmp_path / "out"), "--null", "--no-check"])

    assert (code, len(list((tmp_path / "out").iterdir()))) == (0, 1)


LIMITED = """
import sys
from nvidia_variant_provider.tools.cli.main import main
code = main(sys.argv[1:])
print(code, [int(it.split()[1]) // 1024 for it in open("/proc/self/status") if "VmHWM" in it][0])
"""


def limited(*words: str) -> tuple[int, int, str]:
    """Return the exit code of a command, the memory it used in MiB, and its errors."""
    command = [sys.executable, "-c", LIMITED, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    code, memory = done.stdout.splitlines()[-1].split()
    return int(code), int(memory), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="memory as Linux counts it")
def test_a_record_of_millions_of_rows_takes_no_memory(tmp_path: Path) -> None:
    rows = b"".join(b"a%d,,\n" % number for number in range(2_000_000))
    path = tmp_path / NAME
    path.write_bytes(pack(files_of_wheel() | {f"{DIST_INFO}/RECORD": rows}))
    code, memory, words = limited("tag", str(path), "-o", str(tmp_path), "--null")

    assert (code, memory < 200) == (2, True)
    assert "more rows than the 6 there are files" in words


def test_members_that_shrink_absurdly_are_read_up_to_a_limit_together(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(12):
            archive.writestr(f"demo/{number}.so", packing.shared_object(b"") + bytes(15 << 20))
    with Archive(path) as archive_:
        contents = read_wheel(archive_)

    assert len(contents.libraries) == 4
    assert {finding.rule.code for finding in contents.findings} == {"suspicious-size"}
    assert len(contents.findings) == 8


@pytest.mark.parametrize("command", ["tag", "lint", "verify", "inspect", "untag"])
def test_an_empty_archive_is_an_error_of_the_input(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label = "" if command == "tag" else "-cuda12"
    path = tmp_path / f"demo-1.0-py3-none-any{label}.whl"
    zipfile.ZipFile(path, "w").close()
    more = ["-o", str(tmp_path)] if "tag" in command else []
    code = main([command, str(path), *more])
    shown = capsys.readouterr()

    assert "fault of ours" not in shown.err
    assert "None" not in shown.err
    assert code == (0 if command == "inspect" else 1 if command == "lint" else 2)


def test_more_fields_than_any_project_has_are_refused(tmp_path: Path) -> None:
    metadata = METADATA + b"Requires-Dist: x\n" * 50_001
    path = make_wheel(tmp_path, {f"{DIST_INFO}/METADATA": metadata})

    with OpenWheel(path) as wheel, pytest.raises(MetadataError, match="at most 50000"):
        wheel.check()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders")
@pytest.mark.parametrize("command", ["tag", "verify", "inspect", "untag"])
def test_a_pipe_is_not_waited_for(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label = "" if command == "tag" else "-cuda12"
    path = tmp_path / f"demo-1.0-py3-none-any{label}.whl"
    os.mkfifo(path)
    more = ["-o", str(tmp_path)] if "tag" in command else []
    code = main([command, str(path), *more])

    assert code == 2
    assert str(path) in capsys.readouterr().err


def test_a_path_that_is_no_wheel_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="not a wheel's file name"):
        OpenWheel(tmp_path / "x.zip")
