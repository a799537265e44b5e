"""Coverage of a fleet: which machine takes which variant of a release, and what is wrong there.

The steps are functions of values: ``inventory.read`` an inventory, ``tally`` it into a ``Fleet``,
``cover`` a ``Release`` for it, ``find`` the problems. docs/coverage.md shows them.
"""

from __future__ import annotations

from nvidia_variant_provider.tools.coverage.findings import RULES, FleetFinding, find
from nvidia_variant_provider.tools.coverage.fleet import EMPTY, Fleet, Group, tally
from nvidia_variant_provider.tools.coverage.kinds import Kind
from nvidia_variant_provider.tools.coverage.matrix import Choice, Coverage, Ending, Row, cover
from nvidia_variant_provider.tools.coverage.release import read_release
from nvidia_variant_provider.tools.inventory import Partition, files, read, split
from nvidia_variant_provider.tools.inventory.machine import Entry, StatedGpu, StatedMachine
from nvidia_variant_provider.tools.inventory.resolve import Defaults
from nvidia_variant_provider.tools.releases.release import Release

__all__ = [
    "EMPTY",
    "RULES",
    "Choice",
    "Coverage",
    "Defaults",
    "Ending",
    "Entry",
    "Fleet",
    "FleetFinding",
    "Group",
    "Kind",
    "Partition",
    "Release",
    "Row",
    "StatedGpu",
    "StatedMachine",
    "cover",
    "files",
    "find",
    "read",
    "read_release",
    "split",
    "tally",
]
