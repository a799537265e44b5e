"""Which libraries of a wheel speak for it: decided by what the wheel is, each library once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.binaries.report import Role
from nvidia_variant_provider.tools.binaries.vendored import is_vendored
from tests.tools.binaries import packing
from tests.wheel_maker import cuda_library, make_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.mark.parametrize(
    ("path", "distribution", "is_copy"),
    [
        # NVIDIA's library in the wheel that is named after it, and in another's.
        ("cutensor/lib/libcutensor.so.2", "cutensor_cu12", False),
        ("cutensor/lib/libcutensorMg.so.2", "cutensor_cu13", False),
        ("torch/lib/libcutensor.so.2", "torch", True),
        ("nvidia/cufft/lib/libcufft.so.11", "nvidia_cufft_cu12", False),
        # An extension module that binds a library is not that library.
        ("cupy/cuda/cublas.cpython-311-x86_64-linux-gnu.so", "cupy_cuda12x", False),
        ("cupy_backends/cuda/libs/cublas.cp311-win_amd64.pyd", "cupy_cuda12x", False),
        ("cupy/cuda/nccl.abi3.so", "cupy_cuda12x", False),
        # What auditwheel moved and named anew: the wheel's own library among it.
        ("faiss_gpu_cu12.libs/libfaiss-1a2b3c4d.so", "faiss_gpu_cu12", False),
        ("faiss_gpu_cu12.libs/libgomp-a34b3233.so.1", "faiss_gpu_cu12", True),
        ("torchvision.libs/libnvjpeg.4a0b5c81.so.13", "torchvision", True),
        ("torchvision.libs/libcudart.3eda8113.so.13", "torchvision", True),
    ],
)
def test_a_copy_is_told_by_what_the_wheel_is(
    path: str,
    distribution: str,
    is_copy: bool,  # noqa: FBT001 - a case
) -> None:
    assert is_vendored(path, distribution) is is_copy


def roles(folder: Path, members: Mapping[str, bytes]) -> dict[str, Role]:
    contents = inspect_path(str(make_wheel(folder, members)))
    return {library.path: library.role for library in contents.libraries}


def archive() -> bytes:
    return b"!<arch>\n" + cuda_library("50", "60")


def test_every_library_has_a_role(tmp_path: Path) -> None:
    library = cuda_library("80", "90")
    members = {
        "demo/libdemo.so": library,
        "demo/libdemo_nocublaslt.so": cuda_library("80"),
        "demo/other/libdemo.so": library,
        "demo/libdemo.so.0": library,
        "demo/libdemo.so.0.6.0": library,
        "demo/libcudadevrt.a": archive(),
        "demo/tests/kernel.fatbin": packing.container(packing.real(75)),
        "demo.libs/libcudart-41118559.so.12": library,
    }

    assert roles(tmp_path, members) == {
        "demo/libdemo.so": Role.OWN,
        "demo/libdemo_nocublaslt.so": Role.TWIN,
        "demo/other/libdemo.so": Role.DUPLICATE,
        "demo/libdemo.so.0": Role.DUPLICATE,
        "demo/libdemo.so.0.6.0": Role.DUPLICATE,
        "demo/libcudadevrt.a": Role.FOR_LINKING,
        "demo/tests/kernel.fatbin": Role.TEST,
        "demo.libs/libcudart-41118559.so.12": Role.COPY,
    }


def test_a_wheel_of_nothing_but_archives_or_fixtures_speaks_through_them(tmp_path: Path) -> None:
    assert roles(tmp_path, {"demo/libcudadevrt.a": archive()}) == {"demo/libcudadevrt.a": Role.OWN}
    fixture = packing.container(packing.real(75))
    assert roles(tmp_path, {"tests/kernel.fatbin": fixture}) == {"tests/kernel.fatbin": Role.OWN}


def test_a_name_with_no_beside_nothing_is_an_ordinary_name(tmp_path: Path) -> None:
    members = {"demo/lib_nogil.so": cuda_library("80"), "demo/libb.so": cuda_library("90")}

    assert set(roles(tmp_path, members).values()) == {Role.OWN}
