"""Counting a fleet in parts: here, or on the workers of an engine that exists.

A part is a ``Partition``; its result is a ``Fleet``, and two of them merge with ``|`` in any
order and grouping, so an engine may retry a part, or merge as results come in.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.coverage.fleet import EMPTY, Fleet, tally
from nvidia_variant_provider.tools.inventory import Partition, read
from nvidia_variant_provider.tools.inventory.resolve import NO_DEFAULTS, Defaults

if TYPE_CHECKING:
    from collections.abc import Iterable

    from distributed import Client

# About 100,000 lines of CSV: a second of work, so that a lost worker costs little.
PART_BYTES: Final = 4 << 20


def tally_part(
    part: Partition, defaults: Defaults = NO_DEFAULTS, *, skip_invalid: bool = False
) -> Fleet:
    """Count the entries of one part; what an engine maps over the parts."""
    return tally(read(part), defaults, skip_invalid=skip_invalid)


def merge(fleets: Iterable[Fleet]) -> Fleet:
    """Merge the fleets of several parts."""
    return reduce(or_, fleets, EMPTY)


def tally_here(
    parts: Iterable[Partition], defaults: Defaults = NO_DEFAULTS, *, skip_invalid: bool = False
) -> Fleet:
    """Count all parts in this process, one after the other."""
    return merge(tally_part(part, defaults, skip_invalid=skip_invalid) for part in parts)


def tally_with_dask(
    client: Client,
    parts: Iterable[Partition],
    defaults: Defaults = NO_DEFAULTS,
    *,
    skip_invalid: bool = False,
) -> Fleet:
    """Count the parts on the workers of a Dask cluster, which must see the files by their paths.

    Parts of a worker that is lost are counted again by another. An error in a part is raised here.
    """
    # A part is a tuple: dask would look into it for futures and hand over a plain one.
    futures = client.map(
        _tally_fields,
        [tuple(part) for part in parts],
        defaults=tuple(defaults),
        skip_invalid=skip_invalid,
    )
    from distributed import as_completed

    return merge(fleet for _, fleet in as_completed(futures, with_results=True))


def _tally_fields(
    fields: tuple[str, int, int | None], defaults: tuple[str, str, str], *, skip_invalid: bool
) -> Fleet:
    return tally_part(Partition(*fields), Defaults(*defaults), skip_invalid=skip_invalid)
