"""Checks, registered under their codes, and run over what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from nvidia_variant_provider.tools.findings.model import Finding, Rule, Uv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvidia_variant_provider.tools.findings.model import Problem, Severity

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Check(Generic[_T]):
    """A rule and the function that looks for it."""

    rule: Rule
    find: Callable[[_T], Iterator[Problem]]

    def run(self, subject: _T) -> Iterator[Finding]:
        """Yield what the function sees in a subject, under the rule."""
        return (Finding(self.rule, problem) for problem in self.find(subject))


class Registry(Generic[_T]):
    """The checks of one scope, in the order of their definition."""

    def __init__(self) -> None:
        self.checks: Final[list[Check[_T]]] = []

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of all checks, in the same order."""
        return tuple(check.rule for check in self.checks)

    def check(
        self, code: str, severity: Severity, uv: Uv, title: str
    ) -> Callable[[Callable[[_T], Iterator[Problem]]], Callable[[_T], Iterator[Problem]]]:
        """Register the decorated function under a code."""

        def register(
            find: Callable[[_T], Iterator[Problem]],
        ) -> Callable[[_T], Iterator[Problem]]:
            self.checks.append(Check(Rule(code, severity, title, uv), find))
            return find

        return register
