"""Loose cubins and PTX files of one folder, summed up: some wheels hold thousands."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries.report import Library, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.binaries.report import Image

_LOOSE: Final = frozenset({"cubin", "ptx"})
# Up to this many, each file is listed by itself.
_FEW: Final = 8


def gather(libraries: Iterable[Library]) -> list[Library]:
    """Put loose files of one sort below one top folder into a single entry, if they are many."""
    kept: list[Library] = []
    loose: defaultdict[tuple[str, str], list[Library]] = defaultdict(list)
    for library in libraries:
        if library.form not in _LOOSE:
            kept.append(library)
            continue
        folder = library.path.partition("/")[0]
        group = loose[folder, library.form]
        group.append(library)
        # Added up as they come, so that thousands do not pile up.
        if len(group) > _FEW:
            group[:] = [_sum(f"{folder}/**/*.{library.form}", group)]
    return kept + [library for group in loose.values() for library in _final(group)]


def _final(group: list[Library]) -> list[Library]:
    """Add the last few files to a sum; leave them alone where there is none."""
    return [_sum(group[0].path, group)] if group[0].files > 1 else group


def _sum(path: str, group: list[Library]) -> Library:
    totals: dict[Image, Tally] = {}
    for tally in (tally for library in group for tally in library.bare):
        old = totals.get(tally.image, Tally(tally.image, 0, 0, 0))
        totals[tally.image] = Tally(
            tally.image, old.count + tally.count, old.stored + tally.stored, old.size + tally.size
        )
    bare = sorted(totals.values(), key=lambda tally: (tally.image.number, tally.image.suffix))
    return replace(
        group[0],
        path=path,
        size=sum(library.size for library in group),
        files=sum(library.files for library in group),
        bare=tuple(bare),
        bare_toolkits=tuple(
            sorted({toolkit for library in group for toolkit in library.bare_toolkits})
        ),
    )
