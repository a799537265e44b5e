"""A release as coverage sees it: its variants, and the wheels there are of each.

SOURCE is a folder with wheels and ``-variants.json`` files, as a flat index has them, or one
``-variants.json``.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.metadata import MAX_BYTES, parse_metadata
from nvidia_variant_provider.wheel_name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvidia_variant_provider.metadata import VariantMetadata

_METADATA_NAME: Final = re.compile(r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[^-]+)-variants\.json")
_REQUIREMENT: Final = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:==(?P<version>[\w.+!]+))?")
_ANY: Final = "any"
_WINDOWS: Final = {"x86_64": "win_amd64", "aarch64": "win_arm64"}
_LINUX: Final = ("manylinux", "musllinux", "linux")
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Release:
    """The variants of one release. ``wheels`` is ``None`` where only the metadata is at hand."""

    name: str
    version: str
    metadata: VariantMetadata
    wheels: tuple[WheelName, ...] | None = None
    folder: str = ""

    def labels(self, system: str, architecture: str) -> frozenset[str]:
        """Return the labels that have a wheel for a platform; all, if no wheels are known."""
        if self.wheels is None:
            return frozenset(self.metadata.variants)
        return frozenset(
            wheel.label
            for wheel in self.wheels
            if wheel.label in self.metadata.variants and fits(wheel, system, architecture)
        )

    def has_ordinary(self, system: str, architecture: str) -> bool:
        """Whether a wheel without a label fits a platform; unknown counts as no."""
        return any(
            not wheel.label and fits(wheel, system, architecture) for wheel in self.wheels or ()
        )

    def with_labels(self, labels: Iterable[str]) -> Release:
        """Return the release as a mirror with these labels has it; "" is the ordinary wheel."""
        kept = frozenset(labels)
        variants = {
            label: stated for label, stated in self.metadata.variants.items() if label in kept
        }
        wheels = self.wheels
        if wheels is not None:
            wheels = tuple(wheel for wheel in wheels if wheel.label in kept)
        metadata = self.metadata.model_copy(update={"variants": variants})
        return Release(self.name, self.version, metadata, wheels, self.folder)


def fits(wheel: WheelName, system: str, architecture: str) -> bool:
    """Tell whether a wheel's platform tags admit a system and a processor architecture."""
    for tag in wheel.platforms:
        if tag == _ANY:
            return True
        if system == "linux" and tag.startswith(_LINUX) and tag.endswith(f"_{architecture}"):
            return True
        if system == "win32" and tag == _WINDOWS.get(architecture):
            return True
    return False


def read_release(source: str, package: str = "") -> Release:
    """Read a release from a folder or a ``-variants.json``; ``package`` is ``torch==2.15.0``.

    Without a version it is the newest one with variants. Raises ``MetadataError`` or
    ``InvalidValueError`` naming what is missing.
    """
    if not os.path.isdir(source):
        name, version = _named(os.path.basename(source))
        return Release(name, version, _read_metadata(source))
    wanted = _REQUIREMENT.fullmatch(package)
    if package and wanted is None:
        raise InvalidValueError(f"not a package such as 'torch==2.15.0': {package[:60]!r}")
    names = sorted(os.listdir(source))
    found = [match for name in names if (match := _METADATA_NAME.fullmatch(name))]
    chosen = _choose(source, found, wanted)
    metadata = _read_metadata(os.path.join(source, chosen[0]))
    wheels = tuple(
        wheel
        for wheel in _wheels(names)
        if canonicalize_name(wheel.name) == canonicalize_name(chosen["name"])
        and _same(wheel.version, chosen["version"])
    )
    return Release(chosen["name"], chosen["version"], metadata, wheels, source)


def hash_of(release: Release, wheel: WheelName) -> str:
    """Return the SHA-256 of a wheel of the release, as hexadecimal digits."""
    digest = hashlib.sha256()
    path = os.path.join(release.folder, str(wheel))
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise MetadataError(str(wheel), "", error.strerror or "", "a readable wheel") from error
    return digest.hexdigest()


def _choose(source: str, found: list[re.Match[str]], wanted: re.Match[str] | None) -> re.Match[str]:
    fitting = [
        match
        for match in found
        if wanted is None
        or (
            canonicalize_name(match["name"]) == canonicalize_name(wanted["name"])
            and (not wanted["version"] or _same(match["version"], wanted["version"]))
        )
    ]
    if not fitting:
        what = wanted[0] if wanted else "any package"
        seen = ", ".join(match[0] for match in found[:4]) or "no metadata of variants"
        raise MetadataError(source, "", seen, f"a file NAME-VERSION-variants.json of {what}")
    if len({canonicalize_name(match["name"]) for match in fitting}) > 1:
        listed = ", ".join(sorted({match["name"] for match in fitting})[:6])
        raise MetadataError(source, "", f"several packages ({listed})", "--package to name one")
    return max(fitting, key=lambda match: _version(source, match["version"]))


def _wheels(names: Iterable[str]) -> Iterator[WheelName]:
    for name in names:
        if name.endswith(".whl"):
            try:
                yield WheelName.parse(name)
            except InvalidValueError:
                continue  # no installer takes such a file either


def _read_metadata(path: str) -> VariantMetadata:
    name = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            return parse_metadata(file.read(MAX_BYTES + 1), name)
    except OSError as error:
        raise MetadataError(
            path, "", error.strerror or "", "a folder or a -variants.json"
        ) from error


def _named(name: str) -> tuple[str, str]:
    match = _METADATA_NAME.fullmatch(name)
    return (match["name"], match["version"]) if match else (name.removesuffix(".json"), "")


def _same(left: str, right: str) -> bool:
    try:
        return Version(left) == Version(right)
    except InvalidVersion:
        return left == right


def _version(source: str, text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise MetadataError(source, "", text, "a version such as 2.15.0") from error
