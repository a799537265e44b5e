"""The libraries of a wheel that a program loads together, where it has some for several CUDAs.

bitsandbytes brings libbitsandbytes_cuda118.so to _cuda132.so and loads the one for the CUDA that
it finds. Shares over all of them would say little about any.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries import gpu_shares
from nvidia_variant_provider.tools.binaries.runtime import library_bounds
from nvidia_variant_provider.tools.tagging.claims import judge_claims

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.binaries.report import Contents, Library, Profile
    from nvidia_variant_provider.tools.tagging.claims import Claim

# "_cuda118", "-cu12", "cuda12.4/", "cuda_11x": CUDA itself, told in the name of a file or folder.
_TOKEN: Final = re.compile(r"(?<![a-z])cu(?:da)?[-_]?(1\d)[._]?(\d)?(?!\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Group:
    """What is loaded on one machine: ``name`` is such as ``CUDA 11.8``, "" for a whole wheel."""

    name: str
    contents: Contents

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The containers of its own libraries; copies of others speak for themselves."""
        return gpu_shares.merge(self.contents.own)

    def claims(self, threshold: float) -> tuple[Claim, ...]:
        """Judge what its code justifies."""
        return judge_claims(self.profiles, threshold, self.contents.own)

    @property
    def whose(self) -> str:
        """The end of a phrase about its containers: `` of the libraries for CUDA 11.8``."""
        return f" of the libraries for {self.name}" if self.name else ""


def split(contents: Contents) -> tuple[Group, ...]:
    """Split a wheel by the CUDA that names tell, else by the CUDA majors that links tell.

    Libraries that tell nothing are in every group. A wheel for one CUDA is one group.
    """
    told = _by_name(contents.own) or _by_major(contents.own)
    if not told:
        return (Group("", contents),)
    versions = sorted(set(told.values()))
    return tuple(
        Group(
            f"CUDA {'.'.join(map(str, version))}",
            replace(
                contents,
                libraries=tuple(
                    library
                    for library in contents.libraries
                    if told.get(library.path, version) == version
                ),
            ),
        )
        for version in versions
    )


def _by_name(libraries: Iterable[Library]) -> dict[str, tuple[int, ...]]:
    """Return the versions of files of one name but for the version, if there are several."""
    alike: dict[str, dict[str, tuple[int, ...]]] = {}
    for library in libraries:
        if match := _TOKEN.search(library.path):
            version = tuple(int(part) for part in match.groups() if part)
            rest = library.path[: match.start()] + library.path[match.end() :]
            alike.setdefault(rest, {})[library.path] = version
    several = (versions for versions in alike.values() if len(set(versions.values())) > 1)
    return {path: version for versions in several for path, version in versions.items()}


def _by_major(libraries: Iterable[Library]) -> dict[str, tuple[int, ...]]:
    majors: dict[str, tuple[int, ...]] = {}
    for library in libraries:
        bound = library_bounds(library).compatible
        if bound is not None and library.has_device_code:
            majors[library.path] = (bound.major,)
    return majors if len(set(majors.values())) > 1 else {}
