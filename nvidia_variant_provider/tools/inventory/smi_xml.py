"""``nvidia-smi -q -x``: the driver, the CUDA driver version and the GPUs of one machine."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from nvidia_variant_provider.errors import FleetError
from nvidia_variant_provider.tools.inventory.machine import StatedGpu, StatedMachine, merged
from nvidia_variant_provider.tools.inventory.smi import capability_of_pci

MAX_BYTES: Final = 8 << 20


def parse(text: str, source: str) -> StatedMachine:
    """Read the document; the DTD that it names is not loaded, and entities are refused."""
    if "<!ENTITY" in text:
        raise FleetError(source, "", "", "an entity", "what nvidia-smi -q -x prints")
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities are refused above, DTDs not loaded
    except (ET.ParseError, RecursionError) as error:
        raise FleetError(source, "", "", str(error), "what nvidia-smi -q -x prints") from error
    if root.tag != "nvidia_smi_log":
        raise FleetError(source, "", "", f"<{root.tag[:40]}>", "<nvidia_smi_log>")
    gpus = merged(
        StatedGpu(
            gpu.findtext("product_name", "").strip(),
            capability_of_pci(gpu.findtext("pci/pci_device_id", "")),
            1,
        )
        for gpu in root.iter("gpu")
    )
    cuda = root.findtext("cuda_version", "").strip()
    driver = root.findtext("driver_version", "").strip()
    return StatedMachine(gpus, driver, cuda if cuda[:1].isdigit() else "")
