"""What cannot be looked into is named, and never read as a wheel without device code."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from nvidia_variant_provider.tools.cli.main import main
from tests.tools.binaries import packing
from tests.wheel_maker import cuda_library, cuda_wheel, make_wheel, pack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIBRARY = cuda_library("80")


def npz(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr("array.npy", LIBRARY)
    return buffer.getvalue()


def tar(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        info = tarfile.TarInfo("demo-1.0/lib.so")
        info.size = len(data)
        file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


PACKED: dict[str, bytes] = {
    "kernels.tar.gz": gzip.compress(tar(LIBRARY)),
    "kernels.tar.xz": lzma.compress(tar(LIBRARY)),
    "kernels.bz2": bz2.compress(LIBRARY),
    "kernels.zst": b"\x28\xb5\x2f\xfd" + bytes(100),
    "kernels.7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "kernels.npz": npz(zipfile.ZIP_DEFLATED),
    "plain-name": gzip.compress(LIBRARY),
}


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_member_is_named(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = make_wheel(tmp_path, {f"demo/{name}": PACKED[name]})

    assert main(["inspect", str(wheel)]) == 0

    shown = capsys.readouterr().out
    assert "no device code in what could be read" in shown
    assert re.search(rf"nested-archive.*demo/{name}|demo/{name}.*nested-archive", shown)


def test_what_is_stored_in_an_archive_as_it_is_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = {"demo/a.npz": npz(zipfile.ZIP_STORED), "demo/b.tar": tar(LIBRARY)}

    assert main(["inspect", "--json", str(make_wheel(tmp_path, members))]) == 0

    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert {one["path"]: one["containers"] for one in file["libraries"]} == {
        "demo/a.npz": 1,
        "demo/b.tar": 1,
    }


def test_an_sdist_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(PACKED["kernels.tar.gz"])

    assert main(["inspect", str(path)]) == 2

    error = capsys.readouterr().err
    assert "packed with gzip, which is not looked into" in error
    assert "pip wheel" in error


def test_a_folder_of_wheels_is_each_of_its_wheels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cuda_wheel(tmp_path, "80")
    cuda_wheel(tmp_path, "90", name="other-1.0-py3-none-any.whl")

    assert main(["inspect", "--json", str(tmp_path)]) == 0

    files: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["files"]
    assert [file["coverage"]["union"] for file in files] == [["80_real"], ["90_real"]]


def encrypted(wheel: bytes) -> bytes:
    """Set the bit of encryption in every header."""
    data = bytearray(wheel)
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = wheel.find(magic)
        while at >= 0:
            data[at + flags] |= 1
            at = wheel.find(magic, at + 1)
    return bytes(data)


def flipped(wheel: bytes) -> bytes:
    """Damage the first half of the packed library."""
    at = wheel.index(b"demo/lib.so") + 40
    return wheel[:at] + bytes(byte ^ 0xFF for byte in wheel[at : at + 60]) + wheel[at + 60 :]


@pytest.mark.parametrize("harm", [encrypted, flipped])
def test_a_wheel_that_cannot_be_read_is_not_one_without_device_code(
    harm: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    wheel.write_bytes(harm(pack({"demo/lib.so": packing.shared_object(LIBRARY)})))

    assert main(["inspect", str(wheel)]) == 2

    printed = capsys.readouterr()
    assert "no embedded device code" not in printed.out
    assert "no device code found, and a part could not be read" in printed.err


@pytest.mark.parametrize(
    ("member", "phrase"),
    [
        (packing.shared_object(b".version 4.2\n.target sm_30\n"), "PTX text"),
        (packing.shared_object(b"x\0libcuda.so.1\0"), "opens the CUDA driver at run time"),
        (packing.shared_object(b"", needed=("libnvrtc.so.12",)), "linked with a compiler"),
        (packing.shared_object(b"", needed=("libamdhip64.so.6",)), "code for AMD GPUs"),
        (packing.shared_object(b"", machine=224), "code for AMD GPUs"),
        (b"BC\xc0\xde" + bytes(100), "LLVM bitcode"),
    ],
)
def test_code_that_is_not_embedded_is_named(
    member: bytes, phrase: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(make_wheel(tmp_path, {"demo/x.bin": member}))]) == 0

    shown = capsys.readouterr().out
    assert phrase in shown
    assert "not a CPU wheel" in shown
