"""Inventories: lists of machines as people have them, told apart by their content.

``read`` yields an ``Entry`` for each machine, or the error of an element that cannot be read, so
that the caller decides whether a bad element ends everything. One module a kind of source.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.inventory import table
from nvidia_variant_provider.tools.inventory.content import STDIN, Content, opened, source_name
from nvidia_variant_provider.tools.inventory.documents import read_json
from nvidia_variant_provider.tools.inventory.texts import is_table, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.inventory.machine import Entry

__all__ = ["STDIN", "Partition", "files", "read", "split"]

# A folder with more files than this is not a folder of machines.
MAX_FILES: Final = 200_000
_MANY_LINES: Final = 2


class Partition(NamedTuple):
    """A part of an inventory: a file, or the lines that begin in a range of its bytes."""

    path: str
    start: int = 0
    stop: int | None = None


def read(partition: Partition) -> Iterator[Entry | FleetError]:
    """Yield the entries of a partition, and errors of single elements as values.

    Raises ``FleetError`` for a file that cannot be read, or that is no inventory.
    """
    source = source_name(partition.path)
    with opened(partition.path) as content:
        head = content.head()
        if is_table(head) or partition.start or partition.stop is not None:
            yield from table.read(content.stream, source, partition.start, partition.stop)
        elif head.lstrip().startswith(("{", "[")):
            yield from read_json(content.stream, source)
        else:
            yield from read_text(content, source)


def files(path: str) -> Iterator[Partition]:
    """Yield the files of a folder, sorted, or the file itself; hidden files are passed over."""
    if path == STDIN or not os.path.isdir(path):
        yield Partition(path)
        return
    names = sorted(
        entry.name
        for entry in itertools.islice(os.scandir(path), MAX_FILES + 1)
        if entry.is_file() and not entry.name.startswith(".")
    )
    if not names:
        raise FleetError(path, "", "", "an empty folder", "lists of machines in it")
    if len(names) > MAX_FILES:
        raise FleetError(path, "", "", "too many files", f"at most {MAX_FILES}")
    for name in names:
        yield Partition(os.path.join(path, name))


def split(partition: Partition, size: int) -> Iterator[Partition]:
    """Cut a CSV file into ranges of about ``size`` bytes; else return it as it is."""
    if partition.path == STDIN:
        yield partition
        return
    with opened(partition.path) as content:
        can_be_cut = _can_be_cut(content)
    if not can_be_cut:
        yield partition
        return
    total = os.path.getsize(partition.path)
    for start in range(0, max(total, 1), size):
        yield partition._replace(start=start, stop=min(start + size, total))


def _can_be_cut(content: Content) -> bool:
    return content.is_plain and is_table(content.head())
