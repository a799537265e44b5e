"""Which advice of the table fits a cause on this machine; loaded only when a person asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.remedies import ANY, CONTAINER, HOST, TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.detect.surroundings import Surroundings
    from nvidia_variant_provider.model import Machine, Note

CAUSES: Final = frozenset(row.cause for row in TABLE)
# Where a fact is not known, what a person has to fill in.
_BLANKS: Final = {
    "address": "ADDRESS", "branch": "BRANCH", "file": "the library", "folder": "FOLDER",
    "group": "GROUP", "index": "INDEX", "kernel": "KERNEL", "loaded": "of the old release",
    "release": "see nvidia-smi", "target": "NAME@DRIVER", "unit": "UNIT",
}  # fmt: skip
# A container has no kernel of its own: what loads, binds or resets is done where it runs.
_OF_THE_HOST: Final = frozenset({
    "adapter-does-not-start", "confidential-not-ready", "cuda-not-ready", "driver-incomplete",
    "driver-installed-not-loaded", "driver-not-installed", "external-gpu-lost", "fabric-failed",
    "fabric-needs-subnet-manager", "gpu-computing-prohibited", "gpu-did-not-wake", "gpu-exclusive",
    "gpu-left-behind", "gpu-lost", "gpu-needs-reset", "gpu-newer-than-driver", "gpu-passed-through",
    "held-by-nouveau", "held-by-nova", "interrupts-missing", "memory-rows-failed",
    "memory-rows-pending", "module-closed-on-new-gpu", "module-open-on-old-gpu",
    "power-cable", "uvm-memory-management", "vgpu-licence",
})  # fmt: skip
_FAMILIES: Final = {
    "rhel": "fedora", "fedora": "fedora", "centos": "fedora", "suse": "suse", "opensuse": "suse",
    "sles": "suse", "arch": "arch", "nixos": "nixos", "ubuntu": "ubuntu", "debian": "debian",
}  # fmt: skip


def places(machine: Machine, around: Surroundings) -> tuple[str, ...]:
    """Return the platforms that a machine belongs to, the most specific first."""
    if machine.platform.system == "win32":
        return ("windows", HOST, ANY)
    platforms = ["slurm"] if around.slurm_job else []
    if around.container:
        platforms += ["jetson-container"] if machine.tegra else []
        return (*platforms, around.container, CONTAINER, ANY)
    platforms += ["unit"] if around.unit else []
    platforms += ["wsl"] if around.wsl else []
    families = [_FAMILIES[name] for name in around.distribution if name in _FAMILIES]
    return (*platforms, *dict.fromkeys(families), HOST, ANY)


def advise(note: Note, machine: Machine, around: Surroundings) -> str:
    """Return what to do first about a cause; empty for a note that is no cause.

    Of the rows for the machine's platforms the most specific wins, and one that nobody tried
    stands behind every other.
    """
    here = places(machine, around)
    rows = [row for row in TABLE if row.cause == note.code and row.place in here]
    if not rows:
        return ""
    order = {place: index for index, place in enumerate(here)}
    best = min(rows, key=lambda row: (row.grade == "u", order.get(row.place, len(order))))
    elsewhere = around.container and best.place == ANY and note.code in _OF_THE_HOST
    return f"{'on the host: ' if elsewhere else ''}{_filled(best.advice, dict(note.facts))}"


def _filled(advice: str, facts: Mapping[str, str]) -> str:
    return advice.format_map({**_BLANKS, **facts})
