"""Every value the namespace ``nvidia`` knows, independent of any machine.

The bounds' majors and minors are those of the provider 0.0.x; the SM architectures reach further
at both ends and carry the suffixes that compilers know.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import ComputeCapability, CudaVersion, SmArch
from nvidia_variant_provider.tables.sm_archs import FIRST_MAJOR_WITH_A, FIRST_MAJOR_WITH_F, RENAMED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    _Place: TypeAlias = tuple[int, int, ComputeCapability, tuple[str, ...]]

LOWER_BOUND: Final = "cuda_version_lower_bound"
UPPER_BOUND: Final = "cuda_version_upper_bound"
SM_ARCH: Final = "sm_arch"

CUDA_MAJORS: Final = range(11, 16)
CUDA_MINORS: Final = range(21)
OLDEST_CUDA: Final = CudaVersion(CUDA_MAJORS[0], 0)
NEWEST_CUDA: Final = CudaVersion(CUDA_MAJORS[-1], CUDA_MINORS[-1])

# From Kepler, which CUDA 11 still built for, to room for three generations after Blackwell.
CAPABILITY_MAJORS: Final = range(3, 16)
CAPABILITY_MINORS: Final = range(10)
NEWEST_CAPABILITY: Final = ComputeCapability(CAPABILITY_MAJORS[-1], CAPABILITY_MINORS[-1])


# Looked up a thousand times for a machine: the hash of a number is quicker than that of a value.
_RENAMED_NUMBERS: Final = {old.number: new for old, new in RENAMED.items()}


def bound_values() -> Iterator[str]:
    """Yield every value of the two bounds, newest first: ``15.20`` ... ``15.0``, ``15``, ..."""
    return (text for text, _ in bounds())


@cache
def bounds() -> tuple[tuple[str, CudaVersion], ...]:
    """Return every value of the two bounds with its meaning, newest first.

    A bare major stands after its own ``.0``, whose meaning it shares: installers that re-implement
    0.0.x rank it so.
    """
    values = []
    for major in reversed(CUDA_MAJORS):
        values += [
            (f"{major}.{minor}", CudaVersion(major, minor)) for minor in reversed(CUDA_MINORS)
        ]
        values.append((str(major), CudaVersion(major, 0)))
    return tuple(values)


def same_device(capability: ComputeCapability) -> ComputeCapability:
    """Return the capability under its present name: 10.1 is 11.0 since CUDA 13."""
    return _RENAMED_NUMBERS.get(capability.number, capability)


def suffixes(capability: ComputeCapability) -> tuple[str, ...]:
    """Return the suffixes a target of this capability can have, the most specific first."""
    return (
        *(("a",) if capability.major >= FIRST_MAJOR_WITH_A else ()),
        *(("f",) if capability.major >= FIRST_MAJOR_WITH_F else ()),
        "",
    )


@cache
def sm_archs(newest: ComputeCapability = NEWEST_CAPABILITY) -> tuple[SmArch, ...]:
    """Return every SM architecture up to a capability, under its present name.

    Real before virtual, newest first, most specific first. Plain PTX has the place of its own
    number: that of 101 also runs on 10.3, for which there is nearer code.
    """
    return tuple(
        SmArch(capability, suffix, virtual)
        for virtual in (False, True)
        for place, _, capability, suffixes_here in _newest_first(virtual)
        if place <= newest.number
        for suffix in suffixes_here
    )


@cache
def _newest_first(virtual: bool) -> tuple[_Place, ...]:  # noqa: FBT001
    return tuple(sorted(_places(virtual), reverse=True))


def _places(virtual: bool) -> Iterator[_Place]:  # noqa: FBT001
    """Yield each capability with its place, by which the newest come first, and its suffixes."""
    for major in CAPABILITY_MAJORS:
        for minor in CAPABILITY_MINORS:
            capability = ComputeCapability(major, minor)
            own, place = capability.number, same_device(capability).number
            every = suffixes(capability)
            if virtual and own != place:
                yield place, own, capability, every[:-1]
                yield own, own, capability, every[-1:]
            else:
                yield place, own, capability, every
