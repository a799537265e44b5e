"""Loose cubins and PTX files of one folder, summed up: some wheels hold thousands."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.binaries.report import Library, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.binaries.report import Image

_LOOSE: Final = frozenset({"cubin", "ptx"})
# Up to this many, each file is listed by itself.
_FEW: Final = 8


def gather(libraries: Iterable[Library]) -> list[Library]:
    """Put loose files of one sort below one top folder into a single entry, if they are many."""
    kept: list[Library] = []
    loose: defaultdict[tuple[str, str], list[Library]] = defaultdict(list)
    for library in libraries:
        if library.form in _LOOSE:
            loose[library.path.partition("/")[0], library.form].append(library)
        else:
            kept.append(library)
    for (folder, form), group in loose.items():
        kept += group if len(group) <= _FEW else [_sum(f"{folder}/**/*.{form}", group)]
    return kept


def _sum(path: str, group: list[Library]) -> Library:
    totals: dict[Image, Tally] = {}
    for tally in (tally for library in group for tally in library.bare):
        old = totals.get(tally.image, Tally(tally.image, 0, 0, 0))
        totals[tally.image] = Tally(
            tally.image,
            old.count + tally.count,
            old.stored + tally.stored,
            old.size + tally.size,
        )
    return replace(
        group[0],
        path=path,
        size=sum(library.size for library in group),
        files=len(group),
        bare=tuple(
            sorted(totals.values(), key=lambda tally: (tally.image.number, tally.image.suffix))
        ),
        toolkits=tuple(sorted({one for library in group for one in library.toolkits})),
        findings=tuple(finding for library in group for finding in library.findings)[:20],
    )
