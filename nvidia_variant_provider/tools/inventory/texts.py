"""Text inventories: what the first lines look like, and the reader for that."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.inventory import (
    dcgm,
    documents,
    machine_files,
    pci_lists,
    schedulers,
    slurm,
    smi,
    table,
)
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.hosts import by_host
from nvidia_variant_provider.tools.inventory.machine import Entry
from nvidia_variant_provider.tools.inventory.streams import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvidia_variant_provider.tools.inventory.content import Content
    from nvidia_variant_provider.tools.inventory.hosts import Line
    from nvidia_variant_provider.tools.inventory.machine import StatedMachine

_MAX_KNOWN: Final = 1000
MAX_YAML: Final = 64 << 20

# The first lines tell what a text is; a line of a host has the host's name before it.
_LOOKS: Final = (
    (re.compile(r"^NodeName=", re.MULTILINE), slurm.text_nodes),
    (re.compile(r"^\s*(NODELIST|HOSTNAMES)\b.*\b(GRES|AVAIL_FEATURES)\b"), slurm.listing),
    (re.compile(r"^[\w.\-,\[\]]+[ |]+(gpu:\S|\(null\))"), slurm.bare_listing),
    (re.compile(r"^\s*HOST_NAME\s.*\b(GPU_)?MODEL\b", re.IGNORECASE), schedulers.lsf),
    (re.compile(r"^(#.*\n)*DCGM_\w+\{", re.MULTILINE), dcgm.exporter),
)
_YAML: Final = re.compile(r"^(---\s*$|apiVersion:|kind:|items:|- apiVersion:)", re.MULTILINE)
_HOST: Final = re.compile(r"^[A-Za-z0-9][\w.-]*: ")
# Outputs that people have first, and that do not say enough; what to ask for instead.
_OTHER_OUTPUTS: Final = (
    (
        re.compile(r"\| NVIDIA-SMI \d+"),
        "nvidia-smi's overview, which cuts names",
        "nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv",
    ),
    (
        re.compile(r"^NAME +STATUS +ROLES"),
        "kubectl's table of nodes, which has no labels",
        "kubectl get nodes -o json",
    ),
    (
        re.compile(r"^(PARTITION|NODELIST) +AVAIL|^PARTITION\b"),
        "sinfo without GRES",
        "scontrol show nodes --json, or sinfo -o '%N|%G|%f'",
    ),
)


def is_table(head: str) -> bool:
    """Whether a text is a CSV file of our own columns, which can be cut into ranges of lines."""
    for line in head.splitlines()[:200]:
        if line.strip() and not line.startswith("#"):
            return not line.lstrip().startswith(("{", "[", "<")) and _is_own_header(line)
    return False


def _is_own_header(line: str) -> bool:
    if not any(delimiter in line for delimiter in ",;\t") and len(line.split()) > 1:
        return False
    line = _HOST.sub("", line)
    try:
        if all(smi.FIELDS.fullmatch(cell) for cell in Place("", "").cells(line)):
            return False
        return table.is_header(line)
    except FleetError:
        return False


def read_text(content: Content, source: str) -> Iterator[Entry | FleetError]:
    """Yield the entries of a text that is neither JSON nor a table of our own."""
    head = content.head()
    if not head.strip():
        raise FleetError(source, "", "", "an empty file", documents.EXPECTED, documents.HINT)
    if _YAML.match(head):
        yield from _yaml(content, source)
        return
    if head.lstrip().startswith("<"):
        data = content.stream.read(smi.MAX_XML_BYTES + 1)
        machine = smi.parse_xml(data.decode("utf-8-sig", "replace"), source)
        yield Entry(machine, 1, source, source, "")
        return
    rows = lines(content.stream, source)
    for look, reader in _LOOKS:
        if look.search(head):
            yield from reader(rows, source)
            return
    for look, seen, command in _OTHER_OUTPUTS:
        if look.search(head):
            raise FleetError(source, "", "", seen, "more columns", f"{command} > machines.txt")
    yield from _machines(rows, source)


def _machines(rows: Iterable[Line], source: str) -> Iterator[Entry | FleetError]:
    """Read what one or many machines printed: nvidia-smi in any form, or lspci."""
    known: dict[tuple[str, ...], StatedMachine] = {}
    for name, where, printed in by_host(rows):
        lines_of_host = tuple(line for _, line in printed)
        if (machine := known.get(lines_of_host)) is not None:
            yield Entry(machine, 1, name or source, source, where)
            continue
        entry = _printed(name, where, printed, source)
        # Most machines of a cluster print the same.
        if isinstance(entry, Entry) and len(known) < _MAX_KNOWN:
            known[lines_of_host] = entry.machine
        yield entry


def _printed(name: str, where: str, rows: list[Line], source: str) -> Entry | FleetError:
    try:
        return Entry(_machine(rows, source), 1, name or source, source, where)
    except FleetError as error:
        if not name:
            raise
        return error


def _machine(rows: list[Line], source: str) -> StatedMachine:
    if any(pci_lists.LSPCI.fullmatch(line.rstrip()) for _, line in rows[:5]):
        return pci_lists.lspci(rows)
    if any(line.lstrip().startswith("<?xml") for _, line in rows[:1]):
        return smi.parse_xml("\n".join(line for _, line in rows), source)
    if rows[0][1].lstrip().startswith("{"):
        return _json_machine("\n".join(line for _, line in rows), Place(source, rows[0][0]))
    return smi.machine(rows, source)


def _json_machine(text: str, place: Place) -> StatedMachine:
    """Read what ``ansible -m setup`` prints behind the name of a host."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FleetError(*place, "", str(error), "a JSON document") from error
    facts = place.mapping(document.get("ansible_facts"), "ansible_facts")
    return machine_files.ansible(place, facts).machine


def _yaml(content: Content, source: str) -> Iterator[Entry | FleetError]:
    """Read YAML, which has to be held whole: ``kubectl -o yaml``."""
    import yaml

    data = content.stream.read(MAX_YAML + 1)
    if len(data) > MAX_YAML:
        expected = f"at most {MAX_YAML >> 20} MiB; JSON may be of any size"
        raise FleetError(source, "", "", "more YAML", expected, documents.HINT)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        whole = list(yaml.load_all(data, Loader=loader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        seen = f"damaged YAML ({' '.join(str(error).split())})"
        raise FleetError(source, "", "", seen, "a YAML document") from error
    yield from documents.read_parts(documents.parts_of(whole, source), source)
