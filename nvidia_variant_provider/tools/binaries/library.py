"""One file that can hold device code, read once from front to back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries import cubin, elf, fatbin, pe
from nvidia_variant_provider.tools.binaries.archives import archive_of
from nvidia_variant_provider.tools.binaries.cursor import Cursor
from nvidia_variant_provider.tools.binaries.findings import (
    DAMAGED,
    DAMAGED_CONTAINER,
    NESTED_ARCHIVE,
    TOO_MANY,
    finding_in,
)
from nvidia_variant_provider.tools.binaries.host import HostFile
from nvidia_variant_provider.tools.binaries.images import Container, SizedImage, read_container
from nvidia_variant_provider.tools.binaries.report import (
    CudartLink,
    Image,
    Library,
    Profile,
    Sign,
    Tally,
)
from nvidia_variant_provider.tools.binaries.signs import (
    sign_of,
    signs_of_links,
    signs_of_program,
)
from nvidia_variant_provider.tools.binaries.standalone import (
    bare_cubin,
    form_of,
    read_cubin,
    read_ptx,
)

if TYPE_CHECKING:
    from nvidia_variant_provider.model import CudaVersion, SmArch
    from nvidia_variant_provider.tools.findings.model import Finding, Rule
    from nvidia_variant_provider.tools.wheels.source import Source

_HEAD: Final = 4096
# The longest starts of magic numbers without a NUL: the longer, the further a search can jump, and
# pages of zeros stay cheap.
_CONTAINER: Final = fatbin.HEADER[:5]
_CUBIN: Final = cubin.MAGIC
# Texts that the static CUDA runtime leaves in a file, even a stripped one. On Windows they end
# in a NUL: programs that embed CUDA's header texts hold the same words without it.
_STATIC_ELF: Final = b"/cudart.shm."
_STATIC_PE: Final = b"cudaErrorCudartUnloading"
_HYBRID_PE: Final = b"nvcudart_hybrid64.dll"
_MARKERS: Final = {
    "elf": {_STATIC_ELF: CudartLink.STATIC},
    "archive": {_STATIC_ELF: CudartLink.STATIC},
    "pe": {_STATIC_PE: CudartLink.STATIC, _HYBRID_PE: CudartLink.HYBRID},
}

# Words of code that is made at run time: PTX as text, and the driver opened by name.
_WORDS: Final = {
    "elf": {b".target sm_": Sign.PTX_TEXT, b"libcuda.so": Sign.OPENS_DRIVER},
    "pe": {b".target sm_": Sign.PTX_TEXT, b"nvcuda.dll": Sign.OPENS_DRIVER},
}

_MAX_SORTS: Final = 5000
# The most met in one file: 2,505.
MAX_CONTAINERS: Final = 100_000
_MAX_FINDINGS: Final = 20
# In so many containers the toolkit is looked for as far as it may be, until one is known.
_FAR_TRIES: Final = 3
_TOO_MANY: Final = (
    f"{MAX_CONTAINERS} containers or {_MAX_SORTS} sorts of images:"
    " the rest of the file was not read"
)


def read_library(source: Source) -> Library | None:
    """Read one file; ``None`` when its first bytes show that it cannot hold device code."""
    head = source.read_at(0, _HEAD)
    if archive := archive_of(head):
        text = f"{archive}, not looked into"
        nested = finding_in(NESTED_ARCHIVE, source.name, text)
        return Library(source.name, "data", "", source.size, findings=(nested,))
    if sign := sign_of(head):
        return Library(source.name, "data", "", source.size, signs=frozenset({sign}))
    form = form_of(head)
    if form is None:
        return None
    if form == "cubin":
        return read_cubin(source)
    if form == "ptx":
        return read_ptx(source, head)
    return _Reading(source, form).read()


class _Tallies:
    """Counts images by sort, and containers by the set of architectures they offer."""

    def __init__(self) -> None:
        # Count, bytes as stored, bytes decompressed: in one place, as images are slow to look up.
        self._sums: dict[Image, tuple[int, int, int]] = {}

    def __len__(self) -> int:
        return len(self._sums)

    def add(self, sized: SizedImage) -> None:
        count, stored, size = self._sums.get(sized.image, (0, 0, 0))
        self._sums[sized.image] = (count + 1, stored + sized.stored, size + sized.size)

    def as_tuple(self) -> tuple[Tally, ...]:
        images = sorted(self._sums, key=_order)
        return tuple(Tally(image, *self._sums[image]) for image in images)


def _order(image: Image) -> tuple[str, int, str, tuple[int, int], str, str]:
    isa = image.isa or (0, 0)
    return image.kind.value, image.number, image.suffix, isa, image.compression, image.content.value


class _Reading:
    """The state of reading one file from front to back."""

    def __init__(self, source: Source, form: str) -> None:
        self._source = source
        self._form = form
        self._images = _Tallies()
        self._bare = _Tallies()
        # By the containers' images, in order: thousands of containers have the same ones.
        self._contents: Counter[tuple[Image, ...]] = Counter()
        self._toolkits: set[CudaVersion] = set()
        self._bare_toolkits: set[CudaVersion] = set()
        self._stub_toolkits: set[CudaVersion] = set()
        self._signs: set[Sign] = set()
        self._offsets: list[int] = []
        self._findings: list[Finding] = []
        self._cudart = CudartLink.NONE
        self._markers = dict(_MARKERS.get(form, {}))
        self._words = dict(_WORDS.get(form, {}))

    def read(self) -> Library:
        """Search the whole file, then ask its headers for names."""
        try:
            quiet: tuple[tuple[int, int], ...] = ()
            if self._form == "elf":
                quiet = elf.read_quiet_ranges(self._source)
                elf.keep_links(self._source)
            self._search(Cursor(self._source.chunks()), quiet)
            host = self._host()
        except DamagedFileError as error:
            self._note(DAMAGED, str(error))
            host = HostFile("")
        places = Counter(self._place(host, offset) for offset in self._offsets)
        return Library(
            path=self._source.name,
            form=self._form,
            machine=host.machine,
            size=self._source.size,
            containers=len(self._offsets),
            places=tuple(places.most_common()),
            images=self._images.as_tuple(),
            bare=self._bare.as_tuple(),
            profiles=_profiles(self._contents),
            toolkits=tuple(sorted(self._toolkits)),
            bare_toolkits=tuple(sorted(self._bare_toolkits)),
            linked_by=max(self._stub_toolkits, default=None),
            signs=self._all_signs(host),
            needed=host.needed,
            cudart=self._cudart,
            findings=tuple(self._findings),
        )

    def _all_signs(self, host: HostFile) -> frozenset[Sign]:
        signs = frozenset(self._signs) | signs_of_links(host.needed)
        return signs_of_program(self._source.name.rpartition("/")[2], signs)

    def _host(self) -> HostFile:
        if self._form == "elf":
            return elf.read_host(self._source, sections=bool(self._offsets))
        return (pe.read_host(self._source) if self._form == "pe" else None) or HostFile("")

    def _place(self, host: HostFile, offset: int) -> str:
        return host.place(offset) if host.sections else self._form

    def _note(self, rule: Rule, text: str) -> None:
        if len(self._findings) < _MAX_FINDINGS:
            self._findings.append(finding_in(rule, self._source.name, text))

    def _search(self, cursor: Cursor, quiet: tuple[tuple[int, int], ...]) -> None:
        containers: tuple[bytes, ...] = (_CONTAINER,)
        while cursor.load():
            start, end = cursor.ahead
            if any(low <= start and end <= high for low, high in quiet):
                pattern = cursor.search(containers)
            else:
                pattern = cursor.search((*containers, _CUBIN, *self._markers, *self._words))
            if pattern is not None and not self._meet(cursor, pattern):
                return

    def _meet(self, cursor: Cursor, pattern: bytes) -> bool:
        """Deal with one hit and move past it; False when there are too many."""
        if pattern == _CONTAINER:
            return self._meet_container(cursor)
        if pattern == _CUBIN:
            self._meet_cubin(cursor)
        elif pattern in self._words:
            self._signs.add(self._words.pop(pattern))
        elif cursor.peek(len(pattern) + 1)[-1:] == b"\0" or pattern == _STATIC_ELF:
            self._cudart = self._markers[pattern]
            self._markers = {}
        cursor.skip(1)
        return True

    def _meet_container(self, cursor: Cursor) -> bool:
        size = fatbin.is_container(cursor)
        if size is None:
            cursor.skip(1)
            return True
        far = not self._toolkits and len(self._offsets) < _FAR_TRIES
        container = read_container(cursor, size, far=far)
        self._offsets.append(container.offset)
        if container.damage:
            self._note(DAMAGED_CONTAINER, f"container at {container.offset}: {container.damage}")
        self._add(container)
        if len(self._offsets) >= MAX_CONTAINERS or len(self._images) >= _MAX_SORTS:
            self._note(TOO_MANY, _TOO_MANY)
            return False
        return True

    def _add(self, container: Container) -> None:
        for sized in container.images:
            self._images.add(sized)
            if sized.toolkit:
                stub = sized.image.content.is_stub
                (self._stub_toolkits if stub else self._toolkits).add(sized.toolkit)
        self._contents[tuple(sized.image for sized in container.images)] += 1

    def _meet_cubin(self, cursor: Cursor) -> None:
        sized = bare_cubin(cursor.peek(_HEAD))
        if sized is not None and len(self._bare) < _MAX_SORTS:
            self._bare.add(sized)
            self._bare_toolkits.update({sized.toolkit} if sized.toolkit else ())


def _profiles(contents: Counter[tuple[Image, ...]]) -> tuple[Profile, ...]:
    """List what architectures containers offer, the most frequent first."""
    counts: Counter[tuple[SmArch, ...]] = Counter()
    for images, count in contents.items():
        archs = {image.arch for image in images if image.arch is not None and image.has_kernels}
        if archs:
            counts[tuple(sorted(archs))] += count
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Profile(archs, count) for archs, count in ranked)
