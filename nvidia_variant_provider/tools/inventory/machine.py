"""What a source states of machines, as text: the values that every reader yields.

Nothing is worked out here: a capability that follows from a name and a driver that is assumed are
the matter of ``resolve``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class StatedGpu(NamedTuple):
    """GPUs of one kind in a machine: name, compute capability, how many; empty where not stated.

    ``number`` is ``None`` where the source does not tell. A GPU of which nothing is stated but
    that it is there has neither name nor capability.
    """

    name: str = ""
    capability: str = ""
    number: int | None = None


class StatedMachine(NamedTuple):
    """What a source says of a machine, as text; empty where it says nothing.

    ``no_driver`` says why the machine is known to have no usable driver, which differs from a
    source that does not speak of drivers. ``assumed`` has a sentence for every guess of the reader.
    """

    gpus: tuple[StatedGpu, ...] = ()
    driver: str = ""
    cuda: str = ""
    architecture: str = ""
    system: str = ""
    no_driver: str = ""
    assumed: tuple[str, ...] = ()


class Entry(NamedTuple):
    """One entry of an inventory: a machine, how many there are of it, and where that stands.

    ``machines`` is ``None`` in a list of types, which tells of no machines: ``g5.xlarge``.
    """

    machine: StatedMachine
    machines: int | None
    name: str
    source: str
    where: str


def merged(gpus: Iterable[StatedGpu]) -> tuple[StatedGpu, ...]:
    """Return GPUs with those of one kind counted together, in the order of their first."""
    kinds: dict[tuple[str, str], int | None] = {}
    for gpu in gpus:
        key = (gpu.name, gpu.capability)
        known = kinds.get(key, 0)
        kinds[key] = None if gpu.number is None or known is None else known + gpu.number
    return tuple(
        StatedGpu(name, capability, number) for (name, capability), number in kinds.items()
    )
