"""The releases in a folder, as the index lists them: wheels and source distributions."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import missing
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.releases.files import (
    SDIST_SUFFIXES,
    WHEEL_SUFFIX,
    ReleaseKey,
    list_folder,
    published_name,
    read_wheel_file,
)
from nvidia_variant_provider.tools.releases.release import variant_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import VariantMetadata


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A wheel or source distribution; ``label`` is empty unless it is a variant wheel.

    ``core`` is the wheel's METADATA, empty for a source distribution.
    """

    path: Path
    key: ReleaseKey
    label: str = ""
    core: bytes = field(default=b"", repr=False)
    variant: VariantMetadata | None = None


@dataclass(frozen=True, slots=True)
class ListedRelease:
    """One version of a project: its files, and its metadata if variants are among them."""

    key: ReleaseKey
    files: tuple[ListedFile, ...]
    metadata: VariantMetadata | None

    @property
    def labels(self) -> list[str]:
        """The variant labels, sorted."""
        return sorted({file.label for file in self.files if file.label})


@dataclass(frozen=True, slots=True)
class Misnamed:
    """A file that ends as a wheel does and has no wheel's name: no installer finds it."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ListedFolder:
    """What lies in a folder: the files that an index lists, by name, and those it leaves out."""

    files: tuple[ListedFile, ...]
    misnamed: tuple[Misnamed, ...]


def read_folder(folder: Path) -> ListedFolder:
    """Read the wheels and source distributions of a folder.

    Raises ``InvalidValueError`` for a folder without a wheel and for a wheel that pip or uv refuse,
    ``MetadataError`` for variant metadata that is not valid.
    """
    if not folder.is_dir():
        raise InvalidValueError(f"{folder}: {missing(str(folder))}")
    names = list_folder(str(folder))
    misnamed = tuple(_misnamed(folder, names))
    wrong = {it.path.name for it in misnamed}
    if not any(name.endswith(WHEEL_SUFFIX) and name not in wrong for name in names):
        seen = f"; {misnamed[0].reason}" if misnamed else ""
        raise InvalidValueError(f"{folder}: seen no wheel, expected at least one{seen}")
    return ListedFolder(tuple(_read(folder, (it for it in names if it not in wrong))), misnamed)


def _misnamed(folder: Path, names: Iterable[str]) -> Iterator[Misnamed]:
    for name in names:
        if name.endswith(WHEEL_SUFFIX):
            try:
                published_name(str(folder / name))
            except InvalidValueError as error:
                yield Misnamed(folder / name, str(error))


def _read(folder: Path, names: Iterable[str]) -> Iterator[ListedFile]:
    for name in names:
        path = folder / name
        if name.endswith(WHEEL_SUFFIX):
            yield _read_wheel(path)
        elif name.endswith(SDIST_SUFFIXES) and (key := ReleaseKey.of_sdist(name)):
            # Hashed later: what cannot be read is told before anything is written.
            os.stat(path)
            yield ListedFile(path, key)


def _read_wheel(path: Path) -> ListedFile:
    wheel = read_wheel_file(str(path))
    if wheel.fault:
        raise InvalidValueError(f"{path}: {wheel.fault}")
    key, label = ReleaseKey.of_wheel(wheel.name), wheel.name.label
    variant = variant_metadata(wheel) if label else None
    return ListedFile(path, key, label, wheel.metadata, variant)


def group_releases(files: Sequence[ListedFile]) -> Iterator[ListedRelease]:
    """Yield the releases of some files, by project and version, with their metadata combined."""
    groups: dict[ReleaseKey, list[ListedFile]] = {}
    for file in files:
        groups.setdefault(file.key, []).append(file)
    for key, members in sorted(groups.items()):
        described = [(str(file.path), file.variant) for file in members if file.variant is not None]
        metadata = union(described) if described else None
        yield ListedRelease(key, tuple(members), metadata)


def summary(release: ListedRelease) -> str:
    """Return one line about a release, for people."""
    kinds = Counter("sdist" if file.path.suffix != ".whl" else "wheel" for file in release.files)
    counts = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items())
    name, labels = release.key.metadata_name, release.labels
    shown = f"; {name}: {' '.join(labels)}" if labels else ""
    return f"{release.key.project} {release.key.version}: {counts}{shown}"
