"""What the checks speak in: severities, problems, findings, and the check itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")


class Severity(Enum):
    """How much a finding matters; errors and warnings decide the exit code."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Uv(Enum):
    """What uv does about it; tests hold every example of docs/lint.md to this."""

    REFUSES = "refuses"
    SKIPS = "skips"
    NONE = "none"


class Problem(NamedTuple):
    """What one check saw: the file, the path of the key in it ("" for the whole), a sentence."""

    source: str
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code stands for; a code is never reused.

    ``title`` is one sentence, for example ``a value that no provider knows``.
    """

    code: str
    severity: Severity
    uv: Uv
    title: str


@dataclass(frozen=True, slots=True)
class Check(Generic[_T]):
    """A rule and the function that looks for it."""

    rule: Rule
    find: Callable[[_T], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem under its rule."""

    rule: Rule
    problem: Problem

    def __str__(self) -> str:
        source, key, message = self.problem
        where = f"{source}: {key}" if key else source
        return f"{where}: {self.rule.code} {self.rule.severity.value}: {message}"


class Registry(Generic[_T]):
    """The checks of one scope, in the order of their definition."""

    def __init__(self) -> None:
        self.checks: Final[list[Check[_T]]] = []

    def check(
        self, code: str, severity: Severity, uv: Uv, title: str
    ) -> Callable[[Callable[[_T], Iterator[Problem]]], Callable[[_T], Iterator[Problem]]]:
        """Register the decorated function under a code."""

        def register(
            find: Callable[[_T], Iterator[Problem]],
        ) -> Callable[[_T], Iterator[Problem]]:
            self.checks.append(Check(Rule(code, severity, uv, title), find))
            return find

        return register
