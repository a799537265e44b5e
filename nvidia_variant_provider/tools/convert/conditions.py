"""Whether a provider's ``enable-if`` of the older drafts can be left out without loss."""

from __future__ import annotations

import re
from typing import Final

from packaging.markers import InvalidMarker, Marker

# On a platform that such a condition excludes, the provider's plugin finds no device and offers
# nothing, so the outcome is the same. Of other variables, the Python version say, that is not so.
_PLATFORM: Final = frozenset({"platform_system", "sys_platform", "os_name", "platform_machine"})
_VARIABLE: Final = re.compile(r"[a-z_]+")
_WORDS: Final = frozenset({"and", "or", "in", "not"})


def may_be_dropped(condition: object) -> bool:
    """Tell whether a condition, a PEP 508 marker, speaks of the platform only."""
    if not isinstance(condition, str):
        return False
    try:
        text = str(Marker(condition))
    except InvalidMarker:
        return False
    # What is quoted is a value; the rest is variables and operators.
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", " ", text)
    return set(_VARIABLE.findall(bare)) - _WORDS <= _PLATFORM
