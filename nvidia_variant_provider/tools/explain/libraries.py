"""The libraries of an installed distribution: their device code, and the CUDA they link with.

A module of its own, as the readers of device code take longer to import than METADATA to judge.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import DamagedFileError
from nvidia_variant_provider.tools.binaries import roles, runtime
from nvidia_variant_provider.tools.binaries.gpu_shares import build_matrix, merge
from nvidia_variant_provider.tools.binaries.library import read_library
from nvidia_variant_provider.tools.wheels.source import OpenFile
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import Distribution

    from nvidia_variant_provider.model import SmArch
    from nvidia_variant_provider.tools.binaries.report import Library

_LIBRARY: Final = re.compile(r"\.(?:so(?:\.[\d.]+)?|pyd|dll)$")


@dataclass(frozen=True, slots=True)
class Inside:
    """What the libraries say.

    ``dominant`` is what most kernels were built for. ``linked`` has the CUDA major that all of
    them link with, and a sentence that names a library; ``None`` without exactly one.
    """

    libraries: tuple[Library, ...]
    dominant: tuple[SmArch, ...]
    linked: tuple[int, str] | None


def read_inside(distribution: Distribution, name: str) -> Inside:
    """Read every library of a distribution; those that cannot be read are left out."""
    libraries = tuple(roles.assigned(list(_libraries(distribution)), name))
    own = merge(library for library in libraries if not library.vendored)
    return Inside(libraries, build_matrix(own).dominant, _linked(libraries))


def _libraries(distribution: Distribution) -> Iterator[Library]:
    for file in distribution.files or ():
        if not _LIBRARY.search(file.name):
            continue
        try:
            with OpenFile(str(distribution.locate_file(file)), str(file)) as source:
                library = read_library(source) if source.size else None
        except (DamagedFileError, OSError):
            continue
        if library is not None:
            yield library


def _linked(libraries: Sequence[Library]) -> tuple[int, str] | None:
    majors: dict[int, str] = {}
    for library in libraries:
        for needed in runtime.cuda_libraries(library):
            if needed.library == "cudart" and len(needed.majors) == 1:
                majors.setdefault(needed.majors[0], f"{library.path} is linked with {needed.file}")
    return next(iter(majors.items())) if len(majors) == 1 else None
