from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries.findings import (
    NESTED_ARCHIVE,
    UNREADABLE_MEMBER,
    finding_in,
)
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from tests.tools.binaries import packing

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.binaries.report import Contents

LIBRARY = packing.shared_object(
    packing.container(packing.real(80), packing.virtual(80)), needed=("libcudart.so.12",)
)


def write(folder: Path, data: bytes, name: str = "demo-1.0-py3-none-any.whl") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def paths(contents: Contents) -> list[str]:
    return [library.path for library in contents.libraries]


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_wheel_with_members_of_all_sorts(tmp_path: Path, jobs: int) -> None:
    data = packing.wheel(
        {
            "demo/a.so": LIBRARY,
            "demo/b.pyd": packing.dll(packing.container(packing.real(90))),
            "demo/tool": LIBRARY,
            "demo/x.py": b"import os\n",
            "demo/k.cubin": packing.cubin(75),
            "demo.libs/libnvjpeg.4a0b5c81.so.13": LIBRARY,
            "demo/inner.whl": packing.wheel({"deep.so": LIBRARY}),
            "demo/empty": b"",
        },
        stored=("demo/tool",),
        requires=("nvidia-cuda-runtime-cu12", "numpy"),
    )
    seen: list[str] = []
    path = write(tmp_path, data)
    contents = inspect_path(path, jobs=jobs, progress=lambda name, _size: seen.append(name))

    assert (contents.path, contents.form) == (path, "wheel")
    assert paths(contents) == [
        "demo.libs/libnvjpeg.4a0b5c81.so.13",
        "demo/a.so",
        "demo/b.pyd",
        "demo/k.cubin",
        "demo/tool",
    ]
    assert [library.path for library in contents.libraries if library.vendored] == [
        "demo.libs/libnvjpeg.4a0b5c81.so.13"
    ]
    assert contents.libraries[1].profiles == contents.libraries[4].profiles
    assert [one.package for one in contents.requirements] == ["nvidia-cuda-runtime-cu12"]
    assert contents.findings == (finding_in(NESTED_ARCHIVE, "demo/inner.whl", "not looked into"),)
    assert set(seen) >= set(paths(contents))


def test_damage_in_one_member_does_not_hide_the_others(tmp_path: Path) -> None:
    data = bytearray(packing.wheel({"a.so": LIBRARY * 50, "b.so": LIBRARY}, stored=()))
    data[200:260] = b"\xff" * 60
    contents = inspect_path(write(tmp_path, bytes(data)))

    assert paths(contents) == ["b.so"]
    findings = [*contents.findings, *(f for one in contents.libraries for f in one.findings)]
    assert [(finding.rule.code, finding.problem.key) for finding in findings] == [
        ("damaged", "a.so")
    ]


def test_damaged_metadata_does_not_hide_the_code(tmp_path: Path) -> None:
    data = bytearray(packing.wheel({"a.so": LIBRARY}, requires=("cuda-toolkit==13.0",)))
    local = data.rindex(b"PK\x03\x04")
    data[local] = 0
    contents = inspect_path(write(tmp_path, bytes(data)))

    assert paths(contents) == ["a.so"]
    assert contents.requirements == ()
    assert [(one.rule.code, one.problem.key) for one in contents.findings] == [
        ("damaged", "demo-1.0.dist-info/METADATA")
    ]


def test_a_bomb_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "bomb.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("bomb.so", "w") as member:
            for _ in range(100):
                member.write(bytes(1 << 20))
        archive.writestr("fine.so", LIBRARY)
    contents = inspect_path(str(path))

    assert paths(contents) == ["fine.so"]
    assert [(one.rule.code, one.problem.key) for one in contents.findings] == [
        ("suspicious-size", "bomb.so")
    ]


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    data = packing.wheel({"a.so": LIBRARY * 20}, stored=("a.so",))
    at = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x01\x02", at + 1)
    record = data[at:end]
    tail = data[data.index(b"PK\x05\x06") :]
    directory = record * 9
    fixed = (
        data[:at]
        + directory
        + tail[:8]
        + (9).to_bytes(2, "little") * 2
        + len(directory).to_bytes(4, "little")
        + at.to_bytes(4, "little")
        + b"\0\0"
    )

    with pytest.raises(DamagedFileError, match="packed bytes, the file only"):
        inspect_path(write(tmp_path, fixed))


def test_encrypted_and_oddly_packed_members_are_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.so", LIBRARY)
    (seen,) = inspect_path(str(path)).findings

    assert seen == finding_in(UNREADABLE_MEMBER, "a.so", "not readable: method 12, flags 0x0")


def test_many_loose_cubins_are_summed_up(tmp_path: Path) -> None:
    members = {f"pkg/{number}_sm80.cubin": packing.cubin(80) for number in range(20)}
    members |= {f"pkg/{number}_sm90.cubin": packing.cubin(90, specific=True) for number in range(5)}
    (library,) = inspect_path(write(tmp_path, packing.wheel(members))).libraries

    assert (library.path, library.files) == ("pkg/**/*.cubin", 25)
    assert [(one.image.number, one.image.suffix, one.count) for one in library.bare] == [
        (80, "", 20),
        (90, "a", 5),
    ]


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "demo-1.0.dist-info").mkdir()
    write(tmp_path / "lib", LIBRARY, "a.so")
    write(tmp_path, b"text", "readme.txt")
    write(tmp_path / "demo-1.0.dist-info", b"Requires-Dist: cuda-toolkit==13.0.2\n\n", "METADATA")
    (tmp_path / "link.so").symlink_to(tmp_path / "lib" / "a.so")
    contents = inspect_path(str(tmp_path), jobs=2)

    assert (contents.form, paths(contents)) == ("folder", ["lib/a.so"])
    assert [one.cuda for one in contents.requirements] == ["13.0"]


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("a.so", LIBRARY, "elf"),
        ("k.cubin", packing.cubin(80), "cubin"),
        ("k.ptx", packing.ptx(80), "ptx"),
        ("k.fatbin", packing.container(packing.real(80)), "fatbin"),
        ("w.zip", packing.wheel({}), "wheel"),
    ],
)
def test_single_files(tmp_path: Path, name: str, data: bytes, form: str) -> None:
    assert inspect_path(write(tmp_path, data, name)).form == form


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"hello", "starts with 68656c6c, not a wheel, a shared object"),
        ("a.so", b"", "starts with nothing"),
        ("a.whl", b"hello", "no end-of-archive record"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(DamagedFileError, match=message):
        inspect_path(write(tmp_path, data, name))


def test_own_code_beside_the_copies_is_found_where_there_is_none_elsewhere(tmp_path: Path) -> None:
    moved = {
        "demo.libs/libdemo-6b43fd57.so": LIBRARY,
        "demo.libs/libgomp-a34b3233.so.1": packing.shared_object(b"", needed=("libcuda.so.1",)),
        "demo.libs/libcudart-41118559.so.12": LIBRARY,
        "demo/_swig.so": packing.shared_object(b"", needed=("libcudart.so.12",)),
    }
    alone = inspect_path(write(tmp_path, packing.wheel(moved)))
    beside = inspect_path(write(tmp_path, packing.wheel({**moved, "demo/core.so": LIBRARY})))

    assert [one.path for one in alone.own] == ["demo.libs/libdemo-6b43fd57.so", "demo/_swig.so"]
    assert [one.path for one in beside.own] == [
        "demo.libs/libdemo-6b43fd57.so",
        "demo/_swig.so",
        "demo/core.so",
    ]
