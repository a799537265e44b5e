"""The torch releases that the demonstration installs: which builds exist, and what each states.

The architectures are those in the published wheels: read from the fatbin entries for 13.x and
from PyTorch's build scripts for the others. The lower bounds follow torch's own practice:
``<major>.0``, as machine code runs on every driver of its CUDA major. For 2.10.0 the whole
property set was published, in a draft's spelling that no installer reads any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from examples.torch.wheels import null_wheel, release_metadata, write_index_metadata, write_wheel
from nvidia_variant_provider.tools.metadata.model import Provider, VariantMetadata
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import Variant

NAME: Final = "torch"

# The namespace without a plugin that torch invented to break ties between its own builds.
PRIORITY: Final = "priority"
PRIORITY_FEATURE: Final = "order"


@dataclass(frozen=True, slots=True)
class Build:
    """One CUDA build for one architecture; ``order`` 1 is the build that the package prefers."""

    cuda: str
    architecture: str
    lower_bound: str
    targets: tuple[int, ...]
    order: int
    ptx: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """The variant label: a label means one property set, so server Arm (SBSA) has its own."""
        return f"cuda{self.cuda}" + ("" if self.architecture == "x86_64" else "_sbsa")

    @property
    def platform(self) -> str:
        """The platform tag that torch's own wheels carry."""
        return f"manylinux_2_28_{self.architecture}"

    @property
    def properties(self) -> Variant:
        """The properties the wheel states."""
        archs = [f"{target}_real" for target in self.targets]
        archs += [f"{target}_virtual" for target in self.ptx]
        return {
            "nvidia": {
                "cuda_version_lower_bound": (self.lower_bound,),
                "sm_arch": tuple(sorted(archs)),
            },
            PRIORITY: {PRIORITY_FEATURE: (str(self.order),)},
        }


_UP_TO_HOPPER: Final = (50, 60, 70, 75, 80, 86, 90)
_TURING_ON: Final = (75, 80, 86, 90, 100, 120)
_ARM_13: Final = (80, 90, 100, 110, 120)

RELEASES: Final[dict[str, tuple[Build, ...]]] = {
    # The builds of 13.2 and 12.6 are the same in 2.15.0, as far as it has them.
    "2.14.1": (
        Build("13.2", "x86_64", "13.0", _TURING_ON, order=1),
        Build("13.0", "x86_64", "13.0", _TURING_ON, order=2),
        Build("12.6", "x86_64", "12.0", _UP_TO_HOPPER, order=3),
        Build("13.2", "aarch64", "13.0", _ARM_13, order=1),
        Build("13.0", "aarch64", "13.0", _ARM_13, order=2),
        Build("12.6", "aarch64", "12.0", (80, 90), order=3),
    ),
    # The last release whose newest build carries PTX.
    "2.10.0": (
        Build("13.0", "x86_64", "13.0", _TURING_ON, order=1, ptx=(120,)),
        Build("12.8", "x86_64", "12.0", (70, *_TURING_ON), order=2),
        Build("12.6", "x86_64", "12.0", _UP_TO_HOPPER, order=3),
    ),
}


def release(version: str) -> VariantMetadata:
    """Return the variant metadata of a release: every build and the null variant."""
    builds = RELEASES[version]
    orders = sorted({str(build.order) for build in builds})
    return release_metadata(
        {NULL_LABEL: {}, **{build.label: build.properties for build in builds}},
        static={PRIORITY: Provider(static_properties={PRIORITY_FEATURE: tuple(orders)})},
    )


def write_releases(folder: Path) -> None:
    """Fill a folder as an index would be: each release's wheels and its metadata beside them.

    The wheel without a label is what installers that know no variants take.
    """
    for version, builds in RELEASES.items():
        metadata = release(version)
        wheels = [write_wheel(folder, null_wheel(NAME, version), metadata)]
        for build in builds:
            name = WheelName(NAME, version, "", "py3", "none", build.platform, build.label)
            wheels.append(write_wheel(folder, name, metadata))
        write_wheel(folder, WheelName(NAME, version, "", "py3", "none", "any", ""), None)
        write_index_metadata(folder, wheels)


def labels_for(version: str, platforms: frozenset[str]) -> dict[str, Variant]:
    """Return the variants with a wheel for one of the platform tags."""
    fitting = {NULL_LABEL} | {
        build.label for build in RELEASES[version] if build.platform in platforms
    }
    return {
        label: stated for label, stated in release(version).variants.items() if label in fitting
    }
