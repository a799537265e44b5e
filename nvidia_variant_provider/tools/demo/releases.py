"""Two releases of torch as stand-ins: which builds there are, and what each states.

Builds and their device code are those of the table of torch's builds. The lower bounds follow
torch's own practice: ``<major>.0``, as machine code runs on every driver of its CUDA major. For
2.10.0 the whole property set was published, in a draft's spelling that no installer reads any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.torch_builds import ARM, LINUX, TorchBuild
from nvidia_variant_provider.tools.demo.wheels import (
    check_others,
    null_wheel,
    release_metadata,
    write_index_metadata,
    write_wheel,
)
from nvidia_variant_provider.tools.metadata.model import Provider, VariantMetadata
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from nvidia_variant_provider.tools.torch.builds import archs_of, builds_of, find_release
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nvidia_variant_provider.model import SmArch
    from nvidia_variant_provider.tools.metadata.model import Variant

NAME: Final = "torch"

# The namespace without a plugin that torch invented to break ties between its own builds.
PRIORITY: Final = "priority"
PRIORITY_FEATURE: Final = "order"


@dataclass(frozen=True, slots=True)
class Build:
    """A CUDA build for one platform; ``order`` 1 is the build that the package prefers."""

    row: TorchBuild
    order: int

    @property
    def label(self) -> str:
        """The variant label: a label means one property set, so server Arm (SBSA) has its own."""
        return f"cuda{self.row.cuda}" + ("" if self.row.platform == LINUX else "_sbsa")

    @property
    def platform(self) -> str:
        """The platform tag that torch's own wheels carry."""
        return f"manylinux_2_28_{self.row.platform.removeprefix('linux-')}"

    @property
    def archs(self) -> tuple[SmArch, ...]:
        """The device code: machine code, and PTX where the table has it."""
        return tuple(archs_of(self.row))

    @property
    def properties(self) -> Variant:
        """The properties the wheel states."""
        return {
            "nvidia": {
                "cuda_version_lower_bound": (f"{self.row.cuda.major}.0",),
                "sm_arch": tuple(sorted(map(str, self.archs))),
            },
            PRIORITY: {PRIORITY_FEATURE: (str(self.order),)},
        }


def _builds(version: str, *platforms: str, labels: str) -> tuple[Build, ...]:
    """Return the builds of a release that the demonstration has, newest CUDA first."""
    release, wanted = find_release(version), labels.split()
    rows = (row for platform in platforms for row in builds_of(release, platform))
    return tuple(
        Build(row, wanted.index(f"cuda{row.cuda}") + 1)
        for row in rows
        if f"cuda{row.cuda}" in wanted
    )


RELEASES: Final[dict[str, tuple[Build, ...]]] = {
    # The builds of 13.2 and 12.6 are the same in 2.15.0, as far as it has them.
    "2.14.1": _builds("2.14.1", LINUX, ARM, labels="cuda13.2 cuda13.0 cuda12.6"),
    # The last release whose newest build carries PTX.
    "2.10.0": _builds("2.10.0", LINUX, labels="cuda13.0 cuda12.8 cuda12.6"),
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

    The wheel without a label is what installers that know no variants take. Raises
    ``InvalidValueError`` for a folder with other wheels in it, before anything is written.
    """
    check_others(folder, (name for version in RELEASES for name in _names(version)))
    for version in RELEASES:
        metadata = release(version)
        wheels = [
            write_wheel(folder, name, metadata if name.label else None) for name in _names(version)
        ]
        write_index_metadata(folder, wheels)


def _names(version: str) -> Iterator[WheelName]:
    yield null_wheel(NAME, version)
    for build in RELEASES[version]:
        yield WheelName(NAME, version, "", "py3", "none", build.platform, build.label)
    yield WheelName(NAME, version, "", "py3", "none", "any", "")
