"""Writes wheels for tests, plain ones and ones that no reader should accept."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import struct
import zipfile
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.wheels.source import BytesSource
from tests.tools.binaries import packing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "demo-1.0-py3-none-any.whl"
DIST_INFO = "demo-1.0.dist-info"
METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def record_of(files: Mapping[str, bytes], newline: str = "\n") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=newline)
    for name, data in files.items():
        if not name.endswith(("/", "RECORD.jws", "RECORD.p7s")):
            writer.writerow((name, f"sha256={_digest(data)}", len(data)))
    writer.writerow((f"{DIST_INFO}/RECORD", "", ""))
    return text.getvalue().encode()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def files_of_wheel(extra: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    files = {
        "demo/__init__.py": b"answer = 42\n" * 40,
        f"{DIST_INFO}/METADATA": METADATA,
        f"{DIST_INFO}/WHEEL": WHEEL,
        **(extra or {}),
    }
    return files | {f"{DIST_INFO}/RECORD": record_of(files)}


class Reopened(BytesSource):
    """A file that is opened for every read, so that a test sees who reads after it is gone."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.name, b"")
        self.path = path
        self.size = path.stat().st_size

    def read_at(self, offset: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


class Pipe(io.BytesIO):
    """A place that cannot be gone back in: zipfile then writes data descriptors."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


def pack(
    files: Mapping[str, bytes],
    method: int = zipfile.ZIP_DEFLATED,
    *,
    streamed: bool = False,
    zip64: bool = False,
) -> bytes:
    buffer = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10))
            info.compress_type = zipfile.ZIP_STORED if name.endswith("/") else method
            info.external_attr = 0o100755 << 16
            with archive.open(info, "w", force_zip64=zip64) as member:
                member.write(data)
    return buffer.getvalue()


def with_zip64_end(data: bytes) -> bytes:
    """Rewrite the end of an archive so that its numbers stand in zip64 records only."""
    at = data.rfind(b"PK\x05\x06")
    _, _, _, _, count, size, start, _ = struct.unpack("<4sHHHHIIH", data[at : at + 22])
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    return data[:at] + record + locator + end


def make_wheel(
    folder: Path,
    extra: Mapping[str, bytes] | None = None,
    *,
    name: str = NAME,
    method: int = zipfile.ZIP_DEFLATED,
    streamed: bool = False,
    zip64: bool = False,
) -> Path:
    path = folder / name
    path.write_bytes(pack(files_of_wheel(extra), method, streamed=streamed, zip64=zip64))
    return path


def cuda_library(
    *targets: str,
    isa: tuple[int, int] = (8, 4),
    containers: int = 1,
    needed: str = "libcudart.so.12",
) -> bytes:
    """A shared object with containers for targets such as ``90a``, or ``90p`` for PTX."""
    entries = []
    for target in targets:
        flags = (packing.SPECIFIC if "a" in target else 0) | (
            packing.FAMILY if "f" in target else 0
        )
        number = int(target.rstrip("afp"))
        if target.endswith("p"):
            entries.append(packing.virtual(number, isa=isa, flags=flags))
        else:
            entries.append(packing.real(number, flags=flags))
    data = packing.container(*entries) * containers
    return packing.shared_object(data, needed=(needed,))


def cuda_wheel(
    folder: Path, *targets: str, isa: tuple[int, int] = (8, 4), name: str = NAME
) -> Path:
    return make_wheel(folder, {"demo/_ext.so": cuda_library(*targets, isa=isa)}, name=name)
