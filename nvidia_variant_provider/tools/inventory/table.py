"""Machines from a CSV file of our own, written by hand or by an inventory system.

Columns, in any order: ``target`` alone (``gh200@580``), or ``device`` and/or ``capability``
(``9.0``, several parted by blanks) with ``driver`` and ``cuda``; with either ``count``, ``name``,
``architecture`` and ``system``. Lines that start with ``#`` are remarks.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO, Final

from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.tools.coverage.catalogue import facts_of_target
from nvidia_variant_provider.tools.coverage.fleet import MAX_COUNT, Record
from nvidia_variant_provider.tools.coverage.kinds import Facts
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.streams import lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COLUMNS: Final = (
    "name", "count", "target", "device", "capability", "driver", "cuda", "architecture", "system"
)  # fmt: skip
_ONE_OF: Final = frozenset({"target", "device", "capability"})


def read(
    stream: BinaryIO, source: str, start: int = 0, stop: int | None = None
) -> Iterator[Record]:
    """Yield one record a line; a range of bytes makes a partition, whose header is the file's."""
    columns: Sequence[str] = ()
    if start:
        columns = _header(stream, source)
        # A part may begin before the header, behind a remark.
        start = max(start, stream.tell())
    for where, line in lines(stream, source, start, stop):
        if not line.strip() or line.startswith("#"):
            continue
        place = Place(source, where)
        cells = place.cells(line)
        if not columns:
            columns = _checked(place, cells)
            continue
        if len(cells) != len(columns):
            raise FleetError(*place, "", f"{len(cells)} cells", f"{len(columns)} as in the header")
        row = dict(zip(columns, cells, strict=True))
        count = place.whole_number(row["count"], "count", MAX_COUNT) if row.get("count") else 1
        yield Record(_facts(place, row), count, row.get("name", ""), source, where)


def _header(stream: BinaryIO, source: str) -> Sequence[str]:
    for where, line in lines(stream, source):
        if line.strip() and not line.startswith("#"):
            place = Place(source, where)
            return _checked(place, place.cells(line))
    return ()


def _checked(place: Place, columns: Sequence[str]) -> Sequence[str]:
    for column in columns:
        if column not in COLUMNS:
            raise FleetError(*place, column, "this column", f"one of {', '.join(COLUMNS)}")
    if len(set(columns)) != len(columns):
        raise FleetError(*place, "", ", ".join(columns), "every column once")
    if not _ONE_OF & set(columns):
        raise FleetError(*place, "", ", ".join(columns), "a column target, device or capability")
    return columns


def _facts(place: Place, row: Mapping[str, str]) -> Facts:
    architecture, system = row.get("architecture", ""), row.get("system", "")
    if target := row.get("target"):
        for other in ("device", "capability", "driver", "cuda"):
            if row.get(other):
                place.fail(other, row[other], "nothing beside a target")
        try:
            facts = _target(target)
        except InvalidValueError as error:
            raise FleetError(*place, "target", repr(target), f"a target: {error}") from error
        return facts._replace(architecture=architecture or facts.architecture, system=system)
    return Facts(
        devices=tuple(part.strip() for part in row.get("device", "").split("+") if part.strip()),
        capabilities=tuple(row.get("capability", "").split()),
        driver=row.get("driver", ""),
        cuda=row.get("cuda", ""),
        architecture=architecture,
        system=system,
    )


_target = lru_cache(maxsize=4096)(facts_of_target)
