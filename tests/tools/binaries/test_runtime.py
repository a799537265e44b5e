from __future__ import annotations

import dataclasses

import pytest

from nvidia_variant_provider.model import CudaVersion, SmArch
from nvidia_variant_provider.tools.binaries import requirements, runtime
from nvidia_variant_provider.tools.binaries.report import (
    Content,
    Contents,
    CudartLink,
    Image,
    Kind,
    Library,
    Profile,
    Requirement,
    Tally,
)
from nvidia_variant_provider.tools.binaries.runtime import Bounds, CudaLibrary, Runtime
from nvidia_variant_provider.tools.binaries.vendored import is_vendored


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("libcudart.so.11.0", ("cudart", (11,))),
        ("libcudart.so.12", ("cudart", (12,))),
        ("libcudart-41118559.so.12", ("cudart", (12,))),
        ("libcudart.3eda8113.so.13", ("cudart", (13,))),
        ("libcublasLt.so.12", ("cublaslt", (12,))),
        ("libnvrtc.so.11.2", ("nvrtc", (11,))),
        ("libnvJitLink.so.13", ("nvjitlink", (13,))),
        ("libcufft.so.10", ("cufft", (11,))),
        ("libcufft.so.11", ("cufft", (12,))),
        ("libcufft.so.12", ("cufft", (13,))),
        ("libcusolver.so.10", ("cusolver", (11,))),
        ("libcusolver.so.11", ("cusolver", (11, 12))),
        ("libcusolver.so.12", ("cusolver", (13,))),
        ("libcusparse.so.11", ("cusparse", (11,))),
        ("libcusparse.so.12", ("cusparse", (12, 13))),
        ("libcurand.so.10", ("curand", (11, 12, 13))),
        ("cudart64_110.dll", ("cudart", (11,))),
        ("cudart64_12.dll", ("cudart", (12,))),
        ("cudart64_12-0123456789abcdef.dll", ("cudart", (12,))),
        ("cublas64_13.dll", ("cublas", (13,))),
        ("nvrtc64_120_0.dll", ("nvrtc", (12,))),
        ("nvJitLink_130_0.dll", ("nvjitlink", (13,))),
        ("libcuda.so.1", ("cuda", ())),
        ("nvcuda.dll", ("cuda", ())),
        ("libc.so.6", None),
        ("libcudnn.so.9", None),
        ("libtorch_cuda.so", None),
        ("KERNEL32.dll", None),
        ("libcufft.so.99", None),
    ],
)
def test_names_in_link_tables(file: str, expected: tuple[str, tuple[int, ...]] | None) -> None:
    found = runtime.parse_library(file)

    assert (found and (found.library, found.majors)) == expected


@pytest.mark.parametrize(
    ("file", "major", "minor"),
    [
        ("libcudart.so.10.2", 10, 2),
        ("libcudart.so.11.0", 11, 0),
        ("libcudart.so.12", 12, 0),
        ("cudart64_102.dll", 10, 2),
        ("cudart64_110.dll", 11, 0),
        ("cudart64_12.dll", 12, 0),
    ],
)
def test_names_of_the_runtime_tell_major_and_minor(file: str, major: int, minor: int) -> None:
    assert runtime.parse_library(file) == CudaLibrary(file, "cudart", (major,), minor)


def library(
    *needed: str,
    toolkits: tuple[CudaVersion, ...] = (),
    cudart: CudartLink = CudartLink.NONE,
    archs: tuple[str, ...] = ("80_real",),
    images: tuple[Image, ...] = (),
    path: str = "pkg/lib.so",
) -> Library:
    return Library(
        path,
        "elf",
        "x86_64",
        1000,
        images=tuple(Tally(image, 1, 100, 100) for image in images),
        profiles=(Profile(tuple(SmArch.parse(arch) for arch in archs), 1),) if images else (),
        toolkits=toolkits,
        needed=needed,
        cudart=cudart,
    )


