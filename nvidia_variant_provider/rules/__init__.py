"""From a machine to its ordered features, and from one property to a verdict with its reason.

Pure functions over values: nothing here reads a file, an environment variable or a clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.rules import version1
from nvidia_variant_provider.rules.catalogue import (
    LOWER_BOUND,
    SM_ARCH,
    UPPER_BOUND,
    bound_values,
    sm_archs,
)
from nvidia_variant_provider.rules.verdict import Decision, Feature, Verdict

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine

__all__ = [
    "DEFAULT_RULES",
    "RULE_SETS",
    "Decision",
    "Feature",
    "Verdict",
    "catalogue",
    "decide",
    "judge",
]

RULE_SETS: Final = (0, 1)
DEFAULT_RULES: Final = 1


def decide(machine: Machine, rule_set: int = DEFAULT_RULES) -> Decision:
    """Return the features a machine supports under a rule set, the most preferred first."""
    if rule_set == 0:
        from nvidia_variant_provider.rules import version0

        return version0.decide(machine)
    return version1.decide(machine)


def judge(machine: Machine, feature: str, value: str, rule_set: int = DEFAULT_RULES) -> Verdict:
    """Decide one property, for example ``("sm_arch", "90a_real")``, with the reason."""
    if rule_set == 0:
        from nvidia_variant_provider.rules import version0

        return version0.judge(machine, feature, value)
    return version1.judge(machine, feature, value)


def catalogue() -> tuple[Feature, ...]:
    """Return every feature with every value either rule set can report for a detected machine."""
    bounds = tuple(bound_values())
    archs = tuple(str(arch) for arch in sm_archs())
    return (
        Feature(LOWER_BOUND, bounds, multi_value=False),
        Feature(UPPER_BOUND, bounds, multi_value=False),
        Feature(SM_ARCH, archs, multi_value=True),
    )
