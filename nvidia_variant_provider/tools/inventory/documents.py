"""JSON and YAML inventories: what a document is, told by its keys, and the reader for it.

A document that holds no machines is refused with what it looks like; an element that cannot be
read is yielded as its error, so that all of them can be named at once, or skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.inventory import (
    dcgm,
    instances,
    kubernetes,
    machine_files,
    pci_lists,
    schedulers,
    slurm,
)
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.machine import Entry
from nvidia_variant_provider.tools.inventory.streams import Part, parts
from nvidia_variant_provider.tools.parsed import mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Arrays of these keys are read element by element.
LISTED: Final = frozenset({"items", "nodes", "sinfo", "InstanceTypes", "Reservations"})
_MAX_KEYS: Final = 10_000
_SHOWN: Final = 5

# What a Kubernetes list of other things looks like, and what was meant.
_KINDS: Final = frozenset({"Node", "ResourceSlice"})


class UnknownDocumentError(FleetError):
    """A document that is not an inventory; its other elements are not looked at."""


def read_json(stream: BinaryIO, source: str) -> Iterator[Entry | FleetError]:
    """Yield the entries of JSON documents, one or many; errors of single elements are values."""
    yield from read_parts(parts(stream, source, LISTED), source)


def read_parts(pieces: Iterable[Part], source: str) -> Iterator[Entry | FleetError]:
    """Yield the entries of documents whose parts come one by one."""
    documents = _Documents(source)
    for part in pieces:
        yield from documents.take(part)
    yield from documents.rest()


def parts_of(documents: Iterable[object], source: str) -> Iterator[Part]:
    """Yield the parts of documents that were read whole, as YAML is."""
    for number, document in enumerate(documents):
        prefix = f"document {number + 1}: " if number else ""
        if isinstance(document, list):
            for index, value in enumerate(document):
                yield Part(f"{prefix}[{index}]", "", value, listed=True)
        elif isinstance(document, dict):
            yield from _parts_of_object(document, prefix)
        elif document is not None:
            raise UnknownDocumentError(source, prefix, "", repr(document)[:60], "an object or list")
        yield Part(prefix, "", None, end=True)


def _parts_of_object(document: Mapping[object, object], prefix: str) -> Iterator[Part]:
    for key, value in document.items():
        if key in LISTED and isinstance(value, list):
            for index, element in enumerate(value):
                yield Part(f"{prefix}{key}[{index}]", str(key), element, listed=True)
            yield Part(prefix, str(key), [])
        else:
            yield Part(prefix, str(key), value)


class _Documents:
    """Reads one document after the other; a cluster's nodes and slices are joined across them."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._head: dict[str, object] = {}
        self._listed = False
        self._cluster = kubernetes.Cluster()
        self._partitions: set[str] = set()
        self._displays: list[Mapping[str, object]] = []

    def take(self, part: Part) -> Iterator[Entry | FleetError]:
        """Take a part, and yield the entries that are complete with it."""
        if part.end:
            yield from self._finish(part.where)
        elif not part.listed:
            self._head[part.key] = part.value
            if len(self._head) > _MAX_KEYS:
                raise UnknownDocumentError(self._source, "", "", "endless keys", "an inventory")
        else:
            self._listed = True
            place = Place(self._source, part.where)
            try:
                yield from list(self._element(place, part.key, part.value))
            except UnknownDocumentError:
                raise
            except FleetError as error:
                yield error

    def rest(self) -> Iterator[Entry]:
        """Yield what had to wait for the end of the last document."""
        yield from self._cluster.rest()
        if self._displays:
            place = Place(self._source, "")
            yield Entry(pci_lists.lshw(place, self._displays), 1, "", *place)

    def _finish(self, where: str) -> Iterator[Entry | FleetError]:
        head, listed = self._head, self._listed
        self._head, self._listed = {}, False
        if listed or (set(head) & LISTED and all(value == [] for value in _lists(head))):
            if not listed:
                _check_kind(self._source, str(head.get("kind", "")))
            return
        place = Place(self._source, where.removesuffix(": "))
        try:
            yield from list(self._document(place, head))
        except UnknownDocumentError:
            raise
        except FleetError as error:
            yield error

    def _element(self, place: Place, key: str, value: object) -> Iterator[Entry | FleetError]:
        if key == "nodes":
            yield slurm.node(place, value)
        elif key == "sinfo":
            yield from slurm.group(place, value, self._partitions)
        elif key == "InstanceTypes":
            yield instances.aws_type(place, value)
        elif key == "Reservations":
            yield from instances.aws_reservation(place, value)
        else:
            yield from self._document(place, place.mapping(value, ""))

    def _document(self, place: Place, row: Mapping[str, object]) -> Iterator[Entry | FleetError]:
        if _is_node(row):
            yield from self._cluster.take(kubernetes.node(place, row))
        elif row.get("kind") == "ResourceSlice":
            self._cluster.slices.take(place, row)
        elif pci_lists.is_lshw(row):
            self._displays.append(row)
        elif _is_cloud(row):
            yield _cloud(place, row)
        else:
            yield from _other(place, row)


def _lists(head: Mapping[str, object]) -> list[object]:
    return [value for key, value in head.items() if key in LISTED]


def _is_node(row: Mapping[str, object]) -> bool:
    kind = row.get("kind")
    # Elements of a NodeList that the API server wrote have no kind of their own.
    return kind == "Node" or (kind is None and isinstance(row.get("metadata"), dict))


def _is_cloud(row: Mapping[str, object]) -> bool:
    return "hardwareProfile" in row or "machineType" in row


def _cloud(place: Place, row: Mapping[str, object]) -> Entry:
    if "hardwareProfile" in row:
        return instances.azure_machine(place, row)
    return instances.google_machine(place, row)


def _other(place: Place, row: Mapping[str, object]) -> Iterator[Entry | FleetError]:
    nodes = row.get("nodes")
    if "NodeResources" in row:
        yield schedulers.nomad(place, row)
    elif "NodeID" in row and "Resources" in row:
        node = schedulers.ray(place, row)
        yield from () if node is None else (node,)
    elif isinstance(nodes, dict) and "pbs_version" in row:
        yield from schedulers.pbs(place, nodes)
    elif "resultType" in mapping(row.get("data")):
        yield from dcgm.prometheus(place, row)
    elif "ansible_facts" in row:
        yield machine_files.ansible(place, place.mapping(row["ansible_facts"], "ansible_facts"))
    elif machine_files.is_machine(row):
        yield machine_files.entry(place, row)
    else:
        _check_kind(place.source, str(row.get("kind", "")), place.where)
        raise UnknownDocumentError(*place, "", _looks_like(row), EXPECTED, HINT)


EXPECTED: Final = (
    "a list of machines, such as the output of 'kubectl get nodes -o json' or 'scontrol show nodes "
    "--json', or a machine file (docs/coverage.md lists the kinds)"
)
HINT: Final = "kubectl get nodes -o json > nodes.json"


def _check_kind(source: str, kind: str, where: str = "") -> None:
    """Refuse a list of other Kubernetes objects, naming what was meant."""
    kind = kind.removesuffix("List")
    if kind and kind not in _KINDS:
        raise UnknownDocumentError(
            source, where, "", f"Kubernetes objects of kind {kind}", "nodes", HINT
        )


def _looks_like(row: Mapping[str, object]) -> str:
    if not row:
        return "an empty JSON object"
    keys = [repr(key)[:40] for key in list(row)[:_SHOWN]]
    more = " ..." if len(row) > _SHOWN else ""
    return f"a JSON object with {', '.join(keys)}{more}"
