"""The variant that is installed in an environment."""

from __future__ import annotations

import difflib
import os
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.files import missing
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.releases.release import Release
from nvidia_variant_provider.tools.wheels.dist_info import VARIANT_JSON
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_installed(distribution: Distribution) -> Release:
    """Return an installed distribution as a release with its one wheel.

    Raises ``MetadataError`` if its ``variant.json`` cannot be used.
    """
    package, version = distribution.metadata["Name"], distribution.version
    text = distribution.read_text(VARIANT_JSON)
    where = f"{package} {version}, installed"
    if text is None:
        wheel = WheelName(package.replace("-", "_"), version, "", "py3", "none", "any", "")
        return Release(package, version, where, (wheel,), None)
    metadata = parse_metadata(text.encode(), f"{where}: {VARIANT_JSON}")
    if len(metadata.variants) != 1:
        seen = ", ".join(metadata.variants) or "no label"
        raise MetadataError(f"{where}: {VARIANT_JSON}", "variants", seen, "one label")
    # What is installed was built for this platform: only the variant is in question.
    return Release(package, version, where, None, metadata)


def find_installed(package: str, path: Sequence[str]) -> Distribution:
    """Return what is installed of a package in folders such as those of ``sys.path``.

    Raises ``InvalidValueError`` if the package is not there.
    """
    distribution = next(iter(distributions(name=canonicalize_name(package), path=list(path))), None)
    if distribution is None:
        near = _near(package, path)
        explain = f"nvidia-variant-provider explain {package[:60]}"
        raise InvalidValueError(
            f"{package[:60]}: not installed here{near}",
            hint="" if near else f"to see what an installer would select: {explain}",
        )
    return distribution


def installed_of(packages: Sequence[str], path: Sequence[str]) -> list[Distribution]:
    """Return what is installed of several packages, in their order."""
    by_name = {
        canonicalize_name(distribution.metadata["Name"]): distribution
        for distribution in distributions(path=list(path))
    }
    return [by_name[name] for name in map(canonicalize_name, packages) if name in by_name]


def _near(package: str, path: Sequence[str]) -> str:
    """Name what is installed under a near name, or say that a folder does not exist."""
    absent = [folder for folder in path if folder and not os.path.exists(folder)]
    if len(path) == 1 and absent:
        return f"; {absent[0]}: {missing(absent[0])}"
    names = sorted(
        {distribution.metadata["Name"] or "" for distribution in distributions(path=list(path))}
    )
    near = difflib.get_close_matches(package, names, n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else ""
