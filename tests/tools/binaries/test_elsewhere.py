from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.tools.binaries.elsewhere import Evidence, Place, evidence_of, place_of
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.binaries.report import Sign
from tests.tools.binaries import packing

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.binaries.report import Contents

PLAIN: Final = {"demo/__init__.py": b"import ctypes\n"}
KERNELS: Final = packing.container(packing.real(80))
OPENS: Final = packing.shared_object(b"x\0libcuda.so.1\0")
TEXT: Final = b".version 8.4\n.target sm_90\n"


def read(folder: Path, members: dict[str, bytes], *requires: str) -> Contents:
    path = folder / "demo-1.0-py3-none-any.whl"
    path.write_bytes(packing.wheel(members, requires=requires))
    return inspect_path(str(path))


def needed(text: str) -> Evidence:
    return Evidence(text, is_needed=True)


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        ("cuda_core", (needed("the project makes device code at run time"),)),
        ("demo_cu12", (needed("it is named for CUDA 12"),)),
        ("demo_cuda12x", (needed("it is named for CUDA 12"),)),
        ("demo_cu126", (needed("it is named for CUDA 12"),)),
        ("tensorrt_cu12_bindings", (needed("it is named for CUDA 12"),)),
        ("cucumber", ()),
        ("demo_cube12", ()),
    ],
)
def test_a_name_may_say_it(tmp_path: Path, name: str, evidence: tuple[Evidence, ...]) -> None:
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    contents = read(tmp_path, {f"{name}-1.0.dist-info/METADATA": metadata, **PLAIN})

    assert evidence_of(contents) == evidence


@pytest.mark.parametrize("requirement", ["nvidia-cublas-cu12", "cuda-bindings>=12.9,<14", "triton"])
def test_a_requirement_on_cuda_makes_no_cpu_wheel(tmp_path: Path, requirement: str) -> None:
    contents = read(tmp_path, PLAIN, requirement, "numpy")

    package = requirement.partition(">")[0]
    assert place_of(contents) is Place.ELSEWHERE
    assert evidence_of(contents) == (needed(f"requires {package}"),)


@pytest.mark.parametrize(
    ("members", "requires", "place", "evidence"),
    [
        pytest.param(PLAIN, ("numpy", "torch"), Place.NONE, (), id="nothing"),
        pytest.param(
            PLAIN,
            ("cupy-cuda12x; extra == 'gpu'", "cuda-toolkit==13.*; extra == 'gpu'"),
            Place.PERHAPS,
            (Evidence("an extra requires cupy-cuda12x, cuda-toolkit", is_strong=False),),
            id="an-extra-alone",
        ),
        pytest.param(
            {"demo/a.so": packing.shared_object(b"", needed=("libcublas.so.12", "libc.so.6"))},
            (),
            Place.ELSEWHERE,
            (needed("linked with libcublas.so.12"),),
            id="linked",
        ),
        pytest.param(
            {"demo/a.so": packing.shared_object(b"/cudart.shm.x\0")},
            (),
            Place.ELSEWHERE,
            (Evidence("has the CUDA runtime in it: a.so"),),
            id="static-runtime",
        ),
        pytest.param(
            {"demo/a.so": OPENS, "demo/b.so": OPENS},
            (),
            Place.ELSEWHERE,
            (Evidence(f"{Sign.OPENS_DRIVER.value}: a.so, b.so"),),
            id="opens-the-driver",
        ),
        pytest.param(
            {"demo/a.so": packing.shared_object(b""), "demo.libs/libav-12ab34cd.so.1": OPENS},
            (),
            Place.PERHAPS,
            (Evidence(f"{Sign.OPENS_DRIVER.value}: libav-12ab34cd.so.1", is_strong=False),),
            id="a-copy-opens-the-driver",
        ),
        pytest.param(
            {
                "demo/core.so": packing.shared_object(b""),
                "demo/lib/libcupti.so.13": packing.shared_object(KERNELS),
                "demo/lib/libnvperf_host.so": packing.shared_object(packing.cubin(80)),
                "demo/cupti/libcheckpoint.so": packing.shared_object(KERNELS),
                "demo/lib/libcupti_static.a": b"!<arch>\n" + KERNELS,
            },
            (),
            Place.ELSEWHERE,
            (
                needed(
                    "device code lies in copies of other libraries alone: libcheckpoint.so,"
                    " libcupti.so.13, libcupti_static.a, libnvperf_host.so"
                ),
            ),
            id="copies-alone",
        ),
        pytest.param(
            {"demo/ptxas": packing.shared_object(TEXT), "demo/bin/nvcc": OPENS},
            (),
            Place.ELSEWHERE,
            (Evidence("a compiler of CUDA code: nvcc, ptxas"),),
            id="compilers",
        ),
        pytest.param(
            {"demo/a.cu": b"__global__ void k() {}", "demo/k.ptx": packing.ptx(90)},
            (),
            Place.ELSEWHERE,
            (
                Evidence("brings 1 file of CUDA C++ (.cu), to be compiled where it runs"),
                Evidence("brings 1 file of PTX: k.ptx"),
            ),
            id="sources",
        ),
        pytest.param(
            {"demo/a.so": packing.shared_object(TEXT + KERNELS)},
            ("nvidia-cublas-cu12",),
            Place.EMBEDDED,
            (Evidence(f"{Sign.PTX_TEXT.value}: a.so"),),
            id="embedded-and-at-run-time",
        ),
        pytest.param(
            {"demo/inner.zip": b"PK"},
            (),
            Place.UNKNOWN,
            (),
            id="not-looked-into",
        ),
        pytest.param(
            {"demo/a.so": packing.shared_object(packing.container(packing.real(52, kernel=False)))},
            ("cuda-toolkit==13.0",),
            Place.ELSEWHERE,
            (needed("requires cuda-toolkit"),),
            id="stubs-alone",
        ),
    ],
)
def test_where_the_device_code_of_a_wheel_is(
    tmp_path: Path,
    members: dict[str, bytes],
    requires: tuple[str, ...],
    place: Place,
    evidence: tuple[Evidence, ...],
) -> None:
    contents = read(tmp_path, members, *requires)

    assert (place_of(contents), evidence_of(contents)) == (place, evidence)
