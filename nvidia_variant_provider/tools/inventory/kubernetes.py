"""Kubernetes nodes: labels of GPU Feature Discovery, of clouds, and instance types, in this order.

Label names: NVIDIA/k8s-device-plugin (docs/gpu-feature-discovery), the documentation of GKE, EKS,
AKS and Karpenter, SkyPilot for CoreWeave. A capacity of ``nvidia.com/gpu`` proves that NVML works
on the node, so without Feature Discovery the driver is unknown there, and not missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.mig import gpus_of_instances
from nvidia_variant_provider.tables.names import nvml_name
from nvidia_variant_provider.tools.inventory.instances import gpus_of_instance
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.tools.inventory.fields import Place

_PREFIX: Final = "nvidia.com/"
_MAX_COUNT: Final = 100_000

# Node Feature Discovery marks nodes with an NVIDIA device on the PCI bus, driver or not; the
# number before the vendor is the device class: display controller, 3D controller.
_SEEN_ON_PCI: Final = (
    *(
        f"feature.node.kubernetes.io/pci-{device_class}10de.present"
        for device_class in ("", "0300_", "0302_")
    ),
    f"{_PREFIX}gpu.present",
    f"{_PREFIX}gpu.deploy.driver",
)
_PCI_ONLY: Final = "an NVIDIA device on PCI, but GPU Feature Discovery has labelled no driver"

# Labels that name a GPU; the second name holds how many.
_NAMED_BY: Final = (
    ("cloud.google.com/gke-accelerator", "cloud.google.com/gke-accelerator-count"),
    ("karpenter.k8s.aws/instance-gpu-name", "karpenter.k8s.aws/instance-gpu-count"),
    ("eks.amazonaws.com/instance-gpu-name", "eks.amazonaws.com/instance-gpu-count"),
    ("karpenter.azure.com/sku-gpu-name", "karpenter.azure.com/sku-gpu-count"),
    ("gpu.nvidia.com/class", "gpu.nvidia.com/count"),
    ("k8s.amazonaws.com/accelerator", ""),
)
_MAKERS: Final = (
    "karpenter.k8s.aws/instance-gpu-manufacturer",
    "eks.amazonaws.com/instance-gpu-manufacturer",
    "karpenter.azure.com/sku-gpu-manufacturer",
)
_AKASH: Final = re.compile(r"akash\.network/capabilities\.gpu\.vendor\.nvidia\.model\.([\w-]+)")
_INSTANCE: Final = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_PARTITION: Final = "cloud.google.com/gke-gpu-partition-size"
_MIG_PRODUCT: Final = re.compile(r".*-MIG-(\w[\w.+]*)$")


def node(place: Place, row: Mapping[str, object]) -> Entry:
    """Read one node."""
    metadata = place.mapping(row.get("metadata"), "metadata")
    labels = place.mapping(metadata.get("labels"), "metadata.labels")
    status = place.mapping(row.get("status"), "status")
    machine = _machine(place, labels, status)
    return Entry(machine, 1, place.text(metadata, "name"), *place)


def is_bare(entry: Entry) -> bool:
    """Whether nothing of a node speaks of a GPU, or of its kind: a slice may say more."""
    return not any(gpu.name or gpu.capability for gpu in entry.machine.gpus)


def _machine(
    place: Place, labels: Mapping[str, object], status: Mapping[str, object]
) -> StatedMachine:
    info = place.mapping(status.get("nodeInfo"), "status.nodeInfo")
    capacity = place.mapping(status.get("capacity"), "status.capacity")
    machine = StatedMachine(
        architecture=_first(place, labels, "kubernetes.io/arch", "beta.kubernetes.io/arch")
        or place.text(info, "architecture"),
        system=_first(place, labels, "kubernetes.io/os", "beta.kubernetes.io/os")
        or place.text(info, "operatingSystem"),
    )
    if place.text(labels, f"{_PREFIX}gpu.product") or _capability(place, labels):
        return _discovered(place, labels, capacity, machine)
    if named := _named(place, labels, capacity):
        return machine._replace(gpus=named)
    held = _held(place, capacity)
    instance = _first(place, labels, *_INSTANCE)
    if typed := gpus_of_instance(instance):
        return machine._replace(gpus=typed, assumed=(f"GPU: that of the machine type {instance}",))
    if held is not None or (family := place.text(labels, f"{_PREFIX}gpu.family")):
        family = place.text(labels, f"{_PREFIX}gpu.family")
        return machine._replace(gpus=(StatedGpu(family, "", held or None),))
    if any(place.text(labels, label) == "true" for label in _SEEN_ON_PCI):
        return machine._replace(gpus=(StatedGpu(),), no_driver=_PCI_ONLY)
    return machine


def _discovered(
    place: Place,
    labels: Mapping[str, object],
    capacity: Mapping[str, object],
    machine: StatedMachine,
) -> StatedMachine:
    """Return what GPU Feature Discovery says; in a node with two kinds of GPU it names one."""
    label = place.text(labels, f"{_PREFIX}gpu.product")
    number = place.number(labels, f"{_PREFIX}gpu.count", _MAX_COUNT)
    held = _held(place, capacity)
    replicas = place.number(labels, f"{_PREFIX}gpu.replicas", _MAX_COUNT) or 1
    slices = _MIG_PRODUCT.fullmatch(label)
    gpu = StatedGpu(nvml_name(label) if label else "", _capability(place, labels), number)
    if slices and number is not None:
        gpu = gpu._replace(number=gpus_of_instances(slices[1], number, label) if number else None)
    gpus: tuple[StatedGpu, ...] = (gpu,)
    assumed: tuple[str, ...] = ()
    if number and held is not None and held > number * replicas:
        gpus += (StatedGpu("", "", (held - number * replicas) // replicas or None),)
        assumed = ("GPUs of more than one kind: GPU Feature Discovery names one of them",)
    driver, cuda = _driver(place, labels), _cuda(place, labels)
    return machine._replace(gpus=gpus, driver=driver, cuda=cuda, assumed=assumed)


def _named(
    place: Place, labels: Mapping[str, object], capacity: Mapping[str, object]
) -> tuple[StatedGpu, ...]:
    """Return the GPU that a cloud's label names."""
    makers = [place.text(labels, maker).lower() for maker in _MAKERS]
    if any(maker and maker != "nvidia" for maker in makers):
        return ()
    held = _held(place, capacity)
    for label, count in _NAMED_BY:
        if name := place.text(labels, label):
            number = held if held is not None else place.number(labels, count, _MAX_COUNT)
            if held and (profile := place.text(labels, _PARTITION)):
                number = gpus_of_instances(profile, held, name)
            return (StatedGpu(name, "", number or None),)
    models = [match[1] for key in labels if (match := _AKASH.fullmatch(key))]
    return merged(StatedGpu(model, "", held if len(models) == 1 else None) for model in models)


