"""Which GPUs of a machine count: the chosen ones, and not one that is there for the screen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Note
from nvidia_variant_provider.tables.memory import DISPLAY_GPU_MIB, DISPLAY_GPU_SHARE, VGPU_PROFILE
from nvidia_variant_provider.value_types import replace

if TYPE_CHECKING:
    from nvidia_variant_provider.model import ComputeCapability, Gpu, Machine

ALL: Final = "all"
# A slice of a GPU is small on purpose, and so is a profile of a vGPU.
_MIG_SLICE: Final = r".*\bMIG\b.*"


def narrow(machine: Machine, choice: str) -> Machine:
    """Keep the GPUs that ``choice`` means: ``highest``, ``lowest``, an index, a UUID or its start.

    An index counts in the machine's order, from 0; ``all`` keeps each. What was chosen counts,
    however small. Raises ``InvalidValueError`` if the GPUs are known and none is meant. Where the
    machine did not tell what the choice goes by, all GPUs stay and a note says so: a machine's
    condition is never an error.
    """
    if not choice or not machine.gpus:
        return machine
    kept = machine.gpus if choice == ALL else _chosen(machine, choice)
    if kept:
        return replace(machine, gpus=kept, every_gpu=True)
    if _can_tell(machine, choice):
        raise InvalidValueError(f"one of the GPUs of this machine: {_listing(machine)}")
    note = Note("gpu-choice-unused", f"the choice of GPU {choice!r} could not be applied")
    return replace(machine, notes=(*machine.notes, note))


def without_display_gpus(machine: Machine) -> tuple[Machine, Note | None]:
    """Leave out the GPUs too small to compute on beside the largest one, and say which.

    A GPU whose memory is not known counts, and so does a slice of one (MIG, vGPU).
    """
    largest = max((gpu.memory or 0 for gpu in machine.gpus), default=0)
    small = [gpu for gpu in machine.gpus if _is_for_display(gpu, largest)]
    if machine.every_gpu or not small:
        return machine, None
    kept = tuple(gpu for gpu in machine.gpus if gpu not in small)
    shown = ", ".join(
        f"{gpu.name or 'a GPU'} ({gpu.capability}, {gpu.memory} MiB)" for gpu in small
    )
    text = (
        f"{shown}: too small beside {largest} MiB, does not count; "
        "NV_VARIANT_PROVIDER_GPU=all counts every GPU"
    )
    return replace(machine, gpus=kept), Note("display-gpu", text)


def _is_for_display(gpu: Gpu, largest: int) -> bool:
    if gpu.memory is None or gpu.memory > DISPLAY_GPU_MIB:
        return False
    names = (_MIG_SLICE, VGPU_PROFILE)
    is_slice = gpu.uuid.startswith("MIG-") or any(
        re.fullmatch(pattern, gpu.name) for pattern in names
    )
    return gpu.memory * DISPLAY_GPU_SHARE < largest and not is_slice


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
