"""What is found out about a release on a machine: rows, one view an installer, warnings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.installers.table import Installer
    from nvidia_variant_provider.tools.metadata.model import VariantMetadata

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
    """One installer's result. ``winner`` is a label, ``ORDINARY``, or ``None`` for nothing.

    ``refusal`` says why the installer stops, where it does. ``metadata`` is what its own reader
    makes of the release's file; ``enabled`` are the namespaces whose optional provider it was
    asked to use.
    """

    installer: Installer
    winner: str | None
    rows: tuple[Row, ...]
    remark: str = ""
    refusal: str = ""
    enabled: tuple[str, ...] = ()
    metadata: VariantMetadata | None = field(default=None, repr=False, compare=False)

    @property
    def has_gpu_build(self) -> bool:
        """Whether the installer ends at a variant that states a property of ``nvidia``."""
        variants = self.metadata.variants if self.metadata else {}
        return NVIDIA_NAMESPACE in variants.get(self.winner or "", {})

    def reason_of(self, label: str) -> str:
        """Return why a variant stands where it does; empty for an unknown label."""
        return next((row.reason for row in self.rows if row.label == label), "")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One machine's results for one release."""

    machine: Machine
    views: tuple[View, ...]
    warnings: tuple[str, ...]

    def warned_of(self, unread: Mapping[str, str]) -> Explanation:
        """Return the same with a warning of each file that is not named in one already."""
        named = "\n".join(self.warnings)
        more = (f"{name}: {why}; not judged" for name, why in unread.items() if name not in named)
        return replace(self, warnings=(*self.warnings, *more))

    def view(self, installer: Installer) -> View:
        """Return the result of one installer."""
        return next(view for view in self.views if view.installer == installer)
