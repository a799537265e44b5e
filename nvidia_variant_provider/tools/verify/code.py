"""The device code that one machine loads, counted in containers that hold kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.binaries import gpu_shares

if TYPE_CHECKING:
    from nvidia_variant_provider.model import ComputeCapability, SmArch
    from nvidia_variant_provider.tools.binaries.report import Profile
    from nvidia_variant_provider.tools.tagging.claims import Claim
    from nvidia_variant_provider.tools.tagging.groups import Group


@dataclass(frozen=True)
class GroupCode:
    """The own libraries of a wheel, or of one group of them; ``threshold`` is a share."""

    group: Group
    threshold: float

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        """The kernel-bearing containers, by what they have code for."""
        return self.group.profiles

    @cached_property
    def total(self) -> int:
        """How many such containers there are."""
        return sum(profile.count for profile in self.profiles)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """What the code would justify."""
        return self.group.claims(self.threshold)

    def is_enough(self, count: int) -> bool:
        """Tell whether so many containers are enough for a claim."""
        return bool(self.total) and count >= self.threshold * self.total

    def share(self, count: int) -> str:
        """Return ``1 of 5 containers (20 %)``, and whose containers these are."""
        percent = 100 * count / self.total if self.total else 0
        return f"{count} of {self.total} containers ({percent:.0f} %){self.group.whose}"

    def serving(self, arch: SmArch) -> int:
        """Count the containers behind a value: with a cubin that runs, or PTX that compiles."""
        return self.compiled(arch) if arch.virtual else self.served(arch.capability)

    def served(self, gpu: ComputeCapability) -> int:
        """Count the containers with a cubin that runs on a GPU."""
        return gpu_shares.cover(self.profiles, gpu).native

    def exact(self, arch: SmArch) -> int:
        """Count the containers with a cubin for the very capability of a value."""
        return sum(
            profile.count
            for profile in self.profiles
            if any(held.capability == arch.capability for held in profile.archs if not held.virtual)
        )

    def compiled(self, arch: SmArch) -> int:
        """Count the containers with PTX that a GPU of this capability, or any newer, compiles."""
        return sum(
            profile.count
            for profile in self.profiles
            if any(code.virtual and _promises(code, arch) for code in profile.archs)
        )


def _promises(code: SmArch, value: SmArch) -> bool:
    """Tell whether PTX reaches at least as far as the value says."""
    if value.suffix:
        return code in {value, type(value)(value.capability, "", virtual=True)}
    return not code.suffix and code.capability <= value.capability
