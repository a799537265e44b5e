"""What a wheel may claim to have device code for, judged by how many of its containers have it.

One container is one translation unit and the driver takes one image out of it, so an architecture
that only a few containers have does not serve the wheel: torch 2.15 has code for 8.9 in one of
more than 500, and its kernels run there as those for 8.6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import SmArch
from nvidia_variant_provider.rules.catalogue import same_device
from nvidia_variant_provider.tools.binaries import gpu_shares
from nvidia_variant_provider.tools.tagging.threshold import DEFAULT_SHARE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.model import ComputeCapability
    from nvidia_variant_provider.tools.binaries.report import Library, Profile

# A library with less of a wheel's containers than this does not decide for the whole of it.
_MAIN_SHARE: Final = 0.1


class Standing(Enum):
    """What becomes of an architecture that some container has."""

    CLAIMED = "claimed"
    COVERED = "covered"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Claim:
    """The real or the virtual code for one compute capability, and what follows from it.

    ``targets`` counts the containers with each spelling (``90``, ``90a``), ``present`` those with
    any of them, ``served`` those that have anything native for such a GPU, of ``total``.
    ``values`` are the property values to state; empty unless claimed.
    """

    capability: ComputeCapability
    virtual: bool
    targets: tuple[tuple[SmArch, int], ...]
    present: int
    served: int
    total: int
    standing: Standing
    values: tuple[SmArch, ...]
    reason: str


def judge_claims(
    profiles: Sequence[Profile], threshold: float, own: Sequence[Library] = ()
) -> tuple[Claim, ...]:
    """Judge every architecture of the containers, the real ones first, oldest first.

    Of ``own``, the libraries that the containers are in, each main one must serve what is claimed,
    unless a smaller share than the default was asked for: then parts may lack it.
    """
    claims: list[Claim] = []
    archs = {arch for profile in profiles for arch in profile.archs}
    for virtual in (False, True):
        for capability in sorted({arch.capability for arch in archs if arch.virtual is virtual}):
            claim = _judge(profiles, capability, threshold, claims, virtual=virtual)
            claims.append(claim if virtual else _unless_lacking(claim, own, threshold))
    return tuple(claims)


def _unless_lacking(claim: Claim, own: Sequence[Library], threshold: float) -> Claim:
    lacking = [
        library
        for library in own
        if has_nothing(library, claim.capability) and is_main(library, own, threshold)
    ]
    if claim.standing is not Standing.CLAIMED or not lacking:
        return claim
    reason = f"{lacking[0].path} has nothing for {claim.capability}; --archs states it all the same"
    return replace(claim, standing=Standing.PARTIAL, values=(), reason=reason)


def has_nothing(library: Library, gpu: ComputeCapability) -> bool:
    """Tell whether every kernel of a library fails on a GPU."""
    row = gpu_shares.cover(library.profiles, gpu)
    return row.total == row.uncovered > 0


def is_main(library: Library, own: Iterable[Library], threshold: float) -> bool:
    """Tell whether a library has its share of a wheel's containers, and code for usual targets.

    None has where a smaller threshold than the default was asked for. What is compiled for ``90a``
    or ``100f`` alone is meant for these GPUs: other code of the wheel serves the others.
    """
    total = sum(other.kernel_containers for other in own)
    is_usual = any(not arch.suffix for profile in library.profiles for arch in profile.archs)
    is_large = library.kernel_containers >= _MAIN_SHARE * total
    return is_usual and is_large and threshold >= DEFAULT_SHARE


def _judge(
    profiles: Sequence[Profile],
    capability: ComputeCapability,
    threshold: float,
    before: Iterable[Claim],
    *,
    virtual: bool,
) -> Claim:
    targets: dict[SmArch, int] = {}
    present = 0
    for profile in profiles:
        alike = [arch for arch in profile.archs if arch.virtual is virtual]
        here = [arch for arch in alike if arch.capability == capability]
        present += profile.count if here else 0
        for arch in here:
            targets[arch] = targets.get(arch, 0) + profile.count
    total = sum(profile.count for profile in profiles)
    served = present if virtual else gpu_shares.cover(profiles, capability).native
    enough = threshold * total
    nearest = None if virtual or present >= enough else _nearest(before, capability)
    values: tuple[SmArch, ...] = ()
    standing, reason = Standing.PARTIAL, f"{served} of {total} containers serve it"
    if served >= enough and nearest is not None:
        standing = Standing.COVERED
        reason = f"its GPUs run the code for {nearest.target}, which is claimed"
    elif served >= enough:
        standing = Standing.CLAIMED
        values, reason = _values(targets, enough, before, capability, virtual=virtual)
    return Claim(
        capability, virtual, tuple(sorted(targets.items())), present, served, total,
        standing, values, reason,
    )  # fmt: skip


def _nearest(claims: Iterable[Claim], capability: ComputeCapability) -> SmArch | None:
    """Return the newest claimed real architecture that a GPU of the capability runs."""
    values = [value for claim in claims if not claim.virtual for value in claim.values]
    fitting = [value for value in values if gpu_shares.is_fit(value, capability)]
    return max(fitting, default=None)


def _values(
    targets: dict[SmArch, int],
    enough: float,
    before: Iterable[Claim],
    capability: ComputeCapability,
    *,
    virtual: bool,
) -> tuple[tuple[SmArch, ...], str]:
    plain = SmArch(capability, "", virtual=virtual)
    if virtual:
        return _virtual_values(targets, enough, before, plain)
    specific = SmArch(capability, "a")
    is_general = any(count >= enough for arch, count in targets.items() if arch != specific)
    spelled, reason = spell(specific if specific in targets and not is_general else plain)
    return (spelled,), reason


def _virtual_values(
    targets: dict[SmArch, int], enough: float, before: Iterable[Claim], plain: SmArch
) -> tuple[tuple[SmArch, ...], str]:
    if targets.get(plain, 0) >= enough:
        return (plain,), spell(plain)[1]
    best = max(targets, key=lambda arch: (targets[arch], arch.suffix))
    native = {value.capability for claim in before if not claim.virtual for value in claim.values}
    if best.suffix == "a" and best.capability in native:
        return (), f"PTX for {best.target} runs nowhere else, and there are cubins for it"
    return (best,), spell(best)[1]


def spell(arch: SmArch) -> tuple[SmArch, str]:
    """Return the value that states an architecture for all installers, and the reason.

    The provider 0.0.x and uv know no suffixes. A cubin for ``f`` runs where the plain one
    does; one for ``a`` may be stated as plain where no other GPU of its major is known.
    """
    plain = SmArch(arch.capability, "", arch.virtual)
    if not arch.suffix:
        return arch, _remark(arch)
    if arch.virtual:
        return arch, "the provider 0.0.x and uv know no suffixes and refuse this value"
    if arch.suffix == "f":
        return plain, f"code for {arch.target} runs wherever {plain.target} does"
    if others := _later_in_major(arch.capability):
        shown = ", ".join(str(gpu) for gpu in others)
        return arch, (
            f"{plain} would promise {shown} code that runs on {arch.capability} alone;"
            " the provider 0.0.x and uv know no suffixes and refuse this value"
        )
    return plain, f"code for {arch.target} runs on {arch.capability} alone, the last of its major"


def _later_in_major(capability: ComputeCapability) -> list[ComputeCapability]:
    alike = [gpu for gpu in gpu_shares.GPUS if gpu.major == capability.major]
    return [gpu for gpu in alike if gpu.minor > capability.minor]


def _remark(arch: SmArch) -> str:
    """Say what older installers make of a plain value, if not what it means."""
    device = same_device(arch.capability)
    if device != arch.capability:
        return f"CUDA 13 calls this device {device}; uv takes the names for two devices"
    if arch.virtual and arch.capability.minor:
        return "the provider 0.0.x and uv offer PTX of minor 0 only"
    if arch.virtual and any(gpu.major > device.major for gpu in gpu_shares.GPUS):
        major = arch.capability.major
        return f"the provider 0.0.x and uv offer it to GPUs of {major}.x alone, none newer"
    return ""
