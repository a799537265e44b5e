"""Metrics of NVIDIA's DCGM exporter, as it serves them, and as Prometheus answers a query.

Labels: NVIDIA/dcgm-exporter; ``Hostname`` became ``hostname`` in 2026-05. A GPU has many samples,
and pods split them, so distinct UUIDs are counted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SAMPLE: Final = re.compile(r"(DCGM_\w+)\{(.*)\}\s+\S+(\s+\d+)?\s*")
_LABEL: Final = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')
_HOST: Final = (
    "hostname",
    "Hostname",
    "exported_hostname",
    "exported_Hostname",
    "node",
    "instance",
)
_EXPECTED: Final = "samples of the DCGM exporter with modelName and UUID"


class Samples:
    """What the samples say of each host."""

    def __init__(self) -> None:
        self._hosts: dict[str, tuple[Place, dict[str, str], set[str]]] = {}

    def take(self, place: Place, labels: Mapping[str, str]) -> None:
        """Add one sample; those without a model are of something else."""
        name, key = labels.get("modelName", ""), labels.get("UUID") or labels.get("gpu", "")
        if not name or not key:
            return
        host = next((labels[label] for label in _HOST if labels.get(label)), "")
        _, gpus, drivers = self._hosts.setdefault(host, (place, {}, set()))
        gpus.setdefault(key, name)
        if driver := labels.get("DCGM_FI_DRIVER_VERSION"):
            drivers.add(driver)

    def entries(self) -> Iterator[Entry]:
        """Yield a machine for every host."""
        for host, (place, gpus, drivers) in self._hosts.items():
            stated = merged(StatedGpu(name, "", 1) for name in gpus.values())
            yield Entry(StatedMachine(stated, min(drivers, default="")), 1, host, *place)


def exporter(rows: Iterable[tuple[str, str]], source: str) -> Iterator[Entry]:
    """Read the text that the exporter serves under ``/metrics``."""
    samples = Samples()
    for where, line in rows:
        if match := SAMPLE.fullmatch(line):
            samples.take(Place(source, where), dict(_LABEL.findall(match[2])))
    yield from _some(samples, source)


def prometheus(place: Place, document: Mapping[str, object]) -> Iterator[Entry]:
    """Read an answer of Prometheus's ``/api/v1/query``: a vector or a matrix of samples."""
    if document.get("status") != "success":
        place.fail("status", document.get("status"), "success")
    samples = Samples()
    data = place.mapping(document.get("data"), "data")
    for index, element in enumerate(place.sequence(data.get("result"), "data.result")):
        where = Place(place.source, f"data.result[{index}]")
        metric = where.mapping(where.mapping(element, "").get("metric"), "metric")
        samples.take(where, {key: where.text(metric, key) for key in metric})
    yield from _some(samples, place.source)


def _some(samples: Samples, source: str) -> Iterator[Entry]:
    entries = list(samples.entries())
    if not entries:
        raise FleetError(source, "", "", "no sample of a GPU", _EXPECTED)
    yield from entries