CUBIN = Image(Kind.CUBIN, 80)
PTX = Image(Kind.PTX, 80, "", (8, 7))
OLDER = Image(Kind.PTX, 60, "", (6, 0))
ALL_OVER = (
    "50_real", "60_real", "70_real", "80_real", "90_real", "100_real", "110_real", "120_real",
    "121_virtual",
)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "compatible", "strict", "evidence"),
    [
        pytest.param(
            library("libcudart.so.12", toolkits=(CudaVersion(12, 8),), images=(CUBIN,)),
            "12.0",
            "12.8",
            ("linked with libcudart.so.12", "cubins made by CUDA 12.8"),
            id="linked",
        ),
        pytest.param(
            library("libcudart.so.13", toolkits=(CudaVersion(12, 4),), images=(CUBIN,)),
            "13.0",
            "13.0",
            ("linked with libcudart.so.13", "cubins made by CUDA 12.4"),
            id="older-cubins-are-fine",
        ),
        pytest.param(
            library("libcudart.so.10.2", toolkits=(CudaVersion(10, 2),), images=(CUBIN,)),
            "10.2",
            "10.2",
            ("linked with libcudart.so.10.2", "cubins made by CUDA 10.2"),
            id="no-promise-before-11",
        ),
        pytest.param(
            library(
                toolkits=(CudaVersion(11, 5), CudaVersion(12, 9)),
                images=(CUBIN,),
                cudart=CudartLink.STATIC,
            ),
            "12.0",
            "12.9",
            ("static cudart, cubins made by CUDA 12.9", "cubins made by CUDA 12.9"),
            id="static-goes-by-the-newest-toolkit",
        ),
        pytest.param(
            library("libcublas.so.12", "libcusolver.so.11", images=(CUBIN,)),
            "12.0",
            "12.0",
            ("linked with libcublas.so.12",),
            id="another-library-with-cudas-major",
        ),
        pytest.param(library("libcurand.so.10"), None, None, (), id="one-that-tells-nothing"),
        pytest.param(
            library(cudart=CudartLink.HYBRID),
            "13.0",
            "13.0",
            ("the hybrid cudart of Windows",),
            id="hybrid",
        ),
        pytest.param(
            library(
                "libcudart.so.12",
                toolkits=(CudaVersion(12, 4),),
                images=(CUBIN, PTX),
                archs=("80_real", "80_virtual"),
            ),
            "12.0",
            "12.8",
            ("linked with libcudart.so.12", "PTX that drivers compile from CUDA 12.8 on"),
            id="ptx-for-newer-gpus",
        ),
        pytest.param(
            library(images=(PTX,), archs=("80_virtual",)),
            "12.0",
            "12.8",
            ("PTX alone", "PTX that drivers compile from CUDA 12.8 on"),
            id="ptx-alone",
        ),
        pytest.param(
            library(
                "libcublas.so.12",
                "libcudart.so.13",
                "libcurand.so.10",
                toolkits=(CudaVersion(13, 1),),
                images=(CUBIN,),
            ),
            "13.0",
            "13.1",
            ("linked with libcudart.so.13", "cubins made by CUDA 13.1"),
            id="cudart-before-others",
        ),
        pytest.param(
            library(toolkits=(CudaVersion(12, 4),), images=(CUBIN,)),
            "12.0",
            "12.4",
            ("cubins made by CUDA 12.4", "cubins made by CUDA 12.4"),
            id="no-runtime-at-all",
        ),
        pytest.param(
            library(
                toolkits=(CudaVersion(10, 2),),
                images=(Image(Kind.CUBIN, 70), Image(Kind.PTX, 70, "", (6, 5))),
                archs=("70_real", "70_virtual"),
            ),
            "10.2",
            "10.2",
            ("cubins made by CUDA 10.2", "cubins made by CUDA 10.2"),
            id="ptx-as-old-as-the-cubins",
        ),
        pytest.param(
            library(images=(Image(Kind.PTX, 70, "", (6, 5)), OLDER), archs=("70_virtual",)),
            "10.2",
            "10.2",
            ("PTX alone", "PTX that drivers compile from CUDA 10.2 on"),
            id="the-newest-of-ptx-alone",
        ),
        pytest.param(
            library(images=(Image(Kind.PTX, 80, "", (9, 9)),), archs=("80_virtual",)),
            None,
            None,
            ("PTX ISA 9.9 is newer than every driver known to this release",),
            id="ptx-of-an-unknown-version",
        ),
        pytest.param(
            library(images=(dataclasses.replace(PTX, content=Content.STUB),), archs=()),
            None,
            None,
            (),
            id="ptx-without-kernels",
        ),
        pytest.param(
            library(
                toolkits=(CudaVersion(12, 4),),
                images=(CUBIN, dataclasses.replace(PTX, number=121)),
                archs=ALL_OVER,
            ),
            "12.0",
            "12.4",
            ("cubins made by CUDA 12.4", "cubins made by CUDA 12.4"),
            id="ptx-for-a-gpu-that-has-its-cubin",
        ),
        pytest.param(library(cudart=CudartLink.STATIC), None, None, (), id="static-without-code"),
    ],
)
def test_bounds(
    one: Library, compatible: str | None, strict: str | None, evidence: tuple[str, ...]
) -> None:
    bounds = runtime.library_bounds(one)

    assert (bounds.compatible, bounds.strict, bounds.evidence) == (
        CudaVersion.parse(compatible) if compatible else None,
        CudaVersion.parse(strict) if strict else None,
        evidence,
    )


