"""Run the selected checks over wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.verify import release
from nvidia_variant_provider.tools.verify.checks import WHEEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.findings.model import Finding
    from nvidia_variant_provider.tools.findings.selection import Selection
    from nvidia_variant_provider.tools.verify.wheel import ExaminedWheel

RULES: Final = tuple(sorted((*WHEEL.rules, *release.RULES), key=lambda rule: rule.code))
"""Every rule, by code."""


def verify_wheel(wheel: ExaminedWheel, selection: Selection) -> Iterator[Finding]:
    """Yield the findings of one wheel, in the order of the codes."""
    for check in WHEEL.checks:
        if check.rule in selection:
            yield from filter(selection.keeps, check.run(wheel))


def verify_release(wheels: Sequence[ExaminedWheel], selection: Selection) -> Iterator[Finding]:
    """Yield what the wheels of a release contradict each other in."""
    return filter(selection.keeps, release.check_release(wheels))
