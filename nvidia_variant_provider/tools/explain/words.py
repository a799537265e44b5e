"""Verdicts of the rules in the words of a user who asks why a build is not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import SmArch
from nvidia_variant_provider.rules import decide, judge
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH, UPPER_BOUND
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE
from nvidia_variant_provider.value_types import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.model import Gpu, Machine
    from nvidia_variant_provider.rules import Decision
    from nvidia_variant_provider.tools.metadata.ordering import Place, Unmet


def say_unmet(
    unmet: Unmet, machine: Machine, rules: int, decision: Decision, unanswered: str
) -> str:
    """Say why a feature is not supported.

    ``decision`` is that of the rule set; ``unanswered`` is why nobody answers for the feature's
    namespace, empty if somebody does.
    """
    if unanswered:
        return f"{unmet.namespace}: {unanswered}"
    if unmet.namespace != NVIDIA_NAMESPACE:
        return f"{unmet.namespace} :: {unmet.feature}: has {' '.join(unmet.values)}, not supported"
    if not decision.features:
        return "; ".join(note.text for note in decision.notes) or machine.reason
    if unmet.feature == SM_ARCH:
        return _say_archs(unmet.values, machine, decision.values(SM_ARCH), rules)
    reason = judge(machine, unmet.feature, nearest_value(unmet)).reason
    if unmet.feature not in {LOWER_BOUND, UPPER_BOUND} or reason.endswith(")"):
        return reason
    return f"{reason}{_driver(machine)}"


def nearest_value(unmet: Unmet) -> str:
    """Return the value to name: of bounds, which are alternatives, the one missed most closely."""
    if unmet.feature not in {LOWER_BOUND, UPPER_BOUND}:
        return unmet.values[0]
    return sorted(unmet.values, key=_version, reverse=unmet.feature == UPPER_BOUND)[0]


def parse_arch(value: str) -> SmArch | None:
    """Read an SM architecture; ``None`` for a value that is none, which no GPU supports."""
    try:
        return SmArch.parse(value)
    except InvalidValueError:
        return None


def say_archs(values: Iterable[str]) -> str:
    """Say what device code a wheel states: ``75 80 90 and PTX 120``."""
    real: list[SmArch] = []
    virtual: list[SmArch] = []
    odd: list[str] = []
    for value in values:
        arch = parse_arch(value)
        if arch is None:
            odd.append(value)
        else:
            (virtual if arch.virtual else real).append(arch)
    parts = [" ".join(arch.target for arch in sorted(real))] if real else []
    if virtual:
        parts.append("PTX " + " ".join(arch.target for arch in sorted(virtual)))
    return " and ".join([*parts, *odd])


def say_coverage(values: Sequence[str], machine: Machine) -> list[tuple[str, str | None]]:
    """Return each distinct GPU of a machine with the best of the values that runs on it."""
    best_values = {}
    for gpu in machine.gpus:
        if gpu.capability is None:
            continue
        best = decide(replace(machine, gpus=(gpu,))).values(SM_ARCH)
        best_values[name_of(gpu)] = next((value for value in best if value in values), None)
    return list(best_values.items())


def name_of(gpu: Gpu) -> str:
    """Name a GPU by product and compute capability: ``NVIDIA H100 (9.0)``."""
    return f"{gpu.name} ({gpu.capability})" if gpu.name else str(gpu.capability)


def say_place(place: Place, loser: Sequence[str]) -> str:
    """Say which property put a variant behind the one before it."""
    what = f"{place.namespace} :: {place.feature}"
    behind = f" before {' '.join(loser)}" if loser else ", which this one does not state"
    return f"{what}: {place.value}{behind}"


def _say_archs(values: Sequence[str], machine: Machine, offered: Sequence[str], rules: int) -> str:
    has = f"sm_arch: has {say_archs(values)}"
    if not machine.capabilities:
        return f"{has}, the GPU's capability is not known"
    shown = ", ".join(map(str, machine.capabilities))
    gpus = f"this GPU is {shown}" if len(machine.capabilities) == 1 else f"the GPUs are {shown}"
    if rules == 0 and any(judge(machine, SM_ARCH, value).supported for value in values):
        # The code would run: it is the older rules that do not know it.
        takes = f"{offered[0]} to {offered[-1]}" if offered else "none"
        return f"{has}, {gpus} and rule set 0 takes only {takes}"
    tegra = [judge(machine, SM_ARCH, value) for value in values if _same_major(value, machine)]
    if len(machine.capabilities) == 1 and tegra and machine.tegra:
        return f"{has}, {tegra[0].reason}"
    return f"{has}, {gpus}"


def _same_major(value: str, machine: Machine) -> bool:
    arch, newest = parse_arch(value), machine.capabilities[-1]
    if arch is None:
        return False
    return arch.capability.major == newest.major and arch.capability <= newest


def _driver(machine: Machine) -> str:
    if machine.driver_release:
        return f" (driver release {machine.driver_release})"
    source, _, words = machine.cuda_source.partition(", ")
    return f" ({words})" if source == "target" and words.startswith("driver") else ""


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())
