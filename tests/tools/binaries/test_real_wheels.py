"""Published wheels, read whole and compared with ``cuobjdump`` and with figures known of them."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.model import ComputeCapability
from nvidia_variant_provider.tools.binaries import gpu_shares, runtime
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.binaries.report import Kind
from tests.tools.binaries import downloads, oracle

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.binaries.report import Contents, Library

X86 = "manylinux_x86_64"
ARM = "manylinux_aarch64"
WIN = "win_amd64"

MANY = "50 52 60 61 70 75 80 86 89 90 100 101 103 120 121"
CUPTI = "50 60 62 70 72 75 80 86 87 89 90 100 101 120 121"
BNB_PTX = "90@7.8 90@8.1 90@8.4 90@8.5 120@8.7 120@9.0 120@9.2"
BNB_KITS = "11.8 12.1 12.4 12.6 12.8 13.0 13.2"
BNB_COVER = "60:57 61:57 70:71 75:100 80:100 90:100 100:42+45 110:0+45 120:42+45 121:42+45"


@dataclass(frozen=True)
class Known:
    """What another reader, written apart from ours, found in a wheel; stubs are left out."""

    requirement: str
    platform: str
    real: str = ""
    ptx: str = ""
    containers: int = 0
    toolkits: str = ""
    bounds: tuple[str, str] = ("None", "None")
    cover: str = ""
    large: bool = False


KNOWN = [
    Known(
        "nvidia-cufile-cu12==1.14.1.1", X86, "60 61 62 70 72 75 80 86", "80@7.1", 1, "11.1",
        ("11.0", "11.1"), "60:100 70:100 75:100 80:100 89:100 90:0+100 100:0+100 121:0+100",
    ),
    Known(
        "torchaudio==2.11.0", ARM, "80 90 100 110 120", "120@9.0", 4, "13.0", ("13.0", "13.0"),
        "80:100 87:0 89:100 90:100 100:100 103:100 107:100 110:100 120:100 121:100",
    ),
    Known(
        "torchaudio==2.11.0", X86, "75 80 86 90 100 120", "120@9.0", 4, "13.0", ("13.0", "13.0"),
        "75:100 80:100 89:100 90:100 100:100 107:100 110:0 120:100 121:100",
    ),
    Known(
        "xformers==0.0.35", WIN, "75 80 90a", "80@8.7", 7, "12.8", ("12.0", "12.8"),
        "75:100 80:100 89:100 90:100 100:0+100 110:0+100 121:0+100",
    ),
    Known(
        "xformers==0.0.35", X86, "75 80 90a", "80@8.7", 8, "12.8", ("12.0", "12.8"),
        "75:100 80:100 89:100 90:100 100:0+100 110:0+100 121:0+100",
    ),
    Known(
        "nvidia-cuda-runtime-cu12==12.9.79", X86, MANY, "121@8.8", 1, "12.9", ("12.0", "12.9"),
        "50:100 61:100 70:100 89:100 90:100 100:100 107:100 110:100 120:100 121:100",
    ),
    Known(
        "nvidia-nvjpeg-cu12==12.4.0.76", WIN, MANY, "121@8.8", 10, "12.9", ("12.0", "12.9"),
        "50:100 61:100 70:100 89:100 90:100 100:100 107:100 110:100 120:100 121:100",
    ),
    Known(
        "nvidia-nvjpeg-cu12==12.4.0.76", ARM, MANY, "121@8.8", 10, "12.9", ("12.0", "12.9"),
        "50:100 61:100 70:100 89:100 90:100 100:100 107:100 110:100 120:100 121:100",
    ),
    Known(
        "nvidia-nvjpeg-cu12==12.4.0.76", X86, MANY, "121@8.8", 10, "12.9", ("12.0", "12.9"),
        "50:100 61:100 70:100 89:100 90:100 100:100 107:100 110:100 120:100 121:100",
    ),
    Known(
        "torchvision==0.29.2", X86, "75 80 86 90 100 120", "120@9.2", 7, "13.2", ("13.0", "13.2"),
        "75:100 80:100 89:100 90:100 100:100 107:100 110:0 120:100 121:100",
    ),
    Known(
        "nvidia-cuda-cupti-cu12==12.9.79", X86, CUPTI, "", 6,
        # The cubins outside containers are older than the library.
        "7.5 9.0 9.2 10.0 10.1 11.0 11.1 11.6 11.7 12.3 12.4 12.5 12.7 12.9", ("12.0", "12.9"),
        "50:100 61:100 70:100 89:100 90:100 100:100 107:100 110:100 120:100 121:100",
    ),
    Known(
        "bitsandbytes==0.50.2", ARM, "75 80 90 100 110 120 121",
        "90@7.8 90@8.1 90@8.4 90@8.5 120@8.7 121@9.0 121@9.2", 35, BNB_KITS, ("11.0", "13.2"),
        "75:100 80:100 90:100 100:42+45 103:42+45 110:28+45 120:42+45 121:42+45",
    ),
    Known(
        "libraft-cu12==26.10.0", X86, "70 75 80 86 90a 100f 120 120a", "120@8.8", 12, "12.9",
        ("12.0", "12.9"), "70:100 75:100 89:100 90:100 100:100 107:100 110:0 120:100 121:100",
    ),
    Known(
        "bitsandbytes==0.50.2", WIN, "60 70 75 80 86 89 90 100 120", BNB_PTX, 35, BNB_KITS,
        ("11.0", "13.2"), BNB_COVER,
    ),
    Known(
        "bitsandbytes==0.50.2", X86, "60 70 75 80 86 89 90 100 120", BNB_PTX, 35, BNB_KITS,
        ("11.0", "13.2"), BNB_COVER,
    ),
    Known(
        # auditwheel moved its own library beside the copies.
        "faiss-gpu-cu12==1.14.1.post1", X86, "70 80", "", 178, "12.1", ("12.0", "12.1"),
        "61:0 70:100 75:100 80:100 86:100 87:0 89:100 90:0 120:0",
    ),
    Known("lightgbm==4.7.0", X86),
    # The bounds of wheels without code are those of their name and of their requirements.
    Known("librmm-cu12==26.10.0", X86, bounds=("12.0", "12.0")),
    Known("numba-cuda==0.30.4", X86, bounds=("12.0", "12.0")),
    Known(
        "xgboost==3.2.0", X86, "50 60 70 80 90 100 120", "120@8.8", 63, "12.9", ("12.0", "12.9"),
        "50:100 70:100 89:100 90:100 100:100 107:100 110:0 120:100 121:100", large=True,
    ),
    Known(
        "xgboost==3.2.0", WIN, "50 60 70 80 90 100 120", "120@8.8", 59, "12.9", ("12.0", "12.9"),
        "50:100 70:100 89:100 90:100 100:100 107:100 110:0 120:100 121:100", large=True,
    ),
    Known(
        "xgboost==3.2.0", ARM, "50 60 70 80 90 100 120", "120@8.8", 63, "12.9", ("12.0", "12.9"),
        "50:100 70:100 87:0 89:100 90:100 100:100 107:100 110:0 120:100 121:100", large=True,
    ),
    Known(
        "nvidia-curand==10.4.5.25", X86, "75 80 86 87 89 90 100 110 120",
        "75@9.0 75@9.4 80@9.4 86@9.4 87@9.4 89@9.4 90@9.4 100@9.4 110@9.4 120@9.4", 1749, "13.4",
        ("13.0", "13.4"),
        "75:12+12 80:12+12 86:25+12 87:0+12 89:25+12 90:13+12 100:12+12 110:12+12 121:12+12",
        large=True,
    ),
    Known(
        "cupy-cuda12x==14.2.0", X86, "50 52 60 61 70 75 80 86 89 90 100f 120f", "100@8.8", 3,
        "12.9", ("12.0", "12.9"),
        "50:100 70:100 87:0 89:100 90:100 100:100 103:100 107:100 110:0+100 120:100 121:100",
        large=True,
    ),
    Known(
        "cupy-cuda12x==14.2.0", ARM, "50 52 60 61 70 72 75 80 86 87 89 90 100f 120f", "100@8.8",
        3, "12.9", ("12.0", "12.9"),
        "50:100 72:100 87:100 89:100 90:100 100:100 103:100 107:100 110:0+100 121:100", large=True,
    ),
    Known(
        "nvidia-nccl-cu11==2.21.5", X86, "35 50 60 61 70 80", "80@7.0", 109, "11.0",
        ("11.0", "11.0"), "35:100 50:100 61:100 75:100 80:100 87:0+99 89:100 90:0+99 121:0+99",
        large=True,
    ),
    Known(
        "nvidia-cusparselt-cu12==0.6.3", X86, "80 86 87 89 90 90a", "80@8.0 86@8.0 89@8.0 90@8.0",
        2505, "12.0 12.6", ("12.0", "12.6"), "75:0 80:5 86:11 87:11+0 89:11 90:99+0 100:0+0",
        large=True,
    ),
    Known(
        "onnxruntime-gpu==1.31.1", X86, "75 80 86 89 90a 120a", "", 595,
        # Bare cubins were made by older toolkits than the library.
        "11.1 11.5 11.8 12.1 12.3 13.0", ("13.0", "13.0"),
        "75:34 80:49 86:49 87:0 89:49 90:98 100:0 120:50 121:0", large=True,
    ),
    Known(
        "warp-lang==1.19.0", X86, "75 80 86 89 90 100 120", "75@9.4 121@9.4", 13, "13.4",
        ("13.0", "13.4"), "75:100 89:100 90:100 100:100 110:0+100 120:100 121:100", large=True,
    ),
    Known(
        # Static archives, and mscclpp under three names, are counted once or not at all.
        "sgl-kernel==0.3.21", X86, "80 86 89 90 90a 100a 120a", "80@8.8 90@8.8", 335, "12.9",
        ("12.0", "12.9"),
        "80:96 89:96 90:100 100:44+1 103:0+1 107:0+1 110:0+1 120:41+1 121:0+1", large=True,
    ),
    Known(
        "torch==2.15.0", X86, "75 80 86 89 90 90a 100 100a 103f 120 120a 121a", "120@9.0", 572,
        # 13.4 made the cubins of 58 containers in plain data of libtorch_cuda.
        "13.0 13.2 13.4", ("13.0", "13.4"),
        "75:84 80:89 86:89 87:0 89:89 90:94 100:94 103:94 107:94 120:89 121:89", large=True,
    ),
    Known(
        # Its own library has the name of NVIDIA's, and most of its containers hold stubs.
        "cutensor-cu12==2.8.1", X86, "75 80 90 90a 100 100a 100f 120 120f",
        "50@8.8 75@8.8 100@8.8", 542, "12.9", ("12.0", "12.9"),
        "75:16 80:23+4 89:23+4 90:25+4 100:31+15 107:30+15 110:0+16 121:23+16", large=True,
    ),
    Known(
        # Its cubins are older than its CUDA, which its soname and the device linker tell.
        "nvidia-cufft-cu12==11.2.1.3", X86, "50 53 60 62 70 72 75 80 86 87 89 90",
        "50@7.0 53@7.0 70@7.0 80@7.0 86@7.5 90@7.8", 11606, "11.5 11.8", ("12.0", "12.4"),
        "50:2+25 70:2+62 75:5+62 80:3+67 86:6+69 89:9+69 90:3+70 100:0+70", large=True,
    ),
    Known("flashinfer-cubin==0.6.13", X86, "", "", 0, "12.9", ("12.0", "12.9"), large=True),
]  # fmt: skip


def cases() -> list[object]:
    return [
        pytest.param(
            known,
            id=f"{known.requirement}-{known.platform}",
            marks=[pytest.mark.large] if known.large else [pytest.mark.wheels],
        )
        for known in KNOWN
    ]


def targets(contents: Contents, kind: Kind) -> set[str]:
    """Name the targets with kernels in containers: ``90a``, or ``80@7.1`` of PTX."""
    images = [
        tally.image
        for library in contents.own
        for tally in library.images
        if tally.image.has_kernels and tally.image.kind is kind
    ]
    return {
        f"{image.number}{image.suffix}" + ("@{}.{}".format(*image.isa) if image.isa else "")
        for image in images
    }


def covered(contents: Contents, expected: str) -> str:
    """Write the coverage of the GPUs in ``expected`` in the same form."""
    profiles = gpu_shares.merge(contents.own)
    words = []
    for word in expected.split():
        number, _, shares = word.partition(":")
        row = gpu_shares.cover(profiles, ComputeCapability.from_number(int(number)))
        jit = f"+{int(100 * row.jit_share)}" if "+" in shares else ""
        words.append(f"{number}:{int(100 * row.native_share)}{jit}")
    return " ".join(words)


@pytest.mark.parametrize("known", cases())
def test_what_is_known_of_a_wheel(known: Known) -> None:
    path = downloads.wheel(known.requirement, known.platform)
    contents = inspect_path(str(path), jobs=2)
    bounds = runtime.runtime_of(contents).bounds

    assert targets(contents, Kind.CUBIN) == set(known.real.split())
    assert targets(contents, Kind.PTX) == set(known.ptx.split())
    assert sum(library.kernel_containers for library in contents.own) == known.containers
    toolkits = sorted({toolkit for library in contents.own for toolkit in library.all_toolkits})
    assert " ".join(map(str, toolkits)) == known.toolkits
    assert (str(bounds.compatible), str(bounds.strict)) == known.bounds
    assert covered(contents, known.cover) == known.cover
    assert contents.findings == ()
    assert all(library.findings == () for library in contents.libraries)


WITH_CODE = [
    pytest.param(
        known,
        id=f"{known.requirement}-{known.platform}",
        marks=[pytest.mark.large] if known.large else [pytest.mark.wheels],
    )
    for known in KNOWN
    if known.real
]


@pytest.mark.parametrize("known", WITH_CODE)
def test_cuobjdump_lists_the_same(known: Known, tmp_path: Path) -> None:
    """Container by container all of it, and what it says of a whole file is never more."""
    path = downloads.wheel(known.requirement, known.platform)
    libraries = [one for one in inspect_path(str(path), jobs=2).libraries if one.images]
    with zipfile.ZipFile(path) as archive:
        for library in libraries:
            file = archive.extract(library.path, tmp_path)
            ours = oracle.counted(library)
            if library.form != "archive":
                assert oracle.listed_one_by_one(downloads.cuobjdumps, file) == ours
            if library.form != "pe":
                assert_whole_file(library, oracle.listed(downloads.cuobjdumps(), file), ours)
            os.unlink(file)

    assert libraries


def assert_whole_file(library: Library, theirs: oracle.Images | None, ours: oracle.Images) -> None:
    """Compare with the listing of a file: it sees what lies in the sections it knows."""
    by_name = sum(count for place, count in library.places if place in BY_NAME)
    if by_name == library.containers:
        assert theirs == ours
    elif by_name:
        assert theirs is not None
        assert theirs < ours
    else:
        assert theirs is None


BY_NAME = {".nv_fatbin", "__nv_relfatbin", "archive"}