def test_an_isa_newer_than_all_drivers_leaves_a_wheel_without_a_strict_bound() -> None:
    unknown = library(images=(Image(Kind.PTX, 80, "", (9, 9)),), archs=("80_virtual",))
    contents = Contents("demo", "wheel", (unknown, library(toolkits=(CudaVersion(13, 1),))))

    assert runtime.runtime_of(contents).bounds.strict is None


def test_libraries_for_several_cuda_majors_are_alternatives() -> None:
    contents = Contents(
        "w.whl",
        "wheel",
        (
            library("libcudart.so.11.0", toolkits=(CudaVersion(11, 8),), images=(CUBIN,)),
            library("libcudart.so.13", toolkits=(CudaVersion(13, 2),), images=(CUBIN,)),
        ),
    )

    assert runtime.runtime_of(contents) == Runtime(
        Bounds(
            CudaVersion(11, 0),
            CudaVersion(13, 2),
            (
                "linked with libcudart.so.11.0",
                "cubins made by CUDA 11.8",
                "linked with libcudart.so.13",
                "cubins made by CUDA 13.2",
            ),
        ),
        (CudaVersion(11, 0), CudaVersion(13, 0)),
        needs_driver=False,
    )


def test_requirements_speak_where_no_library_does() -> None:
    contents = Contents(
        "w.whl",
        "wheel",
        (library("libcuda.so.1", path="pkg/stub.so"),),
        (
            Requirement("nvidia-cuda-runtime-cu12", "nvidia-cuda-runtime-cu12==12.9.79", "12.9"),
            Requirement("cuda-toolkit", "cuda-toolkit==13.0; extra == 'x'", "13.0", optional=True),
        ),
    )

    assert runtime.runtime_of(contents) == Runtime(
        Bounds(CudaVersion(12, 0), CudaVersion(12, 0), ("requires CUDA 12.0",)),
        (CudaVersion(12, 0),),
        needs_driver=True,
    )


@pytest.mark.parametrize(
    ("asked", "promised"),
    [
        ((), None),
        (("",), None),
        (("10.2",), CudaVersion(10, 2)),
        (("11.8",), CudaVersion(11, 0)),
        (("12", "13.0", "12.9"), CudaVersion(13, 0)),
    ],
)
def test_the_newest_requirement_speaks(
    asked: tuple[str, ...], promised: CudaVersion | None
) -> None:
    required = tuple(Requirement("nvidia-nccl", "nvidia-nccl", cuda) for cuda in asked)
    found = runtime.runtime_of(Contents("w.whl", "wheel", (), required))

    evidence = (f"requires CUDA {promised}",) if promised else ()
    alternatives = (promised,) if promised else ()
    assert found == Runtime(Bounds(promised, promised, evidence), alternatives, needs_driver=False)


LOOSE = dataclasses.replace(library(), form="ptx", bare=(Tally(PTX, 1, 100, 100),))


@pytest.mark.parametrize("form", ["wheel", "folder", "file"])
def test_loose_ptx_counts_only_as_a_file_of_its_own(form: str) -> None:
    bounds = runtime.runtime_of(Contents("x", form, (LOOSE,))).bounds

    told = Bounds(
        CudaVersion(12, 0),
        CudaVersion(12, 8),
        ("PTX alone", "PTX that drivers compile from CUDA 12.8 on"),
    )
    assert bounds == (told if form == "file" else Bounds(None, None))


