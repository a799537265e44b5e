"""The CUDA that a wheel's libraries are linked with, and the CUDA driver version they need.

Two bounds exist. Since CUDA 11 a program runs on any driver of its own CUDA major ("minor-version
compatibility"), unless it relies on the driver's compiler, which must know the PTX ISA version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tables.libraries import CUDA_MAJORS_OF, MAJOR_OF_CUDA
from nvidia_variant_provider.tables.sm_archs import TEGRA_CAPABILITIES
from nvidia_variant_provider.tables.toolkits import FIRST_COMPATIBLE_MAJOR, FIRST_HYBRID_MAJOR
from nvidia_variant_provider.tools.binaries import gpu_shares, ptx
from nvidia_variant_provider.tools.binaries.report import CudartLink, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.binaries.report import Contents, Library, Tally

# "libcudart.so.12", "libcudart-41118559.so.12", "libcudart.3eda8113.so.13", "libcudart.so.11.0".
_LINUX: Final = re.compile(
    r"lib([A-Za-z]+)(?:[-.][0-9a-f]{6,16})?\.so\.(\d{1,3})(?:\.(\d{1,3}))?.*"
)
# "cudart64_12.dll", "cudart64_110.dll", "nvrtc64_120_0.dll", "nvJitLink_130_0.dll"; a hash too.
_WINDOWS: Final = re.compile(
    r"([A-Za-z]+?)(?:64)?_(\d{1,3})(?:_\d+)?(?:-[0-9a-f]{6,32})?\.dll", re.IGNORECASE
)
# "nvidia-cufft-cu12", "cupy_cuda12x", "foo-cu126".
_PACKAGE: Final = re.compile(r"[-_.]cu(?:da)?(\d{2})\d?x?(?=[-_.]|$)")
_DRIVERS: Final = frozenset({"libcuda.so.1", "libcuda.so", "nvcuda.dll"})


@dataclass(frozen=True, slots=True)
class CudaLibrary:
    """A library named in a link table: its name, and the CUDA versions that ship it.

    ``majors`` is empty for ``libcuda`` itself, which only says that a driver is needed.
    """

    file: str
    library: str
    majors: tuple[int, ...]
    minor: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """The oldest CUDA driver version that serves: by minor-version compatibility, and strictly.

    ``evidence`` says what each was concluded from. ``unknown_isa`` is a PTX ISA version, such as
    (9, 6), that some GPU relies on and no known driver compiles: then ``strict`` is not known.
    """

    compatible: CudaVersion | None
    strict: CudaVersion | None
    evidence: tuple[str, ...] = ()
    unknown_isa: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Runtime:
    """The bounds of a wheel.

    ``alternatives`` has the compatible bound of each CUDA major when a wheel brings libraries for
    several, of which it loads one at run time.
    """

    bounds: Bounds
    alternatives: tuple[CudaVersion, ...]
    needs_driver: bool


def parse_library(file: str) -> CudaLibrary | None:
    """Read a name in a link table; ``None`` for libraries that are not CUDA's."""
    if file.lower() in _DRIVERS:
        return CudaLibrary(file, "cuda", ())
    match = _LINUX.fullmatch(file)
    if match:
        library, major, minor = match[1].lower(), int(match[2]), int(match[3] or 0)
    elif match := _WINDOWS.fullmatch(file):
        library, (major, minor) = match[1].lower(), _split(match[2])
    else:
        return None
    if library in MAJOR_OF_CUDA:
        return CudaLibrary(file, library, (major,), minor)
    majors = CUDA_MAJORS_OF.get(library, {}).get(major)
    return CudaLibrary(file, library, majors) if majors else None


def _split(digits: str) -> tuple[int, int]:
    """Split the number in a DLL's name: "12" is 12, "110" and "120" are 11.0 and 12.0."""
    return (int(digits[:2]), int(digits[2])) if len(digits) > 2 else (int(digits), 0)  # noqa: PLR2004


def cuda_libraries(library: Library) -> tuple[CudaLibrary, ...]:
    """List the CUDA libraries that a library is linked with."""
    parsed = (parse_library(file) for file in library.needed)
    return tuple(link for link in parsed if link is not None)


def cudart_of(library: Library) -> CudartLink:
    """Tell how a library comes by the runtime; linked beats the marks of a static copy."""
    if any(link.library == "cudart" for link in cuda_libraries(library)):
        return CudartLink.DYNAMIC
    # The runtime library itself holds the mark of the static one.
    return CudartLink.NONE if _is_part_of_cuda(library) else library.cudart


def is_cuda(library: Library) -> bool:
    """Tell whether a library holds device code or uses CUDA in some way."""
    linked = bool(cuda_libraries(library)) or library.cudart is not CudartLink.NONE
    return library.has_device_code or linked


def library_bounds(library: Library, major: int | None = None) -> Bounds:
    """Work out the two bounds of one library; ``major`` is the CUDA that its wheel is named for."""
    compatible, why = _compatible(library, major)
    toolkit = max(library.made_by, default=None)
    relied = {isa: ptx.first_cuda(isa) for isa in _relied_upon(library)}
    told = (toolkit, library.linked_by if library.profiles else None, *relied.values())
    strict = max((version for version in told if version is not None), default=None)
    evidence = [why] if why else []
    unknown = max((isa for isa, first in relied.items() if first is None), default=None)
    if unknown is not None:
        shown = ".".join(map(str, unknown))
        evidence.append(f"PTX ISA {shown} is newer than every driver known to this release")
        return Bounds(compatible, None, tuple(evidence), unknown)
    if toolkit is not None and strict == toolkit:
        evidence.append(f"cubins made by CUDA {toolkit}")
    elif strict is not None and strict == library.linked_by:
        evidence.append(f"device code linked by CUDA {strict}")
    elif strict is not None:
        evidence.append(f"PTX that drivers compile from CUDA {strict} on")
    return Bounds(compatible, _later(compatible, strict), tuple(evidence))


