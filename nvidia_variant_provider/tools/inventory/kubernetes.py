"""Nodes from ``kubectl get nodes -o json``: the labels of NVIDIA's GPU Feature Discovery.

A node has one set of labels, so GPUs of several capabilities in it are not described; what the
labels say of one counts for all. Label names: NVIDIA's gpu-feature-discovery documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from nvidia_variant_provider.tools.coverage.fleet import Record
from nvidia_variant_provider.tools.coverage.kinds import Facts
from nvidia_variant_provider.tools.inventory.fields import Place
from nvidia_variant_provider.tools.inventory.streams import elements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PREFIX: Final = "nvidia.com/"

# Node Feature Discovery marks nodes with an NVIDIA device on the PCI bus, driver or not; the
# number before the vendor is the device class: display controller, 3D controller.
_SEEN_ON_PCI: Final = tuple(
    f"feature.node.kubernetes.io/pci-{device}10de.present" for device in ("", "0300_", "0302_")
)
_PCI_ONLY: Final = "an NVIDIA device on PCI, but GPU Feature Discovery has labelled no driver"


def read(stream: BinaryIO, source: str) -> Iterator[Record]:
    """Yield one record a node."""
    for where, element in elements(stream, source, "items"):
        place = Place(source, where)
        node = place.mapping(element, "")
        metadata = place.mapping(node.get("metadata"), "metadata")
        labels = place.mapping(metadata.get("labels"), "metadata.labels")
        status = place.mapping(node.get("status"), "status")
        yield Record(_facts(place, labels, status), 1, place.text(metadata, "name"), source, where)


def _facts(place: Place, labels: Mapping[str, object], status: Mapping[str, object]) -> Facts:
    info = place.mapping(status.get("nodeInfo"), "status.nodeInfo")
    architecture = place.text(labels, "kubernetes.io/arch") or place.text(info, "architecture")
    system = place.text(labels, "kubernetes.io/os") or place.text(info, "operatingSystem")
    product = place.text(labels, f"{_PREFIX}gpu.product")
    capability = _pair(place, labels, "gpu.compute.major", "gpu.compute.minor")
    if product or capability:
        return Facts(
            devices=(product,) if product else (),
            capabilities=(capability,) if capability else (),
            driver=_driver(place, labels),
            cuda=_cuda(place, labels),
            architecture=architecture,
            system=system,
        )
    capacity = place.mapping(status.get("capacity"), "status.capacity")
    on_pci = any(place.text(labels, label) == "true" for label in _SEEN_ON_PCI)
    if not on_pci and place.text(capacity, f"{_PREFIX}gpu") in {"", "0"}:
        return Facts(architecture=architecture, system=system)
    return Facts(capabilities=("",), architecture=architecture, system=system, no_driver=_PCI_ONLY)


def _driver(place: Place, labels: Mapping[str, object]) -> str:
    full = place.text(labels, f"{_PREFIX}cuda.driver-version.full")
    if full:
        return full
    parts = [place.text(labels, f"{_PREFIX}cuda.driver.{part}") for part in _DRIVER_PARTS]
    return ".".join(part for part in parts if part)


def _cuda(place: Place, labels: Mapping[str, object]) -> str:
    full = place.text(labels, f"{_PREFIX}cuda.runtime-version.full")
    return full or _pair(place, labels, "cuda.runtime.major", "cuda.runtime.minor")


def _pair(place: Place, labels: Mapping[str, object], major: str, minor: str) -> str:
    first, second = (place.text(labels, _PREFIX + name) for name in (major, minor))
    return f"{first}.{second}" if first or second else ""


_DRIVER_PARTS: Final = ("major", "minor", "rev")
