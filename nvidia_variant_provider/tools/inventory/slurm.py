"""Nodes from ``scontrol show nodes --json``: their GRES, such as ``gpu:h100:8(S:0-1)``.

Slurm knows the type that the administrator or its NVML plugin gave a GPU, and no driver: the
driver is stated for all of them (``--driver``) or assumed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, Final

from nvidia_variant_provider.tools.coverage.fleet import Record
from nvidia_variant_provider.tools.coverage.kinds import Facts
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.streams import elements

if TYPE_CHECKING:
    from collections.abc import Iterator

# name[:type][:count][(where the sockets or indices are)]; a count may have a unit.
_GRES: Final = re.compile(
    r"gpu(?::(?P<type>[A-Za-z][\w.+-]*|\d+g\.\w+))?(?::(?P<count>\d+)[KMG]?)?"
)
_DETAIL: Final = re.compile(r"\([^()]*\)")


def read(stream: BinaryIO, source: str) -> Iterator[Record]:
    """Yield one record a node."""
    for where, element in elements(stream, source, "nodes"):
        place = Place(source, where)
        node = place.mapping(element, "")
        types = _gpu_types(place, place.text(node, "gres"))
        facts = Facts(
            devices=tuple(kind for kind in types if kind),
            capabilities=("",) if "" in types else (),
            architecture=place.text(node, "architecture"),
        )
        yield Record(facts, 1, place.text(node, "name"), source, where)


def _gpu_types(place: Place, gres: str) -> tuple[str, ...]:
    """Return the distinct types of the GPUs; an untyped GPU has the type ``""``."""
    types = set()
    for entry in _DETAIL.sub("", gres).split(","):
        name = entry.strip()
        if name.partition(":")[0] != "gpu":
            continue
        match = _GRES.fullmatch(name)
        if match is None:
            place.fail("gres", gres, "gpu:TYPE:COUNT")
        if match["count"] is None or int(match["count"]) > 0:
            types.add(match["type"] or "")
    return tuple(sorted(types))
