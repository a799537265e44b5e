"""The releases in a folder, as the index lists them: wheels and source distributions."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import missing
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.releases.files import (
    METADATA_SUFFIX,
    WHEEL_SUFFIX,
    ReleaseKey,
    SortedNames,
    WheelFile,
    list_folder,
    published_name,
    read_wheel_file,
)
from nvidia_variant_provider.tools.releases.release import Release, variant_metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from nvidia_variant_provider.tools.metadata.model import VariantMetadata
    from nvidia_variant_provider.tools.wheels.name import WheelName


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
    """What lies in a folder: the releases that an index lists, and the files it leaves out.

    ``keys`` are those of all releases, also of one of which no file is kept.
    """

    releases: tuple[Release, ...]
    keys: frozenset[ReleaseKey]
    misnamed: tuple[Misnamed, ...]


def read_folder(folder: Path, only: Collection[str] = ()) -> ListedFolder:
    """Read the wheels and source distributions of a folder.

    ``only`` keeps the variant wheels of these labels, and every file without a label. Raises
    ``InvalidValueError`` for a folder without a wheel and for a label that no wheel has,
    ``FaultyFolderError`` for wheels that pip or uv refuse or whose variant metadata is not valid.
    """
    if not folder.is_dir():
        raise InvalidValueError(f"{folder}: {missing(str(folder))}")
    names = list_folder(str(folder))
    misnamed = tuple(_misnamed(folder, names))
    wrong = {wheel.path.name for wheel in misnamed}
    kept = [name for name in names if name not in wrong]
    if not any(name.endswith(WHEEL_SUFFIX) for name in kept):
        seen = f"; {misnamed[0].reason}" if misnamed else ""
        raise InvalidValueError(f"{folder}: seen no wheel, expected at least one{seen}")
    # The metadata is made of the wheels, whatever an earlier run has left.
    held = SortedNames(name for name in kept if not name.endswith(METADATA_SUFFIX)).releases
    faults: list[str] = []
    opened = {key: list(_opened(folder, held[key].wheels, faults)) for key in sorted(held)}
    if not faults:
        _check_labels(folder, only, (wheel for wheels in opened.values() for wheel in wheels))
    releases: list[Release] = []
    for key, wheels in opened.items():
        kept_wheels = _only(only, wheels)
        try:
            releases.append(_release(folder, key, kept_wheels, held[key].sdists))
        except InvalidValueError as error:
            faults.append(str(error))
    if faults:
        raise FaultyFolderError(faults)
    listed = tuple(release for release in releases if release.files)
    return ListedFolder(listed, frozenset(held), misnamed)


def _misnamed(folder: Path, names: Iterable[str]) -> Iterator[Misnamed]:
    for name in names:
        if name.endswith(WHEEL_SUFFIX):
            try:
                published_name(str(folder / name))
            except InvalidValueError as error:
                yield Misnamed(folder / name, str(error))


class _Wheel(NamedTuple):
    """A wheel with the metadata that it carries, if it is a variant."""

    file: WheelFile
    variant: VariantMetadata | None

    @property
    def label(self) -> str:
        return self.file.name.label


def _opened(folder: Path, names: Iterable[WheelName], faults: list[str]) -> Iterator[_Wheel]:
    """Yield the wheels that can be listed, and tell what is wrong with the others."""
    for name in names:
        file = read_wheel_file(str(folder / str(name)))
        if file.fault:
            faults.append(f"{file.path}: {file.fault}")
            continue
        try:
            yield _Wheel(file, variant_metadata(file) if name.label else None)
        except InvalidValueError as error:
            faults.append(str(error))


def _check_labels(folder: Path, only: Collection[str], wheels: Iterable[_Wheel]) -> None:
    labels = {wheel.label for wheel in wheels} - {""}
    if absent := sorted(set(only) - labels):
        known = ", ".join(sorted(labels))
        raise InvalidValueError(f"{folder}: no wheel with the label {absent[0]!r:.60}; has {known}")


def _only(labels: Collection[str], wheels: Iterable[_Wheel]) -> list[_Wheel]:
    return [wheel for wheel in wheels if not labels or not wheel.label or wheel.label in labels]


def _release(
    folder: Path, key: ReleaseKey, wheels: Sequence[_Wheel], sdists: Sequence[str]
) -> Release:
    """Return a release with the metadata of its wheels combined, and that as its document."""
    for name in sdists:
        # Hashed later: what cannot be read is told before anything is written.
        os.stat(folder / name)
    variants = [(wheel.file.path, wheel.variant) for wheel in wheels if wheel.variant is not None]
    metadata = union(variants) if variants else None
    return Release(
        name=key.project,
        version=str(key.version),
        origin=str(folder),
        wheels=tuple(wheel.file.name for wheel in wheels),
        metadata=metadata,
        document=metadata.to_json().encode() if metadata else b"",
        document_name=key.metadata_name if metadata else "",
        sdists=tuple(sdists),
        opened=tuple(wheel.file for wheel in wheels),
    )


def summary(release: Release) -> str:
    """Return one line about a release, for people."""
    kinds = Counter("wheel" if name.endswith(WHEEL_SUFFIX) else "sdist" for name in release.files)
    counts = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items())
    labels = sorted(release.labels)
    shown = f"; {release.document_name}: {' '.join(labels)}" if labels else ""
    return f"{release.name} {release.version}: {counts}{shown}"
