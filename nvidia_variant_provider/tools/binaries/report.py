"""The values that reading a file yields; everything printed or judged later comes from these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, SmArch

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.findings.model import Finding


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


@dataclass(frozen=True, slots=True)
class Library:
    """One file that can hold device code: a shared object, an archive, a bare cubin or PTX.

    ``form`` is "elf", "pe", "archive", "fatbin", "cubin", "ptx" or "data"; ``machine`` the CPU.
    ``bare`` counts cubins that lie in the file without any container around them.
    ``files`` is above 1 where many loose cubins were summed up.
    ``vendored`` marks copies of other people's libraries that a wheel brings along.
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
    vendored: bool = False
    files: int = 1
    findings: tuple[Finding, ...] = ()

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


@dataclass(frozen=True, slots=True)
class Contents:
    """All that was read from one file or folder."""

    path: str
    form: str
    libraries: tuple[Library, ...]
    requirements: tuple[Requirement, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def own(self) -> tuple[Library, ...]:
        """The libraries whose device code speaks for the wheel: not the vendored ones."""
        return tuple(library for library in self.libraries if not library.vendored)

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """What is off in the file as a whole, then in each library of it."""
        inner = (finding for library in self.libraries for finding in library.findings)
        return (*self.findings, *inner)
