"""The variant that is installed in an environment."""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
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
    found = next(iter(distributions(name=canonicalize_name(package), path=list(path))), None)
    if found is None:
        where = ", ".join(path) if len(path) == 1 else f"the path of {sys.executable}"
        raise InvalidValueError(
            f"{package[:60]}: not installed in {where}; name another folder with --path, or an "
            f"index or a folder of wheels: explain SOURCE --package {package[:60]}"
        )
    return found


def installed_of(packages: Sequence[str], path: Sequence[str]) -> list[Distribution]:
    """Return what is installed of several packages, in their order."""
    found = {canonicalize_name(it.metadata["Name"]): it for it in distributions(path=list(path))}
    return [found[name] for name in map(canonicalize_name, packages) if name in found]
