"""Run the selected checks over wheels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.verify import release
from nvidia_variant_provider.tools.verify.checks import CHECKS
from nvidia_variant_provider.tools.verify.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.verify.facts import Facts
    from nvidia_variant_provider.tools.verify.model import Rule


@dataclass(frozen=True, slots=True)
class Selection:
    """Which codes count: those that start with a selected prefix and with no ignored one."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @classmethod
    def build(cls, select: Sequence[str], ignore: Sequence[str]) -> Selection:
        """Check that every prefix means a code; a misspelt one would silence nothing."""
        codes = [rule.code for rule in all_rules()]
        for prefix in (*select, *ignore):
            if not any(code.startswith(prefix) for code in codes):
                raise InvalidValueError(f"no check starts with {prefix[:20]!r}; there are {codes}")
        return cls(tuple(select), tuple(ignore))

    def __contains__(self, rule: Rule) -> bool:
        wanted = not self.select or rule.code.startswith(self.select)
        return wanted and not rule.code.startswith(self.ignore or ("-",))


def all_rules() -> tuple[Rule, ...]:
    """Return every rule, by code."""
    rules = (*(rule for rule, _ in CHECKS), *release.RULES)
    return tuple(sorted(rules, key=lambda rule: rule.code))


def verify_wheel(facts: Facts, selection: Selection) -> Iterator[Finding]:
    """Yield the findings of one wheel, in the order of the codes."""
    for rule, find in CHECKS:
        if rule in selection:
            for subject, message in find(facts):
                yield Finding(rule, facts.wheel, subject, message)


def verify_release(wheels: Sequence[Facts], selection: Selection) -> Iterator[Finding]:
    """Yield what the wheels of a release contradict each other in."""
    return (one for one in release.check_release(wheels) if one.rule in selection)


def is_failure(finding: Finding) -> bool:
    """Tell whether a finding decides the exit code."""
    return finding.rule.severity is not Severity.NOTE
