"""Files that NVIDIA's compilers built from our own kernel, see ``tests/data/binaries``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.binaries.report import Content, Library
from tests.tools.binaries import downloads, oracle

DATA = Path(__file__).parent.parent.parent / "data" / "binaries"

EXPECTED = {
    "multi.fatbin": ["cubin 75", "cubin 90a", "cubin 100f", "ptx 100f@9.5 zstd"],
    "zstd.fatbin": ["cubin 80 zstd", "cubin 120a zstd", "ptx 80@9.5 zstd"],
    "lz4.fatbin": ["cubin 80 lz4", "cubin 100 lz4", "ptx 100@9.5 lz4"],
    "plain.fatbin": ["cubin 86", "ptx 86@9.5"],
    "concat.fatbin": [
        "cubin 80 zstd",
        "cubin 90 zstd",
        "cubin 100 zstd",
        "cubin 120 zstd",
        "ptx 120@9.5 zstd",
    ],
    "stub.fatbin": ["cubin 80 stub", "ptx 80@9.5 zstd stub"],
    "lineinfo.fatbin": ["cubin 89"],
    "lto.fatbin": ["cubin 90 zstd", "lto 80 zstd"],
    "libaxpy.so": ["cubin 75", "cubin 90", "ptx 90@9.5 zstd"],
    "librelocatable.so": ["cubin 80 zstd", "ptx 80@9.5 zstd"],
    "libaxpy.a": ["cubin 75"],
    "sm90a.cubin": ["cubin 90a"],
    "sm100f.cubin": ["cubin 100f"],
    "compute90.ptx": ["ptx 90@9.5"],
}
PLACES = {
    "libaxpy.so": ((".nv_fatbin", 1),),
    "librelocatable.so": (("__nv_relfatbin", 1),),
    "libaxpy.a": (("archive", 1),),
    "multi.fatbin": (("fatbin", 1),),
}


def read(path: Path) -> Library:
    (library,) = inspect_path(str(path)).libraries
    return library


def described(library: Library) -> list[str]:
    words = []
    for tally in (*library.images, *library.bare):
        image = tally.image
        isa = "@{}.{}".format(*image.isa) if image.isa else ""
        compression = "" if image.compression == "none" else f" {image.compression}"
        content = "" if image.content is Content.KERNELS else f" {image.content.value}"
        words.append(f"{image.kind.value} {image.number}{image.suffix}{isa}{compression}{content}")
        assert tally.count == 1
    return words


@pytest.mark.parametrize("name", EXPECTED)
def test_images_of_a_fixture(name: str) -> None:
    library = read(DATA / name)

    assert described(library) == EXPECTED[name]
    assert library.findings == ()
    is_made_by_ptxas = "cubin" in str(EXPECTED[name]) and name != "stub.fatbin"
    assert library.made_by == ((CudaVersion(13, 5),) if is_made_by_ptxas else ())


@pytest.mark.parametrize("name", PLACES)
def test_places_of_a_fixture(name: str) -> None:
    assert read(DATA / name).places == PLACES[name]


def test_the_archives_container_is_not_aligned() -> None:
    offset = (DATA / "libaxpy.a").read_bytes().index(b"\x50\xed\x55\xba\x01\x00\x10\x00")

    assert offset % 4 == 2


@pytest.mark.parametrize("name", ["zstd.fatbin", "lz4.fatbin", "concat.fatbin", "libaxpy.so"])
def test_damaged_copies_never_end_in_anything_but_an_answer(name: str, tmp_path: Path) -> None:
    data = (DATA / name).read_bytes()
    for cut in range(0, len(data), 97):
        flipped = bytearray(data)
        flipped[cut] ^= 0xFF
        for broken in (data[:cut], bytes(flipped)):
            path = tmp_path / "broken"
            path.write_bytes(b"\0" + broken)

            assert read(path).path == str(path)


@pytest.mark.wheels
@pytest.mark.parametrize("name", [name for name in EXPECTED if name.endswith((".fatbin", ".so"))])
def test_cuobjdump_agrees(name: str) -> None:
    theirs = oracle.listed([downloads.tools() / "bin" / "cuobjdump"], DATA / name)
    ours = oracle.counted(read(DATA / name))

    assert theirs is not None
    if name == "concat.fatbin":
        # Its plain listing names no target of a concatenated entry.
        assert theirs < ours
    else:
        assert theirs == ours


@pytest.mark.wheels
@pytest.mark.deep
def test_the_script_builds_these_fixtures(tmp_path: Path) -> None:
    path = f"{downloads.tools() / 'bin'}:{os.environ['PATH']}"
    assert shutil.which("g++"), "a C++ compiler is needed to build the fixtures"
    script = DATA / "build.sh"
    subprocess.run([str(script), str(tmp_path)], check=True, env={**os.environ, "PATH": path})

    built = {file.name for file in tmp_path.iterdir()}
    assert built == set(EXPECTED)
    for name, images in EXPECTED.items():
        assert described(read(tmp_path / name)) == images
        if name.endswith((".fatbin", ".cubin", ".ptx")):
            assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()
