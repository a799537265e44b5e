"""Reads paths into documents and releases; sizes and members are bounded before they are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeAlias

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import missing, read_bounded
from nvidia_variant_provider.tools.metadata.as_written import (
    PYPROJECT,
    Broken,
    Document,
    Kind,
    parse_document,
)
from nvidia_variant_provider.tools.metadata.reading import MAX_BYTES
from nvidia_variant_provider.tools.parsed import mapping, parse_toml, texts
from nvidia_variant_provider.tools.releases.files import (
    METADATA_SUFFIX,
    ReleaseKey,
    is_lock,
    list_folder,
    published_name,
    read_wheel_file,
)
from nvidia_variant_provider.tools.releases.release import Release
from nvidia_variant_provider.tools.wheels.dist_info import VARIANT_JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvidia_variant_provider.tools.releases.lock import Lock

_Key: TypeAlias = tuple[str, ReleaseKey]
# So much of a parser's complaint is shown.
_SHOWN: Final = 80


class Gathered:
    """The files of one run, sorted by release; they are read a release at a time."""

    def __init__(self) -> None:
        self.unnamed: list[str] = []
        self.misnamed: list[tuple[str, str]] = []
        self._unreleased: list[str] = []
        self._locks: list[str] = []
        self._indexes: dict[_Key, str] = {}
        self._wheels: dict[_Key, list[str]] = {}
        self._whole: set[str] = set()

    @property
    def documents(self) -> Iterator[Document]:
        """The documents that belong to no release."""
        for path in self._unreleased:
            is_project = os.path.basename(path) == PYPROJECT
            yield read_pyproject(path) if is_project else _read_json(path)

    @property
    def locks(self) -> Iterator[Lock]:
        """The lock files."""
        if not self._locks:
            return iter(())
        from nvidia_variant_provider.tools.releases.lock import read_lock

        return (read_lock(path, _source(path)) for path in self._locks)

    @property
    def releases(self) -> Iterator[Release]:
        """The releases that the files add up to, each read when it is asked for."""
        for key in sorted({*self._indexes, *self._wheels}):
            folder, (project, version) = key
            index = self._indexes.get(key, "")
            opened = tuple(read_wheel_file(path) for path in self._wheels.get(key, ()))
            yield Release(
                name=project,
                version=str(version),
                origin=folder,
                wheels=tuple(file.name for file in opened),
                metadata=None,
                listed=bool(index),
                document=_read_file(index) if index else b"",
                document_name=index,
                opened=opened,
                whole=folder in self._whole,
            )

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are read, as messages name them."""
        wheels = (path for paths in self._wheels.values() for path in paths)
        loose = (_source(path) for path in self._unreleased)
        return tuple(sorted({*loose, *self._locks, *self._indexes.values(), *wheels}))

    def add_path(self, path: str) -> None:
        """Take a file, or the files of a folder; raises ``InvalidValueError`` for neither."""
        if os.path.isdir(path):
            self._add_folder(path)
        elif not os.path.exists(path):
            raise InvalidValueError(f"{path}: {missing(str(path))}")
        elif not self._add_file(path):
            raise InvalidValueError(
                f"{path}: expected a wheel, a JSON file, pyproject.toml, pylock.toml or a folder"
            )

    def _add_folder(self, folder: str) -> None:
        names = list_folder(folder)
        wanted = [
            name for name in names if name.endswith((".whl", METADATA_SUFFIX)) or is_lock(name)
        ]
        # Most projects' files say nothing of variants: only one that is named has to.
        if PYPROJECT in names and _has_variants(os.path.join(folder, PYPROJECT)):
            wanted.append(PYPROJECT)
        if not wanted:
            kinds = f"no wheel, no *{METADATA_SUFFIX}, no {PYPROJECT}, no pylock.toml"
            raise InvalidValueError(f"{folder}: {kinds}")
        self._whole.add(folder)
        for name in wanted:
            path = os.path.join(folder, name)
            try:
                self._add_file(path)
            except InvalidValueError as error:
                # One wrong name is a finding, and everything else is judged all the same.
                self.misnamed.append((path, str(error)))

    def _add_file(self, path: str) -> bool:
        folder, name = os.path.split(path)
        if name.endswith(".whl"):
            key = (folder, ReleaseKey.of_wheel(published_name(path)))
            self._wheels.setdefault(key, []).append(path)
        elif name == PYPROJECT:
            self._unreleased.append(path)
        elif is_lock(name):
            self._locks.append(path)
        elif name.endswith(".json"):
            self._add_json(path, folder, name)
        else:
            return False
        return True

    def _add_json(self, path: str, folder: str, name: str) -> None:
        if release := ReleaseKey.of_metadata(name):
            self._indexes[(folder, release)] = path
            return
        if name.endswith(METADATA_SUFFIX):
            self.unnamed.append(path)
        self._unreleased.append(path)


def _source(path: str) -> str:
    return f"{path}[variant]" if os.path.basename(path) == PYPROJECT else path


def _read_json(path: str) -> Document:
    kind = Kind.WHEEL if os.path.basename(path) == VARIANT_JSON else Kind.RELEASE
    return parse_document(_read_file(path), path, kind)


_NO_TABLE: Final = "no table [variant]"


def read_pyproject(path: str) -> Document:
    """Read the table ``[variant]``; a file without one, or no TOML, is a broken document."""
    source = _source(path)
    try:
        whole = parse_toml(_read_file(path))
    except (ValueError, RecursionError) as error:
        reason = str(error)[:_SHOWN]
        return Document(source, Kind.PYPROJECT, {}, broken=Broken.SYNTAX, reason=reason)
    raw = whole.get("variant")
    if not isinstance(raw, dict):
        return Document(source, Kind.PYPROJECT, {}, broken=Broken.SYNTAX, reason=_NO_TABLE)
    requirements = tuple(_requirements(whole))
    return Document(source, Kind.PYPROJECT, raw, requirements=requirements)


def _requirements(whole: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Yield every requirement that a project states, with the key it stands under."""
    project = mapping(whole.get("project"))
    for text in texts(project.get("dependencies")):
        yield "project/dependencies", text
    optional = ("project/optional-dependencies", project.get("optional-dependencies"))
    for key, table in (optional, ("dependency-groups", whole.get("dependency-groups"))):
        for name, group in mapping(table).items():
            yield from ((f"{key}/{name}", text) for text in texts(group))


def _has_variants(path: str) -> bool:
    """Tell whether a project has the table ``[variant]``, or a file that cannot be read."""
    document = read_pyproject(path)
    return document.broken is None or document.reason != _NO_TABLE


def gather(paths: Iterable[str]) -> Gathered:
    """Sort the files of all paths; raises ``InvalidValueError`` for one that is nothing to lint."""
    gathered = Gathered()
    for path in paths:
        gathered.add_path(path)
    return gathered


def _read_file(path: str) -> bytes:
    return read_bounded(path, MAX_BYTES)
