"""What every check speaks in: severities, rules, problems and findings.

``lint``, ``verify`` and ``inspect`` share these, and so do the output formats.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from nvidia_variant_provider.value_types import dataclass


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
    """What one check saw: the file, the place in it ("" for the whole), a sentence.

    The place is the path of a key, a property such as ``nvidia :: sm_arch :: 90_real``, or a
    member of a wheel.
    """

    source: str
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code stands for; a code is never reused, and a page of ``docs/`` has a section each.

    ``title`` is a phrase, for example ``a value that no provider knows``.
    """

    code: str
    severity: Severity
    title: str
    uv: Uv = Uv.NONE


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem under its rule; ``also_in`` names other files with the very same problem."""

    rule: Rule
    problem: Problem
    also_in: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Tell whether it decides the exit code: anything but a note."""
        return self.rule.severity is not Severity.NOTE

    def __str__(self) -> str:
        """Return the line that people read: ``FILE: PLACE: CODE severity: message``."""
        source, key, message = self.problem
        where = f"{source}: {key}" if key else source
        others = f" (and in {len(self.also_in)} more)" if self.also_in else ""
        return f"{where}: {self.rule.code} {self.rule.severity.value}: {message}{others}"
