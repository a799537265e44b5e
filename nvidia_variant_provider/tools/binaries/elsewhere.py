"""Whether a wheel without device code of its own uses CUDA all the same, and what tells.

Such a wheel is no CPU wheel: its code is made at run time, lies in other packages or in copies of
other libraries. Evidence is strong where the wheel cannot do without a GPU's software, weak where
a CPU wheel may show it as well: an extra that asks for CUDA, a copied library that looks for the
driver (as FFmpeg does).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.libraries import CODE_AT_RUN_TIME
from nvidia_variant_provider.tools.binaries import runtime
from nvidia_variant_provider.tools.binaries.report import CudartLink, Sign
from nvidia_variant_provider.tools.files import some

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvidia_variant_provider.tools.binaries.report import Contents, Library


_WITHIN: Final = frozenset({CudartLink.STATIC, CudartLink.HYBRID})
_MADE_AT_RUN_TIME: Final = frozenset({Sign.PTX_TEXT, Sign.IS_COMPILER, Sign.BITCODE})


class Place(Enum):
    """Where the device code of a wheel is."""

    EMBEDDED = "embedded"
    ELSEWHERE = "elsewhere"
    PERHAPS = "perhaps elsewhere"
    UNKNOWN = "unknown"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A phrase that follows a colon: ``requires nvidia-cublas-cu12``.

    ``is_needed`` says that the wheel is of no use without CUDA. What is made at run time may be
    made for a CPU as well, and a library that looks for the driver may do without it.
    """

    text: str
    is_strong: bool = True
    is_needed: bool = False


def place_of(contents: Contents) -> Place:
    """Tell where the device code of a wheel is; a part that was not read leaves it open."""
    if _is_embedded(contents):
        return Place.EMBEDDED
    evidence = evidence_of(contents)
    if any(clue.is_strong for clue in evidence):
        return Place.ELSEWHERE
    if contents.unread or contents.packed:
        return Place.UNKNOWN
    return Place.PERHAPS if evidence else Place.NONE


def evidence_of(contents: Contents) -> tuple[Evidence, ...]:
    """Return what tells that a wheel uses CUDA (or ROCm) beside code of its own, in a few lines.

    Where it has code of its own, only that some is made at run time as well is worth a word.
    """
    if _is_embedded(contents):
        return (*_on_signs(contents.own, _MADE_AT_RUN_TIME), *_on_files(contents))
    evidence = (
        *_on_name(contents.distribution),
        *_on_requirements(contents),
        *_on_copies(contents),
        *_on_links(contents),
        *_on_signs(contents.libraries, frozenset(Sign)),
        *_on_files(contents),
    )
    return tuple(sorted(evidence, key=lambda clue: not clue.is_strong))


def _is_embedded(contents: Contents) -> bool:
    # PTX files of a wheel are inputs of its program: whether they are used, none can say.
    ignored = {"ptx"} if contents.form in {"wheel", "folder"} else set()
    return any(library.has_kernels and library.form not in ignored for library in contents.own)


def _on_name(distribution: str) -> Iterator[Evidence]:
    major = runtime.package_major(distribution)
    if major is not None:
        yield Evidence(f"it is named for CUDA {major}", is_needed=True)
    if distribution.replace("_", "-").lower() in CODE_AT_RUN_TIME:
        yield Evidence("the project makes device code at run time", is_needed=True)


def _on_requirements(contents: Contents) -> Iterator[Evidence]:
    packages = [requirement.package for requirement in contents.required]
    extras = [requirement.package for requirement in contents.requirements if requirement.optional]
    if packages:
        yield Evidence(f"requires {_named(packages)}", is_needed=True)
    if extras:
        yield Evidence(f"an extra requires {_named(extras)}", is_strong=False)


def _on_copies(contents: Contents) -> Iterator[Evidence]:
    copies = [
        library.name for library in contents.libraries if library.vendored and library.has_kernels
    ]
    if copies:
        text = f"device code lies in copies of other libraries alone: {_named(copies)}"
        yield Evidence(text, is_needed=True)


def _on_links(contents: Contents) -> Iterator[Evidence]:
    linked = [link.file for library in contents.own for link in runtime.cuda_libraries(library)]
    if linked:
        yield Evidence(f"linked with {_named(linked)}", is_needed=True)
    holding = [library.name for library in contents.own if runtime.cudart_of(library) in _WITHIN]
    if holding:
        yield Evidence(f"has the CUDA runtime in it: {_named(holding)}")


def _on_signs(libraries: Iterable[Library], wanted: frozenset[Sign]) -> Iterator[Evidence]:
    shown: dict[tuple[bool, int], list[str]] = defaultdict(list)
    signs = list(Sign)
    for library in libraries:
        for sign in library.signs & wanted:
            shown[library.vendored, signs.index(sign)].append(library.name)
    for (is_copy, index), names in sorted(shown.items()):
        yield Evidence(f"{signs[index].value}: {_named(names)}", not is_copy)


def _on_files(contents: Contents) -> Iterator[Evidence]:
    texts = [library for library in contents.own if library.form == "ptx"]
    if contents.cuda_sources:
        count = _counted(contents.cuda_sources)
        yield Evidence(f"brings {count} of CUDA C++ (.cu), to be compiled where it runs")
    if texts and not _is_embedded(contents):
        count = _counted(sum(library.files for library in texts))
        yield Evidence(f"brings {count} of PTX: {_named(library.name for library in texts)}")


def _counted(files: int) -> str:
    return f"{files} file{'s' * (files > 1)}"


def _named(names: Iterable[str]) -> str:
    return some(list(dict.fromkeys(names)))
