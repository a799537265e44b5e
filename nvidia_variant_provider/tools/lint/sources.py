"""Reads paths into documents and releases; sizes and members are bounded before they are read."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
import zlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from packaging.utils import canonicalize_name, canonicalize_version

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.lint.subject import (
    Broken,
    Document,
    Kind,
    Release,
    Wheel,
    mapping,
    texts,
)
from nvidia_variant_provider.tools.metadata.document import WHEEL_METADATA_NAME
from nvidia_variant_provider.tools.metadata.reading import MAX_BYTES
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A mirror of one project has thousands of wheels, never this many.
MAX_FILES: Final = 100_000

INDEX_SUFFIX: Final = "-variants.json"
PYPROJECT: Final = "pyproject.toml"
# Folder, normalised name and version of a release.
_Key: TypeAlias = tuple[str, str, str]
_SHOWN: Final = 80


class Gathered:
    """The files of one run, sorted by release; they are read a release at a time."""

    def __init__(self) -> None:
        self.unnamed: list[str] = []
        self._loose: list[str] = []
        self._indexes: dict[_Key, str] = {}
        self._wheels: dict[_Key, list[str]] = {}
        self._whole: set[str] = set()

    @property
    def loose(self) -> Iterator[Document]:
        """The documents that belong to no release."""
        for path in self._loose:
            is_project = os.path.basename(path) == PYPROJECT
            yield read_pyproject(path) if is_project else _read_json(path)

    @property
    def releases(self) -> Iterator[Release]:
        """The releases that the files add up to, each read when it is asked for."""
        for key in sorted({*self._indexes, *self._wheels}):
            folder, name, version = key
            index = self._indexes.get(key)
            yield Release(
                title=f"{name} {version}",
                index=None if index is None else _read_json(index),
                wheels=tuple(read_wheel(path) for path in self._wheels.get(key, ())),
                whole=folder in self._whole,
            )

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are read, as messages name them."""
        wheels = (path for found in self._wheels.values() for path in found)
        loose = (_source(path) for path in self._loose)
        return tuple(sorted({*loose, *self._indexes.values(), *wheels}))

    def add_path(self, path: str) -> None:
        """Take a file, or the files of a folder; raises ``InvalidValueError`` for neither."""
        if os.path.isdir(path):
            self._add_folder(path)
        elif not os.path.isfile(path):
            raise InvalidValueError(f"{path}: no such file or folder")
        elif not self._add_file(path):
            raise InvalidValueError(
                f"{path}: expected a wheel, a JSON file, pyproject.toml or a folder"
            )

    def _add_folder(self, folder: str) -> None:
        names = sorted(os.listdir(folder))
        if len(names) > MAX_FILES:
            raise InvalidValueError(f"{folder}: {len(names)} files, expected at most {MAX_FILES}")
        wanted = [it for it in names if it.endswith((".whl", INDEX_SUFFIX))]
        # Most projects' files say nothing of variants: only one that is named has to.
        if PYPROJECT in names and _speaks_of_variants(os.path.join(folder, PYPROJECT)):
            wanted.append(PYPROJECT)
        if not wanted:
            raise InvalidValueError(f"{folder}: no wheel, no *{INDEX_SUFFIX}, no {PYPROJECT}")
        self._whole.add(folder)
        for name in wanted:
            self._add_file(os.path.join(folder, name))

    def _add_file(self, path: str) -> bool:
        folder, name = os.path.split(path)
        if name.endswith(".whl"):
            wheel = WheelName.parse(name)
            key = (folder, *_release(wheel.name, wheel.version))
            self._wheels.setdefault(key, []).append(path)
        elif name == PYPROJECT:
            self._loose.append(path)
        elif name.endswith(".json"):
            self._add_json(path, folder, name)
        else:
            return False
        return True

    def _add_json(self, path: str, folder: str, name: str) -> None:
        parts = name.removesuffix(INDEX_SUFFIX).split("-")
        if name.endswith(INDEX_SUFFIX) and len(parts) == len(("name", "version")):
            self._indexes[(folder, *_release(*parts))] = path
            return
        if name.endswith(INDEX_SUFFIX):
            self.unnamed.append(path)
        self._loose.append(path)


class Members(NamedTuple):
    """What a wheel says of itself: its metadata, and its variant metadata if it has any."""

    metadata: bytes
    variant_name: str
    variant: bytes | None


