"""What a probe answers: a hit, or a miss with its reason; and the trail of all of them."""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar

from nvidia_variant_provider.value_types import dataclass

_T = TypeVar("_T")


class MissReason(Enum):
    """Why a probe had no answer."""

    ABSENT = "absent"
    DENIED = "denied"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    EMPTY = "empty file"
    FOREIGN = "other architecture"


@dataclass(frozen=True, slots=True)
class Hit(Generic[_T]):
    """An answer and where it came from."""

    value: _T
    source: str


@dataclass(frozen=True, slots=True)
class Miss:
    """No answer; ``detail`` is for people."""

    source: str
    reason: MissReason
    detail: str = ""

    @classmethod
    def from_os_error(cls, source: str, error: OSError) -> Miss:
        """Tell an absent file from one that may not be read."""
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return cls(source, MissReason.ABSENT)
        if isinstance(error, PermissionError):
            return cls(source, MissReason.DENIED, "permission denied")
        return cls(source, MissReason.UNREADABLE, error.strerror or str(error))


@dataclass(frozen=True, slots=True)
class Step:
    """One probe of the trail: what was asked, where, what came of it, and how long it took."""

    probe: str
    source: str
    found: bool
    detail: str
    seconds: float = 0.0
