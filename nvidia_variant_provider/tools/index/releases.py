"""The releases in a folder: wheels and source distributions by project and version."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import Version

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.lint.sources import INDEX_SUFFIX, MAX_FILES, read_members
from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import VariantMetadata

_SDISTS: Final = (".tar.gz", ".zip")


@dataclass(frozen=True, slots=True)
class File:
    """A wheel or source distribution; ``label`` is empty unless it is a variant wheel.

    ``core`` is the wheel's METADATA, empty for a source distribution.
    """

    path: Path
    project: str
    version: Version
    label: str = ""
    core: bytes = field(default=b"", repr=False)
    variant: VariantMetadata | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a project: its files, and its metadata if variants are among them."""

    project: str
    version: Version
    files: tuple[File, ...]
    metadata: VariantMetadata | None

    @property
    def metadata_name(self) -> str:
        """The name of the release's metadata file, normalised as wheels' names are."""
        return f"{self.project.replace('-', '_')}-{self.version}{INDEX_SUFFIX}"


def read_files(folder: Path) -> Iterator[File]:
    """Yield the wheels and source distributions of a folder, by name.

    Raises ``InvalidValueError`` for a folder without a wheel, ``MetadataError`` for a bad one.
    """
    if not folder.is_dir():
        raise InvalidValueError(f"{folder}: no such folder")
    names = sorted(os.listdir(folder))
    if len(names) > MAX_FILES:
        raise InvalidValueError(f"{folder}: {len(names)} files, expected at most {MAX_FILES}")
    if not any(it.endswith(".whl") for it in names):
        raise InvalidValueError(f"{folder}: seen no wheel, expected at least one")
    for name in names:
        if name.endswith(".whl"):
            yield _read_wheel(folder / name)
        elif name.endswith(_SDISTS):
            # An archive of another name is no source distribution, and nobody's fault.
            with contextlib.suppress(InvalidSdistFilename):
                project, version = parse_sdist_filename(name)
                yield File(folder / name, project, version)


def _read_wheel(path: Path) -> File:
    name = WheelName.parse(path.name)
    members = read_members(str(path), name)
    variant = None
    if name.label:
        if members.variant is None:
            raise MetadataError(str(path), "", "no variant.json", f"one for {name.label}")
        source = f"{path}!{members.variant_name}"
        variant = parse_wheel_metadata(members.variant, source, name.label)
    project = canonicalize_name(name.name)
    return File(path, project, Version(name.version), name.label, members.metadata, variant)


def group_releases(files: Sequence[File]) -> Iterator[Release]:
    """Yield the releases of some files, by project and version, with their metadata combined."""
    groups: dict[tuple[str, Version], list[File]] = {}
    for file in files:
        groups.setdefault((file.project, file.version), []).append(file)
    for (project, version), members in sorted(groups.items()):
        described = [(str(it.path), it.variant) for it in members if it.variant is not None]
        metadata = union(described) if described else None
        yield Release(project, version, tuple(members), metadata)


def summary(release: Release) -> str:
    """Return one line about a release, for people."""
    kinds = Counter("sdist" if it.path.suffix != ".whl" else "wheel" for it in release.files)
    counts = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items())
    labels = sorted({it.label for it in release.files if it.label})
    shown = f"; {release.metadata_name}: {' '.join(labels)}" if labels else ""
    return f"{release.project} {release.version}: {counts}{shown}"
