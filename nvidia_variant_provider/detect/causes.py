"""The cause of a machine's condition as a note: its code, and the facts that an advice needs.

What to do about it is in ``remedies.py``, which nothing that an installer loads imports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import Note
from nvidia_variant_provider.tables.status_codes import CUDA, NVML, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.detect.kernel import PciGpu

# Drivers that hold a GPU instead of NVIDIA's own.
HOLDERS: Final = {
    "nouveau": "held-by-nouveau",
    "NovaCore": "held-by-nova",
    "nova_core": "held-by-nova",
    "nova-core": "held-by-nova",
    "vfio-pci": "gpu-passed-through",
    "pci-stub": "gpu-passed-through",
}


def cause(code: str, **facts: object) -> Note:
    """Return the note of a cause; its text is the facts: ``release 580.65.06, group video``."""
    known = tuple((name, str(value)) for name, value in facts.items() if value)
    return Note(code, ", ".join(f"{name} {value}" for name, value in known), known)


def holders(gpus: tuple[PciGpu, ...]) -> tuple[Note, ...]:
    """Return who holds GPUs that NVIDIA's driver could serve, each cause once."""
    held = {HOLDERS[gpu.driver]: gpu.address for gpu in gpus if gpu.driver in HOLDERS}
    return tuple(cause(code, address=address) for code, address in held.items())


def cuda_cause(code: int) -> tuple[Note, ...]:
    """Return what a refusal of ``cuInit`` comes from, where the GPUs answer NVML."""
    return _coded(CUDA, code)


def device_cause(code: int) -> tuple[Note, ...]:
    """Return what the silence of one GPU comes from."""
    return _coded(NVML, code)


def windows_cause(problem: int) -> tuple[Note, ...]:
    """Return why Windows does not start a GPU."""
    return _coded(WINDOWS, problem)


def _coded(table: Mapping[int, tuple[str, str, str]], code: int) -> tuple[Note, ...]:
    _, _, named = table.get(code, ("", "", ""))
    return (cause(named, number=code),) if named else ()
