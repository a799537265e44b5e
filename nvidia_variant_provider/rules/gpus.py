"""Narrow a machine to the GPUs the user chose with ``NV_VARIANT_PROVIDER_GPU``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Note
from nvidia_variant_provider.value_types import replace

if TYPE_CHECKING:
    from nvidia_variant_provider.model import ComputeCapability, Gpu, Machine


def narrow(machine: Machine, choice: str) -> Machine:
    """Keep the GPUs that ``choice`` means: ``highest``, ``lowest``, an index, a UUID or its start.

    An index counts in the machine's order, from 0. Raises ``InvalidValueError`` if the GPUs are
    known and none is meant. Where the machine did not tell what the choice goes by, all GPUs stay
    and a note says so: a machine's condition is never an error.
    """
    if not choice or not machine.gpus:
        return machine
    kept = _chosen(machine, choice)
    if kept:
        return replace(machine, gpus=kept)
    if _can_tell(machine, choice):
        raise InvalidValueError(f"one of the GPUs of this machine: {_listing(machine)}")
    note = Note("gpu-choice-unused", f"the choice of GPU {choice!r} could not be applied")
    return replace(machine, notes=(*machine.notes, note))


def _chosen(machine: Machine, choice: str) -> tuple[Gpu, ...]:
    if choice in {"highest", "lowest"}:
        return _extreme(machine, highest=choice == "highest")
    if choice.isdecimal():
        index = int(choice)
        return machine.gpus[index : index + 1]
    wanted = choice.lower()
    return tuple(gpu for gpu in machine.gpus if gpu.uuid and gpu.uuid.lower().startswith(wanted))


def _extreme(machine: Machine, *, highest: bool) -> tuple[Gpu, ...]:
    known = machine.capabilities
    if not known:
        return ()
    wanted: ComputeCapability = known[-1] if highest else known[0]
    return tuple(gpu for gpu in machine.gpus if gpu.capability == wanted)


def _can_tell(machine: Machine, choice: str) -> bool:
    if choice in {"highest", "lowest"}:
        return False
    return choice.isdecimal() or all(gpu.uuid for gpu in machine.gpus)


def _listing(machine: Machine) -> str:
    return ", ".join(
        f"{index}" + (f" ({gpu.uuid})" if gpu.uuid else "")
        for index, gpu in enumerate(machine.gpus)
    )
