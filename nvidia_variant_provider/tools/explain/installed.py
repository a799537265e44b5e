"""The variant that is installed in an environment."""

from __future__ import annotations

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


def read_installed(package: str, path: Sequence[str]) -> Release:
    """Return the installed distribution as a release with its one wheel.

    ``path`` are the folders to look in, such as ``sys.path``. Raises ``InvalidValueError`` if the
    package is not there or its ``variant.json`` cannot be used.
    """
    distribution = _find(package, path)
    version = distribution.version
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


def _find(package: str, path: Sequence[str]) -> Distribution:
    found = next(iter(distributions(name=canonicalize_name(package), path=list(path))), None)
    if found is None:
        raise InvalidValueError(f"{package[:60]}: not installed here")
    return found
