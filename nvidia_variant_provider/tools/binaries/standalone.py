"""Files that are device code themselves: one cubin, or PTX text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries import cubin, elf, fatbin, pe, ptx
from nvidia_variant_provider.tools.binaries.images import SizedImage
from nvidia_variant_provider.tools.binaries.report import Content, Image, Kind, Library, Tally

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.wheels.source import Source

# How far into a cubin to look for the compiler's note: a little first, since each byte of a
# compressed member costs time. Long symbol names push it back.
_STEPS: Final = (4 << 10, 16 << 10, 64 << 10, 256 << 10)
# PTX is text: of more than this the beginning has to do.
_MAX_PTX: Final = 1 << 20


def form_of(head: bytes) -> str | None:
    """Tell from its first bytes what a file is; ``None`` when it cannot hold device code."""
    tests = (
        ("cubin", cubin.parse_header(head) is not None),
        ("elf", elf.machine_of(head) is not None),
        ("pe", head.startswith(pe.MAGIC)),
        ("archive", head.startswith(b"!<arch>\n")),
        ("fatbin", fatbin.parse_container(head) is not None),
        ("ptx", ptx.parse_text(head) is not None),
        # Text has no NUL; compiled Python starts with a version number, CR and LF.
        ("data", b"\0" in head and head[2:4] != b"\r\n"),
    )
    return next((form for form, holds in tests if holds), None)


def bare_cubin(data: bytes) -> SizedImage | None:
    """Describe a cubin without a container from its first bytes; ``None`` when it is none."""
    header = cubin.parse_header(data)
    if header is None:
        return None
    note = cubin.find_tool_note(data) if header.toolkit is None else None
    suffix = note.suffix if note and note.suffix is not None else header.suffix
    toolkit = header.toolkit or (note.toolkit if note else None)
    content = Content.STUB if cubin.has_kernels(data) is False else Content.KERNELS
    suffix = suffix or cubin.compat_suffix(data) or ""
    return SizedImage(Image(Kind.CUBIN, header.number, suffix, content=content), 0, 0, toolkit)


def read_cubin(source: Source) -> Library:
    """Read a file that is one cubin: only as far as its notes, unless it is small."""
    sized, data = None, b""
    for step in _STEPS:
        data = source.read_at(0, step)
        sized = bare_cubin(data)
        if sized is None or sized.toolkit or len(data) < step:
            break
    if sized is None:
        raise DamagedFileError(f"{source.name}: not a cubin: starts with {data[:8].hex()}")
    if sized.toolkit is None and (place := cubin.place_of_note(data, source.read_at)):
        note = cubin.find_tool_note(source.read_at(*place))
        if note is not None:
            image = replace(sized.image, suffix=note.suffix or sized.image.suffix)
            sized = replace(sized, image=image, toolkit=note.toolkit)
    if not sized.image.suffix and len(data) < source.size <= _STEPS[-1]:
        # The attributes that may tell the suffix lie behind the code.
        sized = bare_cubin(source.read_at(0, source.size)) or sized
    tally = Tally(sized.image, 1, source.size, source.size)
    toolkits = (sized.toolkit,) if sized.toolkit else ()
    return Library(source.name, "cubin", "", source.size, bare=(tally,), bare_toolkits=toolkits)


def read_ptx(source: Source, head: bytes) -> Library:
    """Read a file that is PTX text."""
    parsed = ptx.parse_text(head)
    if parsed is None:
        raise DamagedFileError(f"{source.name}: not PTX: starts with {head[:30]!r}")
    isa, number, suffix = parsed
    whole = source.read_at(0, _MAX_PTX)
    is_stub = len(whole) < _MAX_PTX and not ptx.has_kernels(whole)
    content = Content.STUB if is_stub else Content.KERNELS
    tally = Tally(
        Image(Kind.PTX, number, suffix, isa, content=content), 1, source.size, source.size
    )
    return Library(source.name, "ptx", "", source.size, bare=(tally,))
