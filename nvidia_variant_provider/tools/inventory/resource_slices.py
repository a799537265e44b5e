"""ResourceSlices of NVIDIA's DRA driver: product, capability, driver and CUDA of every GPU.

Attributes: kubernetes-sigs/dra-driver-nvidia-gpu, deviceinfo.go; the API versions v1alpha3 to v1
differ in where they stand. Versions are semantic there, so that 570.124.06 is ``570.124.6``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine, merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.tools.inventory.fields import Place

DRIVER: Final = "gpu.nvidia.com"
_VFIO: Final = "its GPUs are bound to vfio-pci: virtual machines get them"
_MAX_GENERATION: Final = 2**63


class _Device(NamedTuple):
    key: str
    name: str
    capability: str
    driver: str
    cuda: str
    passed_on: bool


class _Pool:
    """The devices of a pool, which may span several slices; a newer generation replaces them."""

    __slots__ = ("devices", "generation", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.generation = -1
        self.devices: dict[str, _Device] = {}


class Slices:
    """The slices of a cluster, joined by node."""

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, _Pool]] = {}

    def take(self, place: Place, row: Mapping[str, object]) -> None:
        """Add one slice; those of other drivers and of compute domains hold no GPUs of ours."""
        spec = place.mapping(row.get("spec"), "spec")
        if place.text(spec, "driver") != DRIVER:
            return
        stated = place.mapping(spec.get("pool"), "spec.pool")
        pool_name = place.text(stated, "name")
        node = place.text(spec, "nodeName") or pool_name
        if not node:
            place.fail("spec.nodeName", None, "the name of a node")
        pool = self._nodes.setdefault(node, {}).setdefault(pool_name, _Pool(place))
        generation = place.number(stated, "generation", _MAX_GENERATION) or 0
        if generation < pool.generation:
            return
        if generation > pool.generation:
            pool.generation, pool.devices = generation, {}
        for element in place.sequence(spec.get("devices"), "spec.devices"):
            device = _device(place, place.mapping(element, "spec.devices"))
            if device is not None:
                # A MIG device counts as its parent, which may be listed as well.
                pool.devices.setdefault(device.key, device)

    def machines(self) -> dict[str, Entry]:
        """Return a machine for every node, with its GPUs counted once."""
        return {node: _entry(node, pools) for node, pools in self._nodes.items()}


def _entry(node: str, pools: Mapping[str, _Pool]) -> Entry:
    devices = [device for pool in pools.values() for device in pool.devices.values()]
    gpus = merged(StatedGpu(device.name, device.capability, 1) for device in devices)
    usable = [device for device in devices if not device.passed_on]
    driver = next((device.driver for device in usable if device.driver), "")
    cuda = next((device.cuda for device in usable if device.cuda), "")
    machine = StatedMachine(gpus, driver, cuda, no_driver=_VFIO if gpus and not usable else "")
    return Entry(machine, 1, node, *next(iter(pools.values())).place)


def _device(place: Place, row: Mapping[str, object]) -> _Device | None:
    basic = place.mapping(row.get("basic"), "basic")
    attributes = place.mapping(row.get("attributes") or basic.get("attributes"), "attributes")
    kind = _attribute(place, attributes, "type")
    if kind not in {"gpu", "mig", "vfio"}:
        return None
    own = _attribute(place, attributes, "uuid") or place.text(row, "name")
    return _Device(
        _attribute(place, attributes, "parentUUID") or own,
        _attribute(place, attributes, "productName"),
        ".".join(_attribute(place, attributes, "cudaComputeCapability").split(".")[:2]),
        _release(_attribute(place, attributes, "driverVersion")),
        ".".join(_attribute(place, attributes, "cudaDriverVersion").split(".")[:2]),
        kind == "vfio",
    )


def _attribute(place: Place, attributes: Mapping[str, object], name: str) -> str:
    value = place.mapping(attributes.get(name), name)
    return place.text(value, "string") or place.text(value, "version")


def _release(version: str) -> str:
    """Return a driver release with the zeros that a semantic version drops."""
    first, *others = version.split(".")
    if others[1:] == ["0"]:
        others.pop()
    return ".".join([first, *(part.zfill(2) for part in others)])
