"""The releases in a folder, as the index lists them: wheels and source distributions."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import missing
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
from nvidia_variant_provider.tools.releases.release import Release, combined

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from nvidia_variant_provider.tools.wheels.name import WheelName


@dataclass(frozen=True, slots=True)
class Misnamed:
    """A file that ends as a wheel does and has no wheel's name: no installer finds it."""

    path: Path
    reason: str


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
    ``InvalidValueError`` for a folder without a wheel, a label that no wheel has, and a wheel that
    pip or uv refuse, ``MetadataError`` for variant metadata that is not valid.
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
    opened = {key: [_opened(folder, wheel) for wheel in held[key].wheels] for key in sorted(held)}
    _check_labels(folder, only, (file for files in opened.values() for file in files))
    releases = [
        _release(folder, key, _only(only, files), held[key].sdists) for key, files in opened.items()
    ]
    some = tuple(release for release in releases if release.files)
    return ListedFolder(some, frozenset(held), misnamed)


def _misnamed(folder: Path, names: Iterable[str]) -> Iterator[Misnamed]:
    for name in names:
        if name.endswith(WHEEL_SUFFIX):
            try:
                published_name(str(folder / name))
            except InvalidValueError as error:
                yield Misnamed(folder / name, str(error))


def _opened(folder: Path, name: WheelName) -> WheelFile:
    path = str(folder / str(name))
    wheel = read_wheel_file(path)
    if wheel.fault:
        raise InvalidValueError(f"{path}: {wheel.fault}")
    return wheel


def _check_labels(folder: Path, only: Collection[str], wheels: Iterable[WheelFile]) -> None:
    labels = {wheel.name.label for wheel in wheels} - {""}
    if absent := sorted(set(only) - labels):
        known = ", ".join(sorted(labels))
        raise InvalidValueError(f"{folder}: no wheel with the label {absent[0]!r:.60}; has {known}")


def _only(labels: Collection[str], wheels: Iterable[WheelFile]) -> list[WheelFile]:
    return [it for it in wheels if not labels or not it.name.label or it.name.label in labels]


def _release(
    folder: Path, key: ReleaseKey, wheels: Sequence[WheelFile], sdists: Sequence[str]
) -> Release:
    """Return a release with the metadata of its wheels combined, and that as its document."""
    for name in sdists:
        # Hashed later: what cannot be read is told before anything is written.
        os.stat(folder / name)
    metadata = combined(wheels) if any(wheel.name.label for wheel in wheels) else None
    return Release(
        name=key.project,
        version=str(key.version),
        origin=str(folder),
        wheels=tuple(wheel.name for wheel in wheels),
        metadata=metadata,
        document=metadata.to_json().encode() if metadata else b"",
        document_name=key.metadata_name if metadata else "",
        sdists=tuple(sdists),
        opened=tuple(wheels),
    )


def summary(release: Release) -> str:
    """Return one line about a release, for people."""
    kinds = Counter("wheel" if it.endswith(WHEEL_SUFFIX) else "sdist" for it in release.files)
    counts = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items())
    labels = sorted(release.labels)
    shown = f"; {release.document_name}: {' '.join(labels)}" if labels else ""
    return f"{release.name} {release.version}: {counts}{shown}"
