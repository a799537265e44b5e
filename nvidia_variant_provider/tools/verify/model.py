"""What the checks speak in: severities, rules, findings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How much a finding matters; errors and warnings decide the exit code."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code stands for; a code is never reused, and ``docs/verify.md`` has a section each.

    ``title`` is a phrase, for example ``a claimed architecture that no code serves``.
    """

    code: str
    severity: Severity
    title: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a wheel, and the property or member it is about ("" for the whole)."""

    rule: Rule
    wheel: str
    subject: str
    message: str
