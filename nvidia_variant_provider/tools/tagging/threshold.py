"""The share of containers that must have code for an architecture before a wheel claims it."""

from __future__ import annotations

from typing import Final

# The figures behind it are in docs/tag.md.
DEFAULT_PERCENT: Final = 75
DEFAULT_SHARE: Final = DEFAULT_PERCENT / 100
