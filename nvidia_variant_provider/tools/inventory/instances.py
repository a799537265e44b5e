"""GPUs of clouds' machine types, and the lists of types and of machines that clouds print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.instance_types import instance_of
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.tools.inventory.fields import Place

MAX_GPUS: Final = 4096
_FRACTION: Final = "a fraction of a GPU, shared with other machines"


def gpus_of_instance(name: str) -> tuple[StatedGpu, ...]:
    """Return the NVIDIA GPUs of a machine type; nothing for a type that is not known."""
    instance = instance_of(name)
    if instance is None or not instance.gpu:
        return ()
    return (StatedGpu(instance.gpu, "", instance.count or None),)


def machine_of(name: str, architecture: str = "", system: str = "") -> StatedMachine:
    """Return the machine of a cloud's type; the GPU is what the table of types says."""
    instance = instance_of(name)
    gpus = gpus_of_instance(name)
    assumed: tuple[str, ...] = (f"GPU: that of the machine type {name}",) if gpus else ()
    if gpus and instance is not None and instance.count == 0:
        assumed += (_FRACTION,)
    cpu = architecture or (instance.architecture if instance else "")
    return StatedMachine(gpus, architecture=cpu, system=system, assumed=assumed)


def aws_type(place: Place, value: object) -> Entry:
    """Read an element of ``aws ec2 describe-instance-types``: a type, of which no machine is."""
    row = place.mapping(value, "")
    processor = place.mapping(row.get("ProcessorInfo"), "ProcessorInfo")
    cpus = place.sequence(processor.get("SupportedArchitectures"), "SupportedArchitectures")
    info = place.mapping(row.get("GpuInfo"), "GpuInfo")
    gpus = []
    for gpu in place.sequence(info.get("Gpus"), "GpuInfo.Gpus"):
        stated = place.mapping(gpu, "GpuInfo.Gpus")
        if place.text(stated, "Manufacturer").upper() == "NVIDIA":
            number = place.number(stated, "Count", MAX_GPUS)
            gpus.append(StatedGpu(place.text(stated, "Name"), "", number))
    architecture = next((cpu for cpu in cpus if isinstance(cpu, str)), "")
    machine = StatedMachine(merged(gpus), architecture=architecture)
    return Entry(machine, None, place.text(row, "InstanceType"), *place)


def aws_reservation(place: Place, value: object) -> Iterator[Entry]:
    """Read an element of ``Reservations`` of ``aws ec2 describe-instances``."""
    row = place.mapping(value, "")
    for element in place.sequence(row.get("Instances"), "Instances"):
        instance = place.mapping(element, "Instances")
        system = place.text(instance, "Platform") or "linux"
        kind, cpu = place.text(instance, "InstanceType"), place.text(instance, "Architecture")
        yield Entry(machine_of(kind, cpu, system), 1, place.text(instance, "InstanceId"), *place)


def azure_machine(place: Place, row: Mapping[str, object]) -> Entry:
    """Read an element of ``az vm list``."""
    hardware = place.mapping(row.get("hardwareProfile"), "hardwareProfile")
    storage = place.mapping(row.get("storageProfile"), "storageProfile")
    disk = place.mapping(storage.get("osDisk"), "storageProfile.osDisk")
    machine = machine_of(place.text(hardware, "vmSize"), "", place.text(disk, "osType").lower())
    return Entry(machine, 1, place.text(row, "name"), *place)


def google_machine(place: Place, row: Mapping[str, object]) -> Entry:
    """Read an element of ``gcloud compute instances list --format json``."""
    machine = machine_of(place.text(row, "machineType").rpartition("/")[2], "", "linux")
    attached = []
    for element in place.sequence(row.get("guestAccelerators"), "guestAccelerators"):
        accelerator = place.mapping(element, "guestAccelerators")
        name = place.text(accelerator, "acceleratorType").rpartition("/")[2]
        number = place.number(accelerator, "acceleratorCount", MAX_GPUS)
        if name.startswith("nvidia"):
            attached.append(StatedGpu(name.removesuffix("-vws"), "", number))
    if attached:
        machine = machine._replace(gpus=merged(attached), assumed=())
    return Entry(machine, 1, place.text(row, "name"), *place)