def _held(place: Place, capacity: Mapping[str, object]) -> int | None:
    """Return how many GPUs a node offers, 0 if only parts of GPUs, ``None`` if none at all."""
    number = place.number(capacity, f"{_PREFIX}gpu", _MAX_COUNT)
    if number:
        return number
    parts = (f"{_PREFIX}gpu.shared", f"{_PREFIX}mig-")
    shared = any(key.startswith(parts) and value not in {"0", 0} for key, value in capacity.items())
    return 0 if shared else None


def _driver(place: Place, labels: Mapping[str, object]) -> str:
    full = place.text(labels, f"{_PREFIX}cuda.driver-version.full")
    if full:
        return full
    parts = [place.text(labels, f"{_PREFIX}cuda.driver.{part}") for part in _DRIVER_PARTS]
    return ".".join(part for part in parts if part)


def _cuda(place: Place, labels: Mapping[str, object]) -> str:
    full = place.text(labels, f"{_PREFIX}cuda.runtime-version.full")
    return full or _pair(place, labels, "cuda.runtime.major", "cuda.runtime.minor")


def _capability(place: Place, labels: Mapping[str, object]) -> str:
    return _pair(place, labels, "gpu.compute.major", "gpu.compute.minor")


def _pair(place: Place, labels: Mapping[str, object], major: str, minor: str) -> str:
    first, second = (place.text(labels, _PREFIX + name) for name in (major, minor))
    return f"{first}.{second}" if first or second else ""


def _first(place: Place, labels: Mapping[str, object], *names: str) -> str:
    return next(filter(None, (place.text(labels, name) for name in names)), "")


_DRIVER_PARTS: Final = ("major", "minor", "rev")


class Cluster:
    """Joins the nodes and the resource slices of one list: the slices say more of a node's GPUs.

    Nodes that say nothing of a GPU wait for their slices until the list ends, as many as
    ``MAX_WAITING``; others go on at once, so that a large cluster takes no memory.
    """

    MAX_WAITING: Final = 100_000

    def __init__(self) -> None:
        from nvidia_variant_provider.tools.inventory.resource_slices import Slices

        self.slices = Slices()
        self._waiting: dict[str, Entry] = {}

    def take(self, entry: Entry) -> Iterator[Entry]:
        """Take a node, and yield it if nothing more can be said of it."""
        if not is_bare(entry) or not entry.name or len(self._waiting) >= self.MAX_WAITING:
            yield entry
        else:
            self._waiting[entry.name] = entry

    def rest(self) -> Iterator[Entry]:
        """Yield the nodes that waited, and the machines that only slices speak of."""
        described = self.slices.machines()
        for name, entry in self._waiting.items():
            sliced = described.pop(name, None)
            if sliced is None:
                yield entry
            else:
                cpu, system = entry.machine.architecture, entry.machine.system
                machine = sliced.machine._replace(architecture=cpu, system=system)
                yield entry._replace(machine=machine)
        yield from described.values()
        self._waiting.clear()
