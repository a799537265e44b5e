"""Machines from a CSV file, written by hand, by a spreadsheet or by an inventory system.

Columns, in any order: ``target`` alone (``gh200@580``), or ``device`` and/or ``capability``
(``9.0``, several parted by blanks) with ``driver`` and ``cuda``; with either ``count``, ``name``,
``architecture`` and ``system``. Usual other names of these columns are understood, and columns of
other things are not looked at. Cells are parted by commas, semicolons or tabs; lines that start
with ``#`` are remarks.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO, Final

from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine, merged
from nvidia_variant_provider.tools.inventory.streams import lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_COUNT: Final = 10**9
COLUMNS: Final = (
    "name", "count", "target", "device", "capability", "driver", "cuda", "architecture", "system"
)  # fmt: skip
_OTHER_NAMES: Final = {
    "device": "gpu gpu_name gpu_model gpu_type model product accelerator gpus",
    "name": "host hostname node nodename server instance",
    "count": "quantity qty machines nodes number",
    "driver": "driver_version nvidia_driver driver_release",
    "cuda": "cuda_version cuda_driver_version",
    "capability": "compute_cap compute_capability sm",
    "architecture": "arch cpu cpu_arch cpu_architecture",
    "system": "os operating_system platform",
}
_BY_NAME: Final = {name: name for name in COLUMNS} | {
    other: name for name, others in _OTHER_NAMES.items() for other in others.split()
}
_ONE_OF: Final = frozenset({"target", "device", "capability"})
_DELIMITERS: Final = ",;\t"


def delimiter_of(line: str) -> str:
    """Return what parts the cells of a header."""
    return max(_DELIMITERS, key=line.count)


def is_header(line: str) -> bool:
    """Whether a line is the header of such a table."""
    cells = Place("", "").cells(line, delimiter_of(line))
    names = [_column(cell) for cell in cells]
    return bool(_ONE_OF & set(names)) or (len(set(names) & set(COLUMNS)) > 1 and "count" in names)


def _column(cell: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", cell.lower()).strip("_")
    return _BY_NAME.get(plain, plain)


def read(
    stream: BinaryIO, source: str, start: int = 0, stop: int | None = None
) -> Iterator[Entry | FleetError]:
    """Yield one entry a line; a range of bytes makes a partition, whose header is the file's."""
    columns: Sequence[str] = ()
    delimiter = ","
    if start:
        columns, delimiter = _header(stream, source)
        # A part may begin before the header, behind a remark.
        start = max(start, stream.tell())
    for where, line in lines(stream, source, start, stop):
        if not line.strip() or line.startswith("#"):
            continue
        place = Place(source, where)
        if not columns:
            columns, delimiter = _checked(place, line)
            continue
        try:
            yield _entry(place, columns, place.cells(line, delimiter))
        except FleetError as error:
            yield error


def _header(stream: BinaryIO, source: str) -> tuple[Sequence[str], str]:
    for where, line in lines(stream, source):
        if line.strip() and not line.startswith("#"):
            return _checked(Place(source, where), line)
    return (), ","


def _checked(place: Place, line: str) -> tuple[Sequence[str], str]:
    delimiter = delimiter_of(line)
    cells = place.cells(line, delimiter)
    columns = [_column(cell) for cell in cells]
    for cell, column in zip(cells, columns, strict=True):
        near = difflib.get_close_matches(column, COLUMNS, n=1, cutoff=0.75)
        if near and column not in COLUMNS:
            raise FleetError(
                *place, cell, "an unknown column", "a known one", f"did you mean {near[0]!r}?"
            )
    known = [column for column in columns if column in COLUMNS]
    if len(set(known)) != len(known):
        raise FleetError(*place, "", ", ".join(cells), "every column once")
    if not _ONE_OF & set(known):
        raise FleetError(*place, "", ", ".join(cells), "a column target, device or capability")
    return columns, delimiter


def _entry(place: Place, columns: Sequence[str], cells: Sequence[str]) -> Entry:
    if len(cells) != len(columns):
        raise FleetError(*place, "", f"{len(cells)} cells", f"{len(columns)} as in the header")
    row = dict(zip(columns, cells, strict=True))
    count = place.whole_number(row["count"], "count", MAX_COUNT) if row.get("count") else 1
    return Entry(_machine(place, row), count, row.get("name", ""), *place)


def _machine(place: Place, row: Mapping[str, str]) -> StatedMachine:
    architecture, system = row.get("architecture", ""), row.get("system", "")
    if target := row.get("target"):
        for other in ("device", "capability", "driver", "cuda"):
            if row.get(other):
                place.fail(other, row[other], "nothing beside a target")
        try:
            machine = _target(target)
        except InvalidValueError as error:
            raise FleetError(*place, "target", repr(target), f"a target: {error}") from error
        return machine._replace(architecture=architecture or machine.architecture, system=system)
    values = (row.get(name, "") for name in ("device", "capability", "driver", "cuda"))
    return _stated(*values, architecture, system)


# A hundred thousand lines say a few hundred different things.
@lru_cache(maxsize=4096)
def _stated(
    device: str, capability: str, driver: str, cuda: str, architecture: str, system: str
) -> StatedMachine:
    names = [part.strip() for part in device.split("+") if part.strip()]
    gpus = _gpus(names, capability.split())
    return StatedMachine(gpus, driver, cuda, architecture, system)


def _gpus(names: Sequence[str], capabilities: Sequence[str]) -> tuple[StatedGpu, ...]:
    """Pair names with capabilities where there are as many; one capability is that of all names."""
    if len(names) == len(capabilities):
        return merged(map(StatedGpu, names, capabilities))
    if len(capabilities) == 1:
        return merged(StatedGpu(name, capabilities[0]) for name in names)
    if names and not capabilities:
        return merged(StatedGpu(name) for name in names)
    gpus = [StatedGpu("", capability) for capability in capabilities]
    return merged(StatedGpu(" + ".join(names), gpu.capability) for gpu in gpus)


def machine_of_target(text: str) -> StatedMachine:
    """Return what ``gh200@580`` says; raises ``InvalidValueError`` for an unknown target.

    Without a driver in the target none is stated, so that one for all can be.
    """
    target = parse_target(text)
    driver, is_named = target.driver, "@" in text
    return StatedMachine(
        merged(StatedGpu(device.name, str(device.capability), 1) for device in target.devices),
        str(driver.release or driver.branch or "") if is_named else "",
        str(driver.cuda) if is_named else "",
        target.architectures[0],
    )


_target = lru_cache(maxsize=4096)(machine_of_target)