def read_members(path: str, name: WheelName) -> Members:
    """Read the two files from the wheel's own ``.dist-info``, whatever spelling it has.

    Raises ``MetadataError`` naming the wheel, for a damaged archive too.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            folder = _dist_info(archive, name, path)
            metadata = read_member(archive, f"{folder}/METADATA", path)
            member = f"{folder}/{WHEEL_METADATA_NAME}"
            is_variant = member in archive.namelist()
            return Members(
                metadata, member, read_member(archive, member, path) if is_variant else None
            )
    except MetadataError:
        raise
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        seen = str(error)[:_SHOWN] or type(error).__name__
        raise MetadataError(path, "", seen, "a wheel that can be read") from error


def read_wheel(path: str) -> Wheel:
    """Read what a wheel says of itself; a damaged one is returned with the reason.

    Raises ``InvalidValueError`` if its name is not that of a wheel.
    """
    name = WheelName.parse(os.path.basename(path))
    try:
        members = read_members(path, name)
    except MetadataError as error:
        where = f"{error.key}: " if error.key else ""
        return Wheel(path, name, reason=f"{where}seen {error.seen}, expected {error.expected}")
    requires = tuple(metadata_fields(members.metadata, "Requires-Dist"))
    if members.variant is None:
        return Wheel(path, name, requires=requires)
    source = f"{path}!{members.variant_name}"
    document = parse_document(members.variant, source, Kind.WHEEL)
    return Wheel(path, name, replace(document, label=name.label), requires)


def read_member(archive: zipfile.ZipFile, member: str, source: str) -> bytes:
    """Read one member of a wheel; raises ``MetadataError`` if it is absent or too large."""
    try:
        with archive.open(member) as file:
            data = file.read(MAX_BYTES + 1)
    except KeyError as error:
        raise MetadataError(source, member, "no such member", "this member") from error
    if len(data) > MAX_BYTES:
        raise MetadataError(source, member, "more bytes", f"at most {MAX_BYTES} bytes")
    return data


def parse_document(data: bytes, source: str, kind: Kind) -> Document:
    """Parse JSON as installers do; what is no JSON object becomes a broken document."""
    if len(data) > MAX_BYTES:
        reason = f"{len(data)} bytes, expected at most {MAX_BYTES}"
        return Document(source, kind, {}, broken=Broken.SYNTAX, reason=reason)
    repeated: list[str] = []

    def collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
        counts = Counter(key for key, _ in pairs)
        repeated.extend(key for key, count in counts.items() if count > 1)
        return dict(pairs)

    try:
        # The text is decoded here: json.loads would guess UTF-16, which no installer reads.
        raw = json.loads(data.decode("utf-8"), object_pairs_hook=collect)
    except (ValueError, RecursionError) as error:
        return Document(source, kind, {}, data, broken=Broken.SYNTAX, reason=str(error)[:_SHOWN])
    if not isinstance(raw, dict):
        reason = f"seen {type(raw).__name__}, expected an object"
        return Document(source, kind, {}, data, broken=Broken.SYNTAX, reason=reason)
    if repeated:
        return Document(source, kind, raw, data, broken=Broken.REPEATED, reason=repeated[0])
    return Document(source, kind, raw, data)


def _source(path: str) -> str:
    return f"{path}[variant]" if os.path.basename(path) == PYPROJECT else path


def _read_json(path: str) -> Document:
    kind = Kind.WHEEL if os.path.basename(path) == WHEEL_METADATA_NAME else Kind.RELEASE
    return parse_document(_read_file(path), path, kind)


_NO_TABLE: Final = "no table [variant]"


def read_pyproject(path: str) -> Document:
    """Read the table ``[variant]``; a file without one, or no TOML, is a broken document."""
    source = _source(path)
    if sys.version_info < (3, 11):
        import tomli as tomllib
    else:
        import tomllib
    try:
        whole = tomllib.loads(_read_file(path).decode("utf-8"))
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


def _speaks_of_variants(path: str) -> bool:
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
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)


def _release(name: str, version: str) -> tuple[str, str]:
    return canonicalize_name(name), canonicalize_version(version)


def _dist_info(archive: zipfile.ZipFile, name: WheelName, path: str) -> str:
    folders = {it.partition("/")[0] for it in archive.namelist()}
    wanted = _release(name.name, name.version)
    for folder in sorted(folders):
        stem = folder.removesuffix(".dist-info")
        project, _, version = stem.partition("-")
        if stem != folder and _release(project, version) == wanted:
            return folder
    raise MetadataError(path, "*.dist-info", "no such folder", "one of this name and version")


def metadata_fields(data: bytes, field: str) -> list[str]:
    """Return the values of a field of METADATA, as written."""
    header = re.split(r"\r?\n\r?\n", data.decode("utf-8", "replace"), maxsplit=1)[0]
    return [it.strip() for it in re.findall(rf"(?mi)^{field}:(.*)$", header)]
