"""What is found out about a release on a machine: rows, one view an installer, warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.installers.table import Installer
    from nvidia_variant_provider.tools.releases.release import Release

# What a wheel without a label is called in results.
ORDINARY: Final = "no label"


@dataclass(frozen=True, slots=True)
class Row:
    """One variant: its place in the order, from 1, or ``None`` if it cannot be taken; and why."""

    label: str
    place: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """One installer's result. ``winner`` is a label, ``ORDINARY``, or ``None`` for nothing."""

    installer: Installer
    winner: str | None
    rows: tuple[Row, ...]
    remark: str = ""

    def reason_of(self, label: str) -> str:
        """Return why a variant stands where it does; empty for an unknown label."""
        return next((row.reason for row in self.rows if row.label == label), "")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One machine's results for one release."""

    machine: Machine
    views: tuple[View, ...]
    warnings: tuple[str, ...]

    def view(self, installer: Installer) -> View:
        """Return the result of one installer."""
        return next(view for view in self.views if view.installer == installer)

    def has_gpu_build(self, installer: Installer, release: Release) -> bool:
        """Tell whether an installer ends at a variant that states a property of ``nvidia``."""
        winner = self.view(installer).winner
        variants = release.metadata.variants if release.metadata else {}
        return NVIDIA_NAMESPACE in variants.get(winner or "", {})
