"""Files of releases: which release a file belongs to by its name, and what a wheel says of itself.

One rule for folders, index pages and lists of paths, so that every tool sees the same releases.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from packaging.utils import (
    InvalidSdistFilename,
    canonicalize_name,
    is_normalized_name,
    parse_sdist_filename,
)
from packaging.version import InvalidVersion, Version

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.wheels.name import WheelName
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

WHEEL_SUFFIX: Final = ".whl"
METADATA_SUFFIX: Final = "-variants.json"
LOCK_SUFFIX: Final = ".toml"
_LOCK: Final = re.compile(r"pylock(\.[^.]+)?\.toml")
SDIST_SUFFIXES: Final = (".tar.gz", ".zip")
# A mirror of one project has thousands of wheels, never this many.
MAX_FILES: Final = 100_000


def is_lock(name: str) -> bool:
    """Tell whether a file's name is that of a lock file: ``pylock.toml``, ``pylock.gpu.toml``."""
    return _LOCK.fullmatch(name) is not None


def published_name(path: str) -> WheelName:
    """Return the name of a wheel that is to be published, stricter than installers read names.

    Raises ``InvalidValueError`` naming the file.
    """
    name = os.path.basename(path)
    if name.endswith(2 * WHEEL_SUFFIX):
        # "cu.whl" would be a label, and nobody's.
        raise InvalidValueError(f".whl stands twice in {name[:200]!r}; expected it once")
    return WheelName.parse(name)


class ReleaseKey(NamedTuple):
    """What tells releases apart: the normalised name and the version."""

    project: str
    version: Version

    @property
    def metadata_name(self) -> str:
        """The name of the metadata file: ``foo_bar-1.0-variants.json`` for ``foo-bar`` 1.0."""
        return f"{self.project.replace('-', '_')}-{self.version}{METADATA_SUFFIX}"

    @classmethod
    def of_wheel(cls, name: WheelName) -> ReleaseKey:
        """Return the release of a wheel."""
        return cls(canonicalize_name(name.name), Version(name.version))

    @classmethod
    def of_metadata(cls, name: str) -> ReleaseKey | None:
        """Return the release of a metadata file; ``None`` for a name that no installer looks for.

        Name and version have to be without hyphens: uv splits there, and does not look at
        ``foo-bar-1.0-variants.json``.
        """
        project, _, version = name.removesuffix(METADATA_SUFFIX).partition("-")
        return _key(project, version) if name.endswith(METADATA_SUFFIX) else None

    @classmethod
    def of_sdist(cls, name: str) -> ReleaseKey | None:
        """Return the release of a source distribution; ``None`` for another archive."""
        try:
            project, version = parse_sdist_filename(name)
        except InvalidSdistFilename:
            return None
        # Names that are none, with markup in them say, are accepted up to here.
        return cls(project, version) if is_normalized_name(project) else None


def _key(project: str, version: str) -> ReleaseKey | None:
    normalised = canonicalize_name(project)
    try:
        return ReleaseKey(normalised, Version(version)) if is_normalized_name(normalised) else None
    except InvalidVersion:
        return None


@dataclass(slots=True)
class ReleaseFiles:
    """The files of one release by their names; ``metadata`` is "" where there is no such file."""

    wheels: list[WheelName]
    sdists: list[str]
    metadata: str = ""


class SortedNames:
    """Names of files, sorted into releases.

    ``misnamed`` are metadata files that no installer looks for, ``ignored`` all that is neither a
    wheel, nor metadata, nor a source distribution.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.releases: dict[ReleaseKey, ReleaseFiles] = {}
        self.misnamed: list[str] = []
        self.ignored: list[str] = []
        for name in sorted(names):
            self._add(name)

    def _add(self, name: str) -> None:
        if name.endswith(WHEEL_SUFFIX):
            try:
                wheel = WheelName.parse(name)
            except InvalidValueError:
                self.ignored.append(name)
            else:
                self._files(ReleaseKey.of_wheel(wheel)).wheels.append(wheel)
        elif name.endswith(METADATA_SUFFIX):
            key = ReleaseKey.of_metadata(name)
            if key is None:
                self.misnamed.append(name)
            else:
                self._files(key).metadata = name
        elif name.endswith(SDIST_SUFFIXES) and (sdist := ReleaseKey.of_sdist(name)):
            self._files(sdist).sdists.append(name)
        else:
            self.ignored.append(name)

    def _files(self, key: ReleaseKey) -> ReleaseFiles:
        return self.releases.setdefault(key, ReleaseFiles([], []))


def list_folder(folder: str, most: int = MAX_FILES) -> list[str]:
    """Return the names in a folder; raises ``InvalidValueError`` for more than ``most``."""
    names = sorted(os.listdir(folder))
    if len(names) > most:
        raise InvalidValueError(f"{folder}: {len(names)} files, expected at most {most}")
    return names


@dataclass(frozen=True, slots=True)
class WheelFile:
    """What a wheel says of itself.

    ``path`` is its path, or its address in an index. ``metadata`` is METADATA, ``variant`` the
    content of ``variant.json`` if it has one, and ``variant_source`` its name for messages.
    ``fault`` says why pip or uv refuse the wheel, or why readers could disagree about it; it is
    empty if nobody does, and the other fields are if it is not. ``unread`` says why a wheel of an
    index could not be looked at.
    """

    path: str
    name: WheelName
    metadata: bytes = b""
    variant: bytes | None = None
    variant_source: str = ""
    fault: str = ""
    unread: str = ""


def read_wheel_file(path: str) -> WheelFile:
    """Open a wheel once and read what it says of itself; a faulty one is returned with the fault.

    Raises ``InvalidValueError`` if its name is not that of a wheel.
    """
    # Whoever only sorts names does not wait for the reader of wheels.
    from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

    name = WheelName.parse(os.path.basename(path))
    try:
        from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

        with OpenWheel(path) as wheel:
            wheel.check()
            return WheelFile(path, name, wheel.metadata, wheel.variant_json, wheel.variant_source)
    except InvalidValueError as error:
        # The path is told by whoever shows the fault.
        return WheelFile(path, name, fault=str(error).removeprefix(f"{path}: "))
    except OSError as error:
        return WheelFile(path, name, fault=error.strerror or str(error))
