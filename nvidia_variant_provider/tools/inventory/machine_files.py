"""Machine files (``detect --json``), records (``detect --record``) and a site's Ansible facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import machine_file
from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.inventory.fields import Place

_KEYS: Final = frozenset({"gpus", "cuda_driver_version", "driver_release", "platform"})
_RECORD: Final = "observed"
_MAX_DEPTH: Final = 20
_GPU_KEYS: Final = frozenset({"driver_version", "compute_cap", "compute_capability"})


def is_machine(row: Mapping[str, object]) -> bool:
    """Whether a document is a machine file or a record of one."""
    return bool(_KEYS & row.keys()) or _RECORD in row


def entry(place: Place, row: Mapping[str, object]) -> Entry:
    """Read one machine file or record."""
    try:
        machine = _replayed(row) if _RECORD in row else machine_file.load(dict(row))
    except InvalidValueError as error:
        raise FleetError(*place, "", "something else", f"a machine file: {error}") from error
    name = f"{place.source} {place.where}".strip()
    return Entry(stated(machine), 1, name, *place)


def _replayed(row: Mapping[str, object]) -> Machine:
    from nvidia_variant_provider.detect.cascade import detect
    from nvidia_variant_provider.detect.replay import ReplayHost

    return detect(ReplayHost(row[_RECORD])).machine


def stated(machine: Machine) -> StatedMachine:
    """Return what a machine that was detected or described says."""
    no_driver = ""
    if machine.cuda is None and (machine.gpus or machine.status is Status.GPU_NO_DRIVER):
        no_driver = machine.reason or f"status {machine.status.value}"
    gpus = merged(StatedGpu(gpu.name, str(gpu.capability or ""), 1) for gpu in machine.gpus)
    return StatedMachine(
        gpus or ((StatedGpu(),) if no_driver else ()),
        str(machine.driver_release or ""),
        str(machine.cuda or ""),
        machine.platform.architecture,
        machine.platform.system,
        no_driver,
    )


def ansible(place: Place, facts: Mapping[str, object]) -> Entry:
    """Read the facts of a host: GPUs stand in what the site adds under ``ansible_local``.

    Ansible itself knows no GPUs, so facts without them are refused.
    """
    local = list(_gpus(facts.get("ansible_local"), _MAX_DEPTH))
    if not local:
        expected = "GPUs: ansible -m shell -a 'nvidia-smi --query-gpu=... --format=csv'"
        raise FleetError(*place, "", "Ansible facts, which name no GPU", expected)
    gpus = merged(
        StatedGpu(
            place.text(gpu, "name"),
            place.text(gpu, "compute_cap") or place.text(gpu, "compute_capability"),
            1,
        )
        for gpu in local
    )
    driver = next(filter(None, (place.text(gpu, "driver_version") for gpu in local)), "")
    architecture = place.text(facts, "ansible_architecture")
    system = place.text(facts, "ansible_system").lower()
    machine = StatedMachine(gpus, driver, "", architecture, system)
    return Entry(machine, 1, place.text(facts, "ansible_hostname"), *place)


def _gpus(value: object, depth: int) -> Iterator[Mapping[str, object]]:
    if depth and isinstance(value, dict):
        if "name" in value and _GPU_KEYS & value.keys():
            yield value
        else:
            for inner in value.values():
                yield from _gpus(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value:
            yield from _gpus(inner, depth - 1)
