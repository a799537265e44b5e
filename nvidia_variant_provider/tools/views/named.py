"""The machine of a view that is kept or served, by the name in its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nvidia_variant_provider.model import Machine, Platform, Status
from nvidia_variant_provider.targets.target import parse_target

CPU: Final = "cpu"


@dataclass(frozen=True, slots=True)
class NamedMachine:
    """A machine by name, and the CPU architectures that such machines have: ``x86_64``.

    Without any every architecture is one of theirs.
    """

    machine: Machine
    architectures: tuple[str, ...]


def machine_named(name: str) -> NamedMachine:
    """Return the machine of ``gh200@580``; raises ``InvalidValueError`` for a name of none.

    ``cpu`` is a machine without a GPU. No variable of the environment counts: the address stands
    for the same machine on every server.
    """
    if name == CPU:
        platform = Platform("linux", "x86_64", "glibc")
        return NamedMachine(Machine(platform, Status.NONE, "no GPU"), ())
    target = parse_target(name)
    return NamedMachine(target.machine(), target.architectures)
