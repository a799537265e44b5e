"""Says in words why a variant was chosen, from the verdicts of the rules themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import SmArch
from nvidia_variant_provider.rules import decide, judge
from nvidia_variant_provider.rules.catalogue import SM_ARCH
from nvidia_variant_provider.tools.demo.releases import PRIORITY, PRIORITY_FEATURE
from nvidia_variant_provider.tools.metadata.ordering import Preferences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.metadata.model import Variant, VariantMetadata
    from nvidia_variant_provider.tools.metadata.ordering import Unmet


def reason(
    machine: Machine,
    metadata: VariantMetadata,
    variants: Mapping[str, Variant],
    chosen: str,
    *,
    uv_choice: str | None,
) -> str:
    """Explain a choice: what refused the builds the package prefers, then what decided.

    ``variants`` are those with a wheel for the machine's platform.
    """
    decision = decide(machine)
    if not decision.features:
        return "; ".join(note.text for note in decision.notes)
    preferences = metadata.preferences({"nvidia": decision.features})
    parts = [
        _refusals(machine, preferences, variants, chosen),
        _merit(machine, preferences, variants, chosen, uv_choice),
    ]
    return "; ".join(part for part in parts if part)


def _refusals(
    machine: Machine, preferences: Preferences, variants: Mapping[str, Variant], chosen: str
) -> str:
    """Name the builds that the package prefers to the chosen one and the machine cannot run."""
    wished = sorted(variants, key=lambda label: _wish(variants[label]))
    refused: dict[str, list[str]] = {}
    for label in wished[: wished.index(chosen)]:
        for unmet in preferences.unmet(variants[label])[:1]:
            refused.setdefault(_refusal(machine, unmet), []).append(label)
    return "; ".join(f"{' and '.join(labels)}: {why}" for why, labels in refused.items())


def _merit(
    machine: Machine,
    preferences: Preferences,
    variants: Mapping[str, Variant],
    chosen: str,
    uv_choice: str | None,
) -> str:
    """Name the property that lets the chosen build run, and what put it before the next one."""
    if not variants[chosen]:
        return f"only {chosen}, the CPU build, is left"
    words = f"{chosen}: {_coverage(machine, variants[chosen])}"
    rest = [label for label in preferences.order(variants) if label != chosen and variants[label]]
    if uv_choice is not None and uv_choice in rest:
        return f"{words}; {uv_choice}: {_coverage(machine, variants[uv_choice])}"
    if rest:
        deciding = preferences.deciding(variants[chosen], variants[rest[0]])
        if deciding is not None and deciding.namespace == PRIORITY:
            words += f"; before {rest[0]} by the package's own priority"
    return words


def _coverage(machine: Machine, variant: Variant) -> str:
    """Say which of a build's device code serves which GPU."""
    if len(machine.capabilities) == 1:
        value = _best_arch(machine, variant)
        return judge(machine, SM_ARCH, value).reason if value else "no device code for this GPU"
    served = []
    for gpu in machine.gpus:
        value = _best_arch(replace(machine, gpus=(gpu,)), variant)
        served.append(f"{value or 'nothing'} for {gpu.name} ({gpu.capability})")
    return ", ".join(served)


def _best_arch(machine: Machine, variant: Variant) -> str | None:
    preferences = Preferences.build(("nvidia",), {"nvidia": decide(machine).features})
    places = preferences.places({"nvidia": variant.get("nvidia", {})})
    return next((place.value for place in places if place.feature == SM_ARCH), None)


def _refusal(machine: Machine, unmet: Unmet) -> str:
    return judge(machine, unmet.feature, _nearest(machine, unmet)).reason


def _nearest(machine: Machine, unmet: Unmet) -> str:
    """Pick the value that comes closest to the machine's strongest GPU."""
    if unmet.feature != SM_ARCH or not machine.capabilities:
        return unmet.values[0]
    wanted = machine.capabilities[-1].number
    return min(unmet.values, key=lambda value: (abs(_number(value) - wanted), value))


def _number(value: str) -> int:
    try:
        return SmArch.parse(value).capability.number
    except InvalidValueError:
        return 0


def _wish(variant: Variant) -> float:
    orders = variant.get(PRIORITY, {}).get(PRIORITY_FEATURE, ())
    return min((int(order) for order in orders), default=float("inf"))
