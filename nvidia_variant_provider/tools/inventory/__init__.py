"""Readers of machine lists: one module per format, and partitions of files for many workers."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.inventory import kubernetes, machine_files, slurm, smi, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.coverage.fleet import Record

STDIN: Final = "-"
KUBERNETES: Final = "kubernetes"
SLURM: Final = "slurm"
SMI: Final = "nvidia-smi"
TABLE: Final = "csv"
MACHINE: Final = "machine"
MACHINE_LINES: Final = "machine-lines"

_WHOLE: Final = {
    KUBERNETES: kubernetes.read,
    SLURM: slurm.read,
    SMI: smi.read,
    MACHINE: machine_files.read,
}
# Formats with one record a line can be read from any byte on.
_BY_LINE: Final = {TABLE: table.read, MACHINE_LINES: machine_files.read_lines}

# A folder with more files than this is not a folder of machines.
MAX_FILES: Final = 200_000


class Partition(NamedTuple):
    """A part of a machine list: a file, or the lines that begin in a range of its bytes."""

    path: str
    format: str
    start: int = 0
    stop: int | None = None


def read(partition: Partition) -> Iterator[Record]:
    """Yield the records of a partition; raises ``FleetError`` for what cannot be read."""
    path = partition.path
    source = "standard input" if path == STDIN else os.path.basename(path)
    try:
        if path == STDIN:
            yield from _read(partition, sys.stdin.buffer, source)
        else:
            with open(path, "rb") as stream:
                yield from _read(partition, stream, source)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FleetError(path, "", "", reason, "a readable file") from error


def _read(partition: Partition, stream: BinaryIO, source: str) -> Iterator[Record]:
    by_line = _BY_LINE.get(partition.format)
    if by_line is None:
        return _WHOLE[partition.format](stream, source)
    return by_line(stream, source, partition.start, partition.stop)


def files(path: str, form: str) -> Iterator[Partition]:
    """Yield the files of a folder, sorted, or the file itself, as partitions of one format.

    In a folder, machine files end in ``.json`` or ``.jsonl`` and others in ``.csv`` or ``.json``;
    hidden files are passed over.
    """
    if path == STDIN or not os.path.isdir(path):
        yield _typed(path, form)
        return
    names = sorted(
        name
        for name in os.listdir(path)
        if not name.startswith(".") and name.endswith((".json", ".jsonl", ".csv", ".txt"))
    )
    if not names:
        raise FleetError(path, "", "", "no file", "files that end in .json, .jsonl, .csv or .txt")
    if len(names) > MAX_FILES:
        raise FleetError(path, "", "", f"{len(names)} files", f"at most {MAX_FILES}")
    for name in names:
        yield _typed(os.path.join(path, name), form)


def split(partition: Partition, size: int) -> Iterator[Partition]:
    """Cut a file into ranges of about ``size`` bytes where its format allows; else return it."""
    if partition.format not in _BY_LINE or partition.path == STDIN:
        yield partition
        return
    total = os.path.getsize(partition.path)
    for start in range(0, max(total, 1), size):
        yield partition._replace(start=start, stop=min(start + size, total))


def _typed(path: str, form: str) -> Partition:
    if form == MACHINE and path.endswith(".jsonl"):
        return Partition(path, MACHINE_LINES)
    return Partition(path, form)
