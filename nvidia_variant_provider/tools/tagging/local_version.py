"""The public version of a wheel with a local one: 2.0 of 2.0+cu126, wherever a wheel states it.

Builds that differ in their local version are different versions to every installer, so they never
compete as variants. The label says what the local version said.

Source: the specification of version specifiers, "Local version identifiers"; the binary
distribution format, ".dist-info" and ".data" folders.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider.tools.wheels.dist_info import metadata_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.wheels.name import WheelName
    from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

_VERSION: Final = re.compile(rb"(?mi)^(Version[ \t]*:[^+\r\n]*)\+[^\r\n]*")


def public_name(name: WheelName) -> WheelName:
    """Return the file name without the local version, ``torch-2.0-…`` of ``torch-2.0+cu126-…``."""
    return dataclasses.replace(name, version=_public(name.version))


def public_metadata(metadata: bytes) -> bytes:
    """Return METADATA with the public version; every other byte stays."""
    header = re.split(rb"\r?\n\r?\n", metadata, maxsplit=1)[0]
    return _VERSION.sub(rb"\1", header) + metadata[len(header) :]


def public_folders(wheel: OpenWheel) -> dict[str, str]:
    """Return the new names of the folders of the wheel that its version is a part of.

    These are ``.dist-info`` and the ``.data`` folder, which uv finds by the version.
    """
    stem = wheel.dist_info.removesuffix(".dist-info")
    project, _, version = stem.partition("-")
    tops = {entry.name.partition("/")[0] for entry in wheel.archive.entries}
    data = {top for top in tops if top.endswith(".data") and _is_of(top, project, version)}
    return {folder: _public_folder(folder) for folder in (wheel.dist_info, *sorted(data))}


def pins_of_local_versions(wheel: OpenWheel) -> Iterator[str]:
    """Yield the requirements that only a wheel with a local version meets: ``torch==2.0+cu126``."""
    for text in metadata_fields(wheel.metadata, "Requires-Dist"):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            # One with a variant marker, which is remarked on elsewhere.
            continue
        if any("+" in specifier.version for specifier in requirement.specifier):
            yield text


def _public(version: str) -> str:
    return version.partition("+")[0]


def _public_folder(folder: str) -> str:
    stem, dot, suffix = folder.rpartition(".")
    return f"{_public(stem)}{dot}{suffix}"


def _is_of(folder: str, project: str, version: str) -> bool:
    named, _, numbered = folder.removesuffix(".data").partition("-")
    return canonicalize_name(named) == canonicalize_name(project) and numbered == version
