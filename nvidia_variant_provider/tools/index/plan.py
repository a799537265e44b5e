"""A folder of wheels as an index: each release's variant metadata and a static simple index.

Everything is read and rendered first; then files appear under their names one by one, complete,
those that point at others last. docs/index-folder.md shows the layout.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import link_or_copy, write_atomically
from nvidia_variant_provider.tools.index.hashes import hash_files
from nvidia_variant_provider.tools.index.pages import (
    Listed,
    project_html,
    project_json,
    root_html,
    root_json,
)
from nvidia_variant_provider.tools.index.releases import (
    FaultyFolderError,
    ListedFile,
    ListedRelease,
    Misnamed,
    group_releases,
    read_folder,
)
from nvidia_variant_provider.tools.releases.files import METADATA_SUFFIX, ReleaseKey
from nvidia_variant_provider.tools.wheels.dist_info import metadata_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path


PAGES: Final = "simple"
_UP: Final = "../../"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an index will hold: texts by path relative to ``folder``, and the files it lists.

    ``links`` are files of another folder that are brought into this one; ``misnamed`` lie in the
    folder that was read and are listed nowhere.
    """

    folder: Path
    releases: tuple[ListedRelease, ...]
    texts: tuple[tuple[str, bytes], ...]
    links: tuple[Path, ...]
    stale: tuple[Path, ...]
    misnamed: tuple[Misnamed, ...] = ()

    def write(self) -> None:
        """Write everything; a reader sees each file as it was or as it will be."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.links:
            link_or_copy(path, self.folder / path.name)
        for name, data in self.texts:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_file() or target.read_bytes() != data:
                write_atomically(target, data)
        for path in self.stale:
            path.unlink()
            # A project's folder goes with its last page.
            if path.parent != self.folder:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()


def plan_index(
    folder: Path,
    *,
    base_url: str = "",
    only: Collection[str] = (),
    output: Path | None = None,
    hashed: Callable[[Sequence[Path]], Mapping[Path, str]] = hash_files,
) -> Plan:
    """Read a folder and lay out its index; nothing is written yet.

    ``only`` keeps the variant wheels of these labels, and every wheel without a label; ``hashed``
    is asked once for the SHA-256 of all files that are kept. Files with the wrong name are left out
    and told of. Raises ``FaultyFolderError`` naming every file at fault, and ``InvalidValueError``.
    """
    found = read_folder(folder)
    files = found.files
    if not found.faults:
        _check_labels(files, only, folder)
    kept = [file for file in files if not file.label or not only or file.label in only]
    releases, contradictions = group_releases(kept)
    if faults := (*found.faults, *contradictions):
        raise FaultyFolderError(faults)
    target = output or folder
    base = f"{base_url.rstrip('/')}/" if base_url else _UP
    digests = hashed([file.path for release in releases for file in release.files])
    texts = [*_beside_wheels(releases), *_pages(releases, base, digests)]
    elsewhere = output is not None and output.resolve() != folder.resolve()
    links = [file.path for file in kept] if elsewhere and not base_url else []
    stale = tuple(_stale(target, files, {name for name, _ in texts}))
    return Plan(target, releases, tuple(texts), tuple(links), stale, found.misnamed)


def _check_labels(files: Sequence[ListedFile], only: Collection[str], folder: Path) -> None:
    labels = {file.label for file in files}
    if absent := sorted(set(only) - labels):
        known = ", ".join(sorted(labels - {""}))
        raise InvalidValueError(f"{folder}: no wheel with the label {absent[0]!r:.60}; has {known}")


def _beside_wheels(releases: Sequence[ListedRelease]) -> Iterator[tuple[str, bytes]]:
    for release in releases:
        for file in release.files:
            if file.core:
                yield f"{file.path.name}.metadata", file.core
        if release.metadata is not None:
            yield release.key.metadata_name, release.metadata.to_json().encode()


def _pages(
    releases: Sequence[ListedRelease], base: str, digests: Mapping[Path, str]
) -> Iterator[tuple[str, bytes]]:
    projects = sorted({release.key.project for release in releases})
    for project in projects:
        own = [release for release in releases if release.key.project == project]
        listed = [file for release in own for file in _listed(release, digests)]
        versions = [str(release.key.version) for release in own]
        page = f"{PAGES}/{project}/index"
        yield f"{page}.html", project_html(project, listed, base).encode()
        yield f"{page}.json", project_json(project, listed, versions, base).encode()
    yield f"{PAGES}/index.html", root_html(projects).encode()
    yield f"{PAGES}/index.json", root_json(projects).encode()


def _listed(release: ListedRelease, digests: Mapping[Path, str]) -> Iterator[Listed]:
    for file in release.files:
        requires = metadata_fields(file.core, "Requires-Python")
        yield Listed(
            name=file.path.name,
            sha256=digests[file.path],
            size=file.path.stat().st_size,
            requires_python=requires[0] if requires else "",
            core_metadata=hashlib.sha256(file.core).hexdigest() if file.core else "",
        )
    if release.metadata is not None:
        # Installers look for the metadata among the links of the page.
        data = release.metadata.to_json().encode()
        yield Listed(release.key.metadata_name, hashlib.sha256(data).hexdigest(), len(data))


def _stale(target: Path, files: Sequence[ListedFile], written: Collection[str]) -> Iterator[Path]:
    """Yield what an earlier run left that would now mislead an installer.

    Metadata of releases whose wheels are here, under whatever spelling, and pages of projects
    that are gone. Metadata of other releases is not ours to judge.
    """
    here = {file.key for file in files}
    for path in sorted(target.glob(f"*{METADATA_SUFFIX}")):
        if ReleaseKey.of_metadata(path.name) in here and path.name not in written:
            yield path
    for path in sorted(target.glob(f"{PAGES}/*/index.*")):
        if path.suffix in {".html", ".json"} and f"{PAGES}/{path.parent.name}/{path.name}" not in (
            written
        ):
            yield path
