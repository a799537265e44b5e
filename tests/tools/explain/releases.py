"""Releases written for the tests: wheels of a few hundred bytes, real names and metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.demo.wheels import (
    null_wheel,
    release_metadata,
    write_index_metadata,
    write_wheel,
)
from nvidia_variant_provider.tools.metadata.model import Provider
from nvidia_variant_provider.tools.releases.release import Release
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import Variant, VariantMetadata

NAME: Final = "demo"
VERSION: Final = "1.2"
PRIORITY: Final = {"priority": Provider(static_properties={"order": ("1", "2", "3")})}


def build(lower: str = "", archs: str = "", order: str = "", upper: str = "") -> Variant:
    """Return the properties of a build, written shortly: ``build("12.0", "80_real 90_real")``."""
    nvidia = {
        "cuda_version_lower_bound": tuple(lower.split()),
        "cuda_version_upper_bound": tuple(upper.split()),
        "sm_arch": tuple(archs.split()),
    }
    found: dict[str, dict[str, tuple[str, ...]]] = {
        "nvidia": {feature: values for feature, values in nvidia.items() if values}
    }
    if order:
        found["priority"] = {"order": (order,)}
    return {namespace: features for namespace, features in found.items() if features}


def metadata_of(variants: Mapping[str, Variant]) -> VariantMetadata:
    used = any("priority" in stated for stated in variants.values())
    return release_metadata(variants, PRIORITY if used else {})


def release_of(
    variants: Mapping[str, Variant],
    platforms: Mapping[str, str] | None = None,
    *,
    ordinary: bool = True,
    listed: bool = True,
    metadata: VariantMetadata | None = None,
) -> Release:
    """Return a release with a wheel for each label, for any platform unless one is named."""
    tags = platforms or {}
    labels = [*variants, *([""] if ordinary else [])]
    wheels = [
        WheelName(NAME, VERSION, "", "py3", "none", tags.get(label, "any"), label)
        for label in labels
    ]
    return Release(
        NAME, VERSION, "test", tuple(wheels), metadata or metadata_of(variants), listed=listed
    )


def write_release(
    folder: Path,
    variants: Mapping[str, Variant],
    *,
    ordinary: bool = True,
    listed: bool = True,
    version: str = VERSION,
) -> None:
    """Write the same as files."""
    metadata = metadata_of(variants)
    paths = []
    for label in variants:
        name = WheelName(NAME, version, "", "py3", "none", "any", label)
        paths.append(
            write_wheel(folder, null_wheel(NAME, version) if label == "null" else name, metadata)
        )
    if ordinary:
        write_wheel(folder, WheelName(NAME, version, "", "py3", "none", "any", ""), None)
    if listed:
        write_index_metadata(folder, paths)
