"""Nodes as Slurm describes them: scontrol and sinfo, as JSON and as text.

Slurm knows the type that the administrator or its NVML plugin gave a GPU, and no driver, unless
the site writes it into the features: ``DriverVersion:580.65.06``, ``ComputeCapability:9.0``.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.gres import expand_hosts, parse_gres
from nvidia_variant_provider.tools.inventory.instances import gpus_of_instance
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedMachine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NOTHING: Final = frozenset({"", "(null)", "N/A", "None", "null"})
_KEY: Final = re.compile(r"(?:^|\s)([A-Za-z]\w*)=")
# ``sinfo --Format=gres`` cuts its columns at 20 characters.
_CUT: Final = 20


def node(place: Place, value: object) -> Entry:
    """Read one element of ``nodes`` of ``scontrol show nodes --json`` or of an old ``sinfo``."""
    row = place.mapping(value, "")
    machine = _machine(
        place,
        place.text(row, "gres"),
        _features(row.get("features")),
        place.text(row, "architecture"),
        place.text(row, "instance_type"),
    )
    return Entry(machine, 1, place.text(row, "name"), *place)


def group(place: Place, value: object, seen: set[str]) -> Iterator[Entry]:
    """Read one element of ``sinfo`` of ``sinfo --json``; a node stands in every partition."""
    row = place.mapping(value, "")
    nodes = place.mapping(row.get("nodes"), "nodes")
    listed = place.sequence(nodes.get("nodes"), "nodes.nodes")
    gres = place.mapping(row.get("gres"), "gres")
    features = place.mapping(row.get("features"), "features")
    machine = _machine(place, place.text(gres, "total"), _features(features.get("total")), "", "")
    yield from _new(machine, [name for name in listed if isinstance(name, str)], seen, place)


def text_nodes(rows: Iterable[tuple[str, str]], source: str) -> Iterator[Entry | FleetError]:
    """Read ``scontrol show nodes`` as text: a node begins with ``NodeName=``."""
    node: dict[str, str] = {}
    begun = ""
    for where, line in itertools.chain(rows, [("", "NodeName=")]):
        fields = _fields(line)
        if "NodeName" in fields:
            if node:
                yield _text_node(Place(source, begun), node)
            node, begun = {}, where
        node.update(fields)


def _text_node(place: Place, node: Mapping[str, str]) -> Entry | FleetError:
    try:
        known = {key: "" if value in _NOTHING else value for key, value in node.items()}
        features = _features(known.get("AvailableFeatures"))
        machine = _machine(place, known.get("Gres", ""), features, known.get("Arch", ""), "")
    except FleetError as error:
        return error
    return Entry(machine, 1, known.get("NodeName", ""), *place)


def _fields(line: str) -> dict[str, str]:
    """Return the fields of a line; values such as that of ``OS=`` have blanks in them."""
    marks = list(_KEY.finditer(line))
    ends = [*(mark.start() for mark in marks[1:]), len(line)][: len(marks)]
    return {mark[1]: line[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)}


def listing(rows: Iterable[tuple[str, str]], source: str) -> Iterator[Entry | FleetError]:
    """Read ``sinfo -o "%N|%G|%f"`` and its like, columns parted by ``|`` or by blanks."""
    columns: list[str] = []
    seen: set[str] = set()
    for where, line in rows:
        if not line.strip():
            continue
        place = Place(source, where)
        cells = line.split("|") if "|" in line else line.split()
        cells = [cell.strip() for cell in cells]
        if not columns:
            columns = [_COLUMNS.get(cell.upper(), cell) for cell in cells]
            continue
        try:
            yield from _listed(place, dict(zip(columns, cells, strict=False)), seen)
        except FleetError as error:
            yield error
        except ValueError as error:
            yield FleetError(*place, "NODELIST", str(error), "a list of hosts")


def bare_listing(rows: Iterable[tuple[str, str]], source: str) -> Iterator[Entry | FleetError]:
    """Read ``sinfo -h -o "%N %G %f"``, which has no header."""
    yield from listing(itertools.chain([("", "NODELIST|GRES|AVAIL_FEATURES")], rows), source)


_COLUMNS: Final = {
    "NODELIST": "nodes", "HOSTNAMES": "nodes", "GRES": "gres", "AVAIL_FEATURES": "features",
    "ACTIVE_FEATURES": "features", "FEATURES": "features",
}  # fmt: skip


def _listed(place: Place, row: Mapping[str, str], seen: set[str]) -> Iterator[Entry]:
    known = {key: "" if value in _NOTHING else value for key, value in row.items()}
    gres = known.get("gres", "")
    if len(gres) == _CUT and not re.search(r":\d+(\([^()]*\))?$", gres):
        place.fail("GRES", gres, "the whole GRES: sinfo cuts it at 20 characters, use gres:200")
    machine = _machine(place, gres, _features(known.get("features")), "", "")
    yield from _new(machine, expand_hosts(known.get("nodes", "")), seen, place)


def _new(
    machine: StatedMachine, names: Iterable[str], seen: set[str], place: Place
) -> Iterator[Entry]:
    """Yield an entry for the nodes that were in no partition before."""
    fresh = [name for name in dict.fromkeys(names) if name not in seen]
    seen.update(fresh)
    if fresh:
        yield Entry(machine, len(fresh), fresh[0], *place)


def _features(value: object) -> dict[str, str]:
    words = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    pairs = (word.partition(":") for word in words if isinstance(word, str))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _machine(
    place: Place, gres: str, features: Mapping[str, str], architecture: str, instance: str
) -> StatedMachine:
    resources = parse_gres("" if gres in _NOTHING else gres)
    if resources.unread:
        place.fail("gres", resources.unread[0], "gpu:TYPE:COUNT")
    gpus = resources.gpus
    assumed = resources.assumed
    if instance and (not gpus or not any(gpu.name for gpu in gpus)):
        typed = gpus_of_instance(instance)
        assumed += (f"GPU: that of the instance type {instance}",) if typed else ()
        gpus = typed or gpus
    driver, capability = features.get("driverversion", ""), features.get("computecapability", "")
    if capability and len(gpus) == 1:
        gpus = (gpus[0]._replace(capability=capability),)
    return StatedMachine(
        gpus, driver if gpus else "", "", architecture, "linux" if architecture else "", "", assumed
    )