def _later(first: CudaVersion | None, second: CudaVersion | None) -> CudaVersion | None:
    return max((version for version in (first, second) if version is not None), default=None)


def _compatible(library: Library, major: int | None) -> tuple[CudaVersion | None, str]:
    """Choose the best source for the CUDA major, and say which it was."""
    linked = cuda_libraries(library)
    for link in sorted(linked, key=lambda link: link.library != "cudart"):
        if len(link.majors) == 1:
            return _promised(link.majors[0], link.minor), f"linked with {link.file}"
    own = parse_library(library.name)
    if own is not None and len(own.majors) == 1:
        return _promised(own.majors[0], own.minor), f"it is {own.file}"
    toolkit = max(library.made_by, default=None)
    if toolkit is not None:
        cudart = cudart_of(library)
        how = f"{cudart.value} cudart, " if cudart is not CudartLink.NONE else ""
        return _promised(toolkit.major, toolkit.minor), f"{how}cubins made by CUDA {toolkit}"
    if library.cudart is CudartLink.HYBRID:
        return CudaVersion(FIRST_HYBRID_MAJOR, 0), "the hybrid cudart of Windows"
    if major is not None and library.has_device_code:
        return _promised(major, 0), f"the wheel is named for CUDA {major}"
    isa = max((tally.image.isa for tally in _kernels(library) if tally.image.isa), default=None)
    first = ptx.first_cuda(isa) if isa else None
    return (_promised(first.major, first.minor), "PTX alone") if first else (None, "")


def _promised(major: int, minor: int) -> CudaVersion:
    return CudaVersion(major, 0 if major >= FIRST_COMPATIBLE_MAJOR else minor)


def _kernels(library: Library) -> list[Tally]:
    return [tally for tally in (*library.images, *library.bare) if tally.image.has_kernels]


def _relied_upon(library: Library) -> list[tuple[int, int]]:
    """Return the ISA versions of PTX that is all some GPU gets from a container."""
    rows = gpu_shares.build_matrix(library.profiles).rows
    # Boards that cannot take the desktop's cubins may need PTX that no other GPU does: that binds
    # them alone, and an x86-64 wheel never meets one.
    served = [row.gpu for row in rows if row.jit and row.gpu not in TEGRA_CAPABILITIES]
    isas = []
    for tally in _kernels(library):
        image = tally.image
        if image.kind is Kind.PTX and image.isa and image.arch:
            arch = image.arch
            if library.form == "ptx" or any(gpu_shares.is_fit(arch, gpu) for gpu in served):
                isas.append(image.isa)
    return isas


def runtime_of(contents: Contents) -> Runtime:
    """Work out the bounds of a wheel from its own libraries, then from its requirements."""
    # Loose PTX in a wheel is a sample or an input of the program: whether it is used, none can say.
    ignored = {"ptx"} if contents.form in {"wheel", "folder"} else set()
    own = [
        library
        for library in contents.own
        if not _is_part_of_cuda(library) and library.form not in ignored
    ]
    major = package_major(contents.distribution)
    each = [library_bounds(library, major) for library in own]
    compatible = sorted({bound.compatible for bound in each if bound.compatible is not None})
    strict = max((bound.strict for bound in each if bound.strict is not None), default=None)
    unknown = max(filter(None, (bound.unknown_isa for bound in each)), default=None)
    strict = None if unknown is not None else strict
    evidence = dict.fromkeys(text for bound in each for text in bound.evidence)
    if not compatible:
        stated, why = _stated(contents), "requires CUDA"
        if stated is None and major is not None:
            stated, why = _promised(major, 0), "the wheel is named for CUDA"
        compatible, strict = [stated] if stated else [], None if unknown is not None else stated
        evidence.update({f"{why} {stated}": None} if stated else {})
    bounds = Bounds(compatible[0] if compatible else None, strict, tuple(evidence), unknown)
    return Runtime(bounds, tuple(compatible), _needs_driver(own))


def package_major(distribution: str) -> int | None:
    """Return the CUDA major in a wheel's name: 12 of ``nvidia-cufft-cu12`` and ``cupy-cuda12x``."""
    match = _PACKAGE.search(distribution)
    return int(match[1]) if match else None


def _is_part_of_cuda(library: Library) -> bool:
    """Tell whether a library is one of CUDA's and has no code: the runtime library needs none."""
    return parse_library(library.name) is not None and not library.has_device_code


def _needs_driver(libraries: Iterable[Library]) -> bool:
    return any(not link.majors for library in libraries for link in cuda_libraries(library))


def _stated(contents: Contents) -> CudaVersion | None:
    """Return the CUDA that the requirements ask for without condition."""
    texts = filter(None, (requirement.cuda for requirement in contents.required))
    newest = max(map(CudaVersion.parse, texts), default=None)
    return _promised(newest.major, newest.minor) if newest else None
