"""Which torch release a version of another project pairs with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from packaging.version import Version

TORCH: Final = "torch"


def torch_release_of(project: str, version: Version) -> str:
    """Return the torch release that a version is, or pairs with; "" where that is not known."""
    return str(version) if project == TORCH else ""