def test_the_runtime_library_itself_says_nothing_unless_it_holds_device_code() -> None:
    path = "x.libs/libcublas.so.12"
    silent = library("libcudart.so.13", path=path)
    speaking = library(toolkits=(CudaVersion(12, 4),), images=(CUBIN,), path=path)

    assert runtime.runtime_of(Contents("w", "wheel", (silent,))).bounds == Bounds(None, None)
    assert runtime.runtime_of(Contents("w", "wheel", (speaking,))).bounds.strict == CudaVersion(
        12, 4
    )


@pytest.mark.parametrize(
    ("one", "cuda"),
    [
        (library(), False),
        (library("libc.so.6"), False),
        (library("libcuda.so.1"), True),
        (library(cudart=CudartLink.STATIC), True),
        (library(images=(CUBIN,)), True),
        (LOOSE, True),
    ],
)
def test_what_uses_cuda(one: Library, cuda: bool) -> None:  # noqa: FBT001
    assert runtime.is_cuda(one) is cuda


def test_libraries_that_are_not_cudas_are_left_out_of_the_link_table() -> None:
    found = runtime.cuda_libraries(library("libc.so.6", "libcuda.so.1", "libcudart.so.12"))

    assert found == (
        CudaLibrary("libcuda.so.1", "cuda", ()),
        CudaLibrary("libcudart.so.12", "cudart", (12,)),
    )


def test_the_runtime_library_itself_is_not_static() -> None:
    itself = library(cudart=CudartLink.STATIC, path="x.libs/libcudart.3eda8113.so.13")

    assert runtime.cudart_of(itself) is CudartLink.NONE
    assert runtime.cudart_of(library(cudart=CudartLink.STATIC)) is CudartLink.STATIC
    assert runtime.cudart_of(library("libcudart.so.12")) is CudartLink.DYNAMIC


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nvidia-cuda-runtime-cu12==12.9.79", ("nvidia-cuda-runtime-cu12", "12.9", False)),
        ("nvidia_nccl_cu12>=2.20", ("nvidia-nccl-cu12", "12", False)),
        ("nvidia-cudnn-cu13 (==9.1)", ("nvidia-cudnn-cu13", "13", False)),
        ("nvidia-cuda-runtime==13.0.96 ; extra == 'cuda'", ("nvidia-cuda-runtime", "13.0", True)),
        ("cuda-toolkit[cudart,nvrtc]==13.2.1", ("cuda-toolkit", "13.2", False)),
        ("cuda-toolkit==12.*", ("cuda-toolkit", "12", False)),
        ("nvidia-cufft==12.0.0.61", ("nvidia-cufft", "13", False)),
        ("nvidia-cuda-runtime", ("nvidia-cuda-runtime", "", False)),
        ("cupy-cuda12x>=13", ("cupy-cuda12x", "12", False)),
        ("nvidia-nvtx~=13.0", ("nvidia-nvtx", "13.0", False)),
        ("numpy>=1.20", None),
        ("nvidia-ml-py", None),
        ("nvidia-modelopt", None),
    ],
)
def test_requirements_in_all_spellings(line: str, expected: tuple[str, str, bool] | None) -> None:
    stated = [(it.package, it.cuda, it.optional) for it in requirements.on_cuda(["numpy", line])]

    assert stated == ([expected] if expected else [])


def test_a_requirement_of_more_than_a_thousand_characters_is_none() -> None:
    text = "nvidia-nccl-cu12" + " " * 985

    assert [it.text for it in requirements.on_cuda([text, text[:-1]])] == [text[:-1]]


@pytest.mark.parametrize(
    ("path", "distribution", "expected"),
    [
        ("torchvision.libs/libnvjpeg.4a0b5c81.so.13", "torchvision", True),
        ("torchvision.libs/libz.so", "torchvision", True),
        ("pkg/libcudart.so.12", "pkg", True),
        ("pkg/cublasLt64_12.dll", "pkg", True),
        ("pkg/libnccl.so.2", "pkg", True),
        ("nvidia/nvjpeg/lib/libnvjpeg.so.12", "nvidia_nvjpeg_cu12", False),
        ("torch/lib/libtorch_cuda.so", "torch", False),
        ("pkg/libcublas_helpers_of_mine.so.py", "pkg", False),
        ("pkg.libs.so", "pkg", False),
    ],
)
def test_copies_of_other_peoples_libraries(path: str, distribution: str, expected: bool) -> None:  # noqa: FBT001
    assert is_vendored(path, distribution) is expected
