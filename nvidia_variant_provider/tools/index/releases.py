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


class FaultyFolderError(InvalidValueError):
    """Wheels that cannot be listed, or that contradict each other; ``faults`` name them all.

    An index without them would be worse than none: a machine whose build is missing gets another
    one, the build for CPUs as a rule, without a word.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


@dataclass(frozen=True, slots=True)
class ListedFolder:
    """What lies in a folder: the files that an index lists, by name, and those it leaves out.

    ``faults`` are of wheels that pip or uv refuse, or whose variant metadata is not valid.
    """

    files: tuple[ListedFile, ...]
    misnamed: tuple[Misnamed, ...]
    faults: tuple[str, ...] = ()


def read_folder(folder: Path) -> ListedFolder:
    """Read the wheels and source distributions of a folder.

    Raises ``InvalidValueError`` for a folder without a wheel.
    """
    if not folder.is_dir():
        raise InvalidValueError(f"{folder}: {missing(str(folder))}")
    names = list_folder(str(folder))
    misnamed = tuple(_misnamed(folder, names))
    wrong = {it.path.name for it in misnamed}
    if not any(name.endswith(WHEEL_SUFFIX) and name not in wrong for name in names):
        seen = f"; {misnamed[0].reason}" if misnamed else ""
        raise InvalidValueError(f"{folder}: seen no wheel, expected at least one{seen}")
    files, faults = _read(folder, (it for it in names if it not in wrong))
    return ListedFolder(files, misnamed, faults)


def _misnamed(folder: Path, names: Iterable[str]) -> Iterator[Misnamed]:
    for name in names:
        if name.endswith(WHEEL_SUFFIX):
            try:
                published_name(str(folder / name))
            except InvalidValueError as error:
                yield Misnamed(folder / name, str(error))


def _read(folder: Path, names: Iterable[str]) -> tuple[tuple[ListedFile, ...], tuple[str, ...]]:
    """Return the files, and what is wrong with each wheel that cannot be listed."""
    found, faults = [], []
    for name in names:
        path = folder / name
        if name.endswith(WHEEL_SUFFIX):
            try:
                found.append(_read_wheel(path))
            except InvalidValueError as error:
                faults.append(str(error))
        elif name.endswith(SDIST_SUFFIXES) and (key := ReleaseKey.of_sdist(name)):
            # Hashed later: what cannot be read is told before anything is written.
            os.stat(path)
            found.append(ListedFile(path, key))
    return tuple(found), tuple(faults)


def _read_wheel(path: Path) -> ListedFile:
    wheel = read_wheel_file(str(path))
    if wheel.fault:
        raise InvalidValueError(f"{path}: {wheel.fault}")
    key, label = ReleaseKey.of_wheel(wheel.name), wheel.name.label
    variant = variant_metadata(wheel) if label else None
    return ListedFile(path, key, label, wheel.metadata, variant)


def group_releases(
    files: Sequence[ListedFile],
) -> tuple[tuple[ListedRelease, ...], tuple[str, ...]]:
    """Return the releases of some files, by project and version, with their metadata combined.

    The second part names the wheels that contradict each other, a sentence a release.
    """
    releases, faults = [], []
    groups: dict[ReleaseKey, list[ListedFile]] = {}
    for file in files:
        groups.setdefault(file.key, []).append(file)
    for key, members in sorted(groups.items()):
        described = [(str(file.path), file.variant) for file in members if file.variant is not None]
        try:
            metadata = union(described) if described else None
        except InvalidValueError as error:
            faults.append(str(error))
            continue
        releases.append(ListedRelease(key, tuple(members), metadata))
    return tuple(releases), tuple(faults)


def summary(release: ListedRelease) -> str:
    """Return one line about a release, for people."""
    kinds = Counter("sdist" if file.path.suffix != ".whl" else "wheel" for file in release.files)
    counts = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items())
    name, labels = release.key.metadata_name, release.labels
    shown = f"; {name}: {' '.join(labels)}" if labels else ""
    return f"{release.key.project} {release.key.version}: {counts}{shown}"
