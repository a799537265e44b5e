"""A folder of wheels as an index: each release's variant metadata and a static simple index.

Everything is read and rendered first; then files appear under their names one by one, complete,
those that point at others last. docs/index-folder.md shows the layout.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import Version

from nvidia_variant_provider.beside import write_beside
from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.lint.sources import (
    INDEX_SUFFIX,
    MAX_FILES,
    metadata_fields,
    read_members,
)
from nvidia_variant_provider.metadata import parse_wheel_metadata, union
from nvidia_variant_provider.simple_pages import (
    Listed,
    project_html,
    project_json,
    root_html,
    root_json,
)
from nvidia_variant_provider.wheel_name import WheelName

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from nvidia_variant_provider.metadata import VariantMetadata

PAGES: Final = "simple"
_UP: Final = "../../"
_SDISTS: Final = (".tar.gz", ".zip")
_CHUNK: Final = 1 << 20


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


@dataclass(frozen=True, slots=True)
class Plan:
    """What an index will hold: texts by path relative to ``folder``, and the files it lists.

    ``links`` are files of another folder that are brought into this one.
    """

    folder: Path
    releases: tuple[Release, ...]
    texts: tuple[tuple[str, bytes], ...]
    links: tuple[Path, ...]
    stale: tuple[Path, ...]

    def write(self) -> None:
        """Write everything; a reader sees each file as it was or as it will be."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.links:
            _bring(path, self.folder / path.name)
        for name, data in self.texts:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_file() or target.read_bytes() != data:
                write_beside(target, data)
        for path in self.stale:
            path.unlink()
            # A project's folder goes with its last page.
            if path.parent != self.folder:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()


def plan(
    folder: Path, *, base_url: str = "", only: Collection[str] = (), output: Path | None = None
) -> Plan:
    """Read a folder and lay out its index; nothing is written yet.

    ``only`` keeps the variant wheels of these labels, and every wheel without a label. Raises
    ``MetadataError`` and ``InvalidValueError`` naming the file at fault.
    """
    files = tuple(_read_files(folder))
    _check_labels(files, only, folder)
    kept = [it for it in files if not it.label or not only or it.label in only]
    releases = tuple(_releases(kept))
    target = output or folder
    base = f"{base_url.rstrip('/')}/" if base_url else _UP
    texts = [*_beside_wheels(releases), *_pages(releases, base)]
    elsewhere = output is not None and output.resolve() != folder.resolve()
    links = [it.path for it in kept] if elsewhere and not base_url else []
    stale = tuple(_stale(target, files, {name for name, _ in texts}))
    return Plan(target, releases, tuple(texts), tuple(links), stale)


def _read_files(folder: Path) -> Iterator[File]:
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


def _check_labels(files: Sequence[File], only: Collection[str], folder: Path) -> None:
    labels = {it.label for it in files}
    if absent := sorted(set(only) - labels):
        known = ", ".join(sorted(labels - {""}))
        raise InvalidValueError(f"{folder}: no wheel with the label {absent[0]!r:.60}; has {known}")


def _releases(files: Sequence[File]) -> Iterator[Release]:
    groups: dict[tuple[str, Version], list[File]] = {}
    for file in files:
        groups.setdefault((file.project, file.version), []).append(file)
    for (project, version), members in sorted(groups.items()):
        described = [(str(it.path), it.variant) for it in members if it.variant is not None]
        metadata = union(described) if described else None
        yield Release(project, version, tuple(members), metadata)


def _beside_wheels(releases: Sequence[Release]) -> Iterator[tuple[str, bytes]]:
    for release in releases:
        for file in release.files:
            if file.core:
                yield f"{file.path.name}.metadata", file.core
        if release.metadata is not None:
            yield release.metadata_name, release.metadata.to_json().encode()


def _pages(releases: Sequence[Release], base: str) -> Iterator[tuple[str, bytes]]:
    projects = sorted({it.project for it in releases})
    for project in projects:
        own = [it for it in releases if it.project == project]
        listed = [it for release in own for it in _listed(release)]
        versions = [str(it.version) for it in own]
        page = f"{PAGES}/{project}/index"
        yield f"{page}.html", project_html(project, listed, base).encode()
        yield f"{page}.json", project_json(project, listed, versions, base).encode()
    yield f"{PAGES}/index.html", root_html(projects).encode()
    yield f"{PAGES}/index.json", root_json(projects).encode()


def _listed(release: Release) -> Iterator[Listed]:
    for file in release.files:
        requires = metadata_fields(file.core, "Requires-Python")
        yield Listed(
            name=file.path.name,
            sha256=_hash(file.path),
            size=file.path.stat().st_size,
            requires_python=requires[0] if requires else "",
            core_metadata=hashlib.sha256(file.core).hexdigest() if file.core else "",
        )
    if release.metadata is not None:
        # Installers look for the metadata among the links of the page.
        data = release.metadata.to_json().encode()
        yield Listed(release.metadata_name, hashlib.sha256(data).hexdigest(), len(data))


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _stale(target: Path, files: Sequence[File], written: Collection[str]) -> Iterator[Path]:
    """Yield what an earlier run left that would now mislead an installer.

    Metadata of releases whose wheels are here, under whatever spelling, and pages of projects
    that are gone. Metadata of other releases is not ours to judge.
    """
    here = {(it.project, it.version) for it in files}
    for path in sorted(target.glob(f"*{INDEX_SUFFIX}")):
        name, _, version = path.name.removesuffix(INDEX_SUFFIX).partition("-")
        with contextlib.suppress(ValueError):
            if (canonicalize_name(name), Version(version)) in here and path.name not in written:
                yield path
    for path in sorted(target.glob(f"{PAGES}/*/index.*")):
        if path.suffix in {".html", ".json"} and f"{PAGES}/{path.parent.name}/{path.name}" not in (
            written
        ):
            yield path


def _bring(source: Path, target: Path) -> None:
    """Link a file into another folder, or copy it where that cannot be done."""
    if target.exists() and target.samefile(source):
        return
    scratch = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        try:
            os.link(source, scratch)
        except OSError:
            shutil.copyfile(source, scratch)
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)


def summary(release: Release) -> str:
    """Return one line about a release, for people."""
    kinds = Counter("sdist" if it.path.suffix != ".whl" else "wheel" for it in release.files)
    counts = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items())
    labels = sorted({it.label for it in release.files if it.label})
    shown = f"; {release.metadata_name}: {' '.join(labels)}" if labels else ""
    return f"{release.project} {release.version}: {counts}{shown}"
