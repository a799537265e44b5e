"""The values that reading a file yields; everything printed or judged later comes from these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, SmArch
from nvidia_variant_provider.tools.findings.model import Finding, Severity


class Kind(Enum):
    """What an image inside a container is."""

    PTX = "ptx"
    CUBIN = "cubin"
    LTO = "lto"
    TILE = "tile"
    OTHER = "other"


class Content(Enum):
    """Whether an image holds code that can be launched.

    The presumed ones went by size alone, because no decoder for the compression was at hand.
    """

    KERNELS = "kernels"
    STUB = "stub"
    PRESUMED_KERNELS = "presumed-kernels"
    PRESUMED_STUB = "presumed-stub"

    @property
    def is_stub(self) -> bool:
        """True for images without kernels, presumed or known."""
        # Not "in": every member of an enumeration is hashed by a call of Python.
        return self is Content.STUB or self is Content.PRESUMED_STUB


@dataclass(frozen=True, slots=True)
class Image:
    """One sort of image: all images alike in these fields are counted together.

    ``number`` is the compile target without its suffix, 90 of ``sm_90a``. ``isa`` is the PTX ISA
    version, such as (8, 7), of PTX only. ``compression`` is "none", "lz4" or "zstd".
    """

    kind: Kind
    number: int
    suffix: str = ""
    isa: tuple[int, int] | None = None
    compression: str = "none"
    content: Content = Content.KERNELS

    def __hash__(self) -> int:
        # Images are counted by the thousand, and the other two fields are slow to hash.
        return hash((self.number, self.suffix, self.isa, self.compression))

    @property
    def arch(self) -> SmArch | None:
        """The SM architecture, or ``None`` where the driver alone can use the image for nothing."""
        if self.kind is Kind.PTX or self.kind is Kind.CUBIN:
            return _arch(self.number, self.suffix, self.kind is Kind.PTX)
        return None

    @property
    def has_kernels(self) -> bool:
        """True when a GPU or its driver can get kernels out of this image."""
        return self.arch is not None and not self.content.is_stub


@lru_cache(1024)
def _arch(number: int, suffix: str, is_virtual: bool) -> SmArch:  # noqa: FBT001 - one key
    return SmArch(ComputeCapability.from_number(number), suffix, virtual=is_virtual)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many images of one sort there are, and their bytes as stored and decompressed."""

    image: Image
    count: int
    stored: int
    size: int


@dataclass(frozen=True, slots=True)
class Profile:
    """The set of architectures that ``count`` kernel-bearing containers offer, each of them.

    A container is one translation unit: the driver takes one image out of it, so this is the unit
    in which coverage is counted.
    """

    archs: tuple[SmArch, ...]
    count: int


class CudartLink(Enum):
    """How a library comes by the CUDA runtime."""

    NONE = "none"
    STATIC = "static"
    DYNAMIC = "dynamic"
    HYBRID = "hybrid"


class Role(Enum):
    """What a library of a wheel is there for; only OWN ones speak for the wheel."""

    OWN = "own"
    COPY = "a copy of a library"
    TEST = "a fixture of tests"
    FOR_LINKING = "a static archive for linking"
    DUPLICATE = "the same library once more"
    TWIN = "a build with less beside the whole one"


class Sign(Enum):
    """What a library shows beside device code that is counted; ``value`` is a phrase."""

    PTX_TEXT = "PTX text, which the driver compiles at run time"
    OPENS_DRIVER = "opens the CUDA driver at run time"
    COMPILER = "linked with a compiler of CUDA code"
    IS_COMPILER = "a compiler of CUDA code"
    BITCODE = "LLVM bitcode, which may become device code at run time"
    ROCM = "code for AMD GPUs (ROCm)"


