"""Nodes of Nomad, Ray, PBS and LSF."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tables.other_makers import is_other_maker
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nvidia_variant_provider.tools.inventory.fields import Place

_MAX_GPUS: Final = 4096


def nomad(place: Place, row: Mapping[str, object]) -> Entry:
    """Read a node of Nomad's ``/v1/node/:id``."""
    resources = place.mapping(row.get("NodeResources"), "NodeResources")
    gpus, driver = [], ""
    for element in place.sequence(resources.get("Devices"), "NodeResources.Devices"):
        device = place.mapping(element, "NodeResources.Devices")
        if (place.text(device, "Vendor"), place.text(device, "Type")) != ("nvidia", "gpu"):
            continue
        attributes = place.mapping(device.get("Attributes"), "Attributes")
        version = place.mapping(attributes.get("driver_version"), "driver_version")
        driver = driver or place.text(version, "String")
        number = len(place.sequence(device.get("Instances"), "Instances")) or None
        gpus.append(StatedGpu(place.text(device, "Name"), "", number))
    about = place.mapping(row.get("Attributes"), "Attributes")
    architecture, system = place.text(about, "cpu.arch"), place.text(about, "kernel.name")
    machine = StatedMachine(merged(gpus), driver, "", architecture, system)
    return Entry(machine, 1, place.text(row, "Name"), *place)


def ray(place: Place, row: Mapping[str, object]) -> Entry | None:
    """Read a node of ``ray.nodes()``; nothing of one that is dead."""
    if row.get("Alive") is False:
        return None
    resources = place.mapping(row.get("Resources"), "Resources")
    number = place.number(resources, "GPU", _MAX_GPUS)
    types = [key.partition(":")[2] for key in resources if key.startswith("accelerator_type:")]
    ours = [name for name in types if not is_other_maker(name)]
    gpus: tuple[StatedGpu, ...] = ()
    if number and (ours or not types):
        gpus = (StatedGpu(ours[0] if ours else "", "", number),)
    name = place.text(row, "NodeName") or place.text(row, "NodeManagerHostname")
    return Entry(StatedMachine(gpus), 1, name, *place)


def pbs(place: Place, nodes: Mapping[str, object]) -> Iterator[Entry]:
    """Read ``pbsnodes -av -F json``; the virtual nodes of one host are one machine."""
    hosts: dict[str, tuple[str, list[StatedGpu]]] = {}
    for name, value in nodes.items():
        node = place.mapping(value, name)
        resources = place.mapping(node.get("resources_available"), f"{name}.resources_available")
        _, gpus = hosts.setdefault(place.text(resources, "host") or name, (name, []))
        if number := place.number(resources, "ngpus", _MAX_GPUS):
            kind = _pbs_type(place, resources)
            if not is_other_maker(kind):
                gpus.append(StatedGpu(kind, "", number))
    for host, (name, gpus) in hosts.items():
        yield Entry(StatedMachine(merged(gpus)), 1, host, place.source, f"nodes.{name}")


def _pbs_type(place: Place, resources: Mapping[str, object]) -> str:
    """Return the GPU's type; the name of that resource is the site's own."""
    for key in resources:
        if re.search(r"gpu.*(type|model|name)|accel.*(type|model)", key.lower()):
            return place.text(resources, key)
    return ""


def lsf(rows: Iterable[tuple[str, str]], source: str) -> Iterator[Entry | FleetError]:
    """Read ``lshosts -gpu`` or ``bhosts -gpu``: a host's name stands on its first row only."""
    columns: list[str] = []
    hosts: dict[str, tuple[str, list[StatedGpu], set[str]]] = {}
    host = ""
    for where, line in rows:
        cells = line.split()
        if not cells:
            continue
        if not columns:
            columns = [_LSF.get(cell.upper(), cell) for cell in cells]
            continue
        if line[:1].isspace():
            cells = [host, *cells]
        host = cells[0]
        if "model" not in columns or len(cells) <= columns.index("model"):
            yield FleetError(source, where, "", repr(line), "a row of lshosts -gpu or bhosts -gpu")
            continue
        row = dict(zip(columns, cells, strict=False))
        _, gpus, drivers = hosts.setdefault(host, (where, [], set()))
        if row.get("vendor", "nvidia").lower() == "nvidia" and row["model"] != "-":
            gpus.append(StatedGpu(row["model"], "", 1))
            drivers.update({row.get("driver", "")} - {"", "-"})
    for name, (where, gpus, drivers) in hosts.items():
        machine = StatedMachine(merged(gpus), min(drivers, default=""))
        yield Entry(machine, 1, name, source, where)


_LSF: Final = {
    "HOST_NAME": "host", "MODEL": "model", "GPU_MODEL": "model", "GPU_DRIVER": "driver",
    "VENDOR": "vendor",
}  # fmt: skip