@dataclass(frozen=True, slots=True)
class Library:
    """One file that can hold device code: a shared object, an archive, a bare cubin or PTX.

    ``form`` is "elf", "pe", "archive", "fatbin", "cubin", "ptx" or "data"; ``machine`` the CPU.
    ``bare`` counts cubins that lie in the file without any container around them.
    ``files`` is above 1 where many loose cubins were summed up.
    ``toolkits`` made the cubins in containers, ``bare_toolkits`` the others, which may be much
    older or newer: their host code chooses among them by name. ``linked_by`` made the stubs, as the
    device linker does, and so is the toolkit of the library itself. ``signs`` tell of device code
    that is not embedded as such.
    """

    path: str
    form: str
    machine: str
    size: int
    containers: int = 0
    places: tuple[tuple[str, int], ...] = ()
    images: tuple[Tally, ...] = ()
    bare: tuple[Tally, ...] = ()
    profiles: tuple[Profile, ...] = ()
    toolkits: tuple[CudaVersion, ...] = ()
    needed: tuple[str, ...] = ()
    cudart: CudartLink = CudartLink.NONE
    role: Role = Role.OWN
    files: int = 1
    findings: tuple[Finding, ...] = ()
    bare_toolkits: tuple[CudaVersion, ...] = ()
    linked_by: CudaVersion | None = None
    signs: frozenset[Sign] = frozenset()

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.rpartition("/")[2]

    @property
    def vendored(self) -> bool:
        """Whether this is a copy of other people's library that a wheel brings along."""
        return self.role is Role.COPY

    @property
    def made_by(self) -> tuple[CudaVersion, ...]:
        """The toolkits that count: of the containers if any holds kernels, else of bare cubins."""
        return self.toolkits if self.profiles else (self.toolkits or self.bare_toolkits)

    @property
    def all_toolkits(self) -> tuple[CudaVersion, ...]:
        """The toolkits of all cubins, oldest first."""
        return tuple(sorted({*self.toolkits, *self.bare_toolkits}))

    @property
    def has_kernels(self) -> bool:
        """True when an image was found that holds kernels."""
        return any(tally.image.has_kernels for tally in (*self.images, *self.bare))

    @property
    def kernel_containers(self) -> int:
        """Containers with at least one image that holds kernels."""
        return sum(profile.count for profile in self.profiles)

    @property
    def has_device_code(self) -> bool:
        """True when any image was found, even one without kernels."""
        return bool(self.images or self.bare)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement on a CUDA library: the package, the text, and the CUDA it tells.

    ``cuda`` is "12" or "13.0" as far as the requirement says it, "" if it says nothing.
    ``optional`` requirements belong to an extra or to another variant.
    """

    package: str
    text: str
    cuda: str
    optional: bool = False


PACKED: Final = "nested-archive"


@dataclass(frozen=True, slots=True)
class Contents:
    """All that was read from one file or folder; ``distribution`` is a wheel's name.

    ``cuda_sources`` is the number of files of CUDA C++, which are not read.
    """

    path: str
    form: str
    libraries: tuple[Library, ...]
    requirements: tuple[Requirement, ...] = ()
    findings: tuple[Finding, ...] = ()
    distribution: str = ""
    cuda_sources: int = 0

    @property
    def own(self) -> tuple[Library, ...]:
        """The libraries whose device code speaks for the wheel."""
        return tuple(library for library in self.libraries if library.role is Role.OWN)

    @property
    def required(self) -> tuple[Requirement, ...]:
        """The requirements that hold for everyone who installs the wheel."""
        return tuple(needed for needed in self.requirements if not needed.optional)

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """What is off in the file as a whole, then in each library of it."""
        inner = (finding for library in self.libraries for finding in library.findings)
        return (*self.findings, *inner)

    @property
    def has_device_code(self) -> bool:
        """True when any library has an image."""
        return any(library.has_device_code for library in self.libraries)

    @property
    def unread(self) -> tuple[Finding, ...]:
        """The parts that could not be read: what was found is not all there is."""
        return tuple(
            finding for finding in self.all_findings if finding.rule.severity is not Severity.NOTE
        )

    @property
    def packed(self) -> tuple[Finding, ...]:
        """The archives inside that were not looked into."""
        return tuple(finding for finding in self.all_findings if finding.rule.code == PACKED)
