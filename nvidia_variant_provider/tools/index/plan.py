"""A folder of wheels as an index: each release's variant metadata and a static simple index.

Everything is read and rendered first; then files appear under their names one by one, complete,
those that point at others last. docs/index-folder.md shows the layout.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nvidia_variant_provider.tools.files import link_or_copy, write_atomically
from nvidia_variant_provider.tools.index.hashes import hash_files
from nvidia_variant_provider.tools.index.pages import (
    project_html,
    project_json,
    root_html,
    root_json,
)
from nvidia_variant_provider.tools.index.releases import Misnamed, read_folder
from nvidia_variant_provider.tools.releases.files import METADATA_SUFFIX, ReleaseKey
from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.wheels.dist_info import metadata_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from nvidia_variant_provider.tools.releases.release import Release


PAGES: Final = "simple"
_UP: Final = "../../"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an index will hold: texts by path relative to ``folder``, and the files it lists.

    ``links`` are files of another folder that are brought into this one; ``misnamed`` lie in the
    folder that was read and are listed nowhere.
    """

    folder: Path
    releases: tuple[Release, ...]
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
            if _bytes_of(target) != data:
                write_atomically(target, data)
        for path in self.stale:
            path.unlink()
            # A project's folder goes with its last page.
            if path.parent != self.folder:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()

    def changes(self) -> Iterator[tuple[Path, bytes | None, bytes | None]]:
        """Yield the texts that ``write`` would change: path, and bytes before and after."""
        for name, data in self.texts:
            target = self.folder / name
            if (before := _bytes_of(target)) != data:
                yield target, before, data
        for path in self.stale:
            yield path, _bytes_of(path), None

    def new_links(self) -> Iterator[Path]:
        """Yield the files that ``write`` would bring into the folder and that are not there."""
        targets = (self.folder / path.name for path in self.links)
        return (target for target in targets if not target.exists())


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


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
    listed = read_folder(folder, only)
    releases = listed.releases
    target = output or folder
    base = f"{base_url.rstrip('/')}/" if base_url else _UP
    paths = [folder / name for release in releases for name in release.files]
    texts = [*_beside_wheels(releases), *_pages(releases, base, hashed(paths))]
    elsewhere = output is not None and output.resolve() != folder.resolve()
    links = paths if elsewhere and not base_url else []
    stale = tuple(_stale(target, listed.keys, {name for name, _ in texts}))
    return Plan(target, releases, tuple(texts), tuple(links), stale, listed.misnamed)


def _beside_wheels(releases: Sequence[Release]) -> Iterator[tuple[str, bytes]]:
    for release in releases:
        for wheel in release.opened:
            if wheel.metadata:
                yield f"{wheel.name}.metadata", wheel.metadata
        if release.document:
            yield release.document_name, release.document


def _pages(
    releases: Sequence[Release], base: str, digests: Mapping[Path, str]
) -> Iterator[tuple[str, bytes]]:
    projects = sorted({release.name for release in releases})
    for project in projects:
        own = [release for release in releases if release.name == project]
        listed = [file for release in own for file in _listed(release, base, digests)]
        versions = [release.version for release in own]
        page = f"{PAGES}/{project}/index"
        yield f"{page}.html", project_html(project, listed).encode()
        yield f"{page}.json", project_json(project, listed, versions).encode()
    yield f"{PAGES}/index.html", root_html(projects).encode()
    yield f"{PAGES}/index.json", root_json(projects).encode()


def _listed(release: Release, base: str, digests: Mapping[Path, str]) -> Iterator[PageFile]:
    """Yield the files of a release; ``base`` is what their names follow in their addresses."""
    cores = {str(wheel.name): wheel.metadata for wheel in release.opened}
    for name in release.files:
        path, core = Path(release.origin, name), cores.get(name, b"")
        requires = metadata_fields(core, "Requires-Python")
        yield PageFile(
            name=name,
            # The version of a local build has a '+', which some servers read as a blank.
            url=f"{base}{quote(name)}",
            sha256=digests[path],
            size=path.stat().st_size,
            requires_python=requires[0] if requires else "",
            core_metadata=hashlib.sha256(core).hexdigest() if core else None,
        )
    if data := release.document:
        # Installers look for the metadata among the links of the page.
        name = release.document_name
        digest = hashlib.sha256(data).hexdigest()
        yield PageFile(name, f"{base}{quote(name)}", digest, size=len(data))


def _stale(target: Path, here: Collection[ReleaseKey], written: Collection[str]) -> Iterator[Path]:
    """Yield what an earlier run left that would now mislead an installer.

    Metadata of releases whose wheels are here, under whatever spelling, and pages of projects
    that are gone. Metadata of other releases is not ours to judge.
    """
    for path in sorted(target.glob(f"*{METADATA_SUFFIX}")):
        if ReleaseKey.of_metadata(path.name) in here and path.name not in written:
            yield path
    for path in sorted(target.glob(f"{PAGES}/*/index.*")):
        if path.suffix in {".html", ".json"} and f"{PAGES}/{path.parent.name}/{path.name}" not in (
            written
        ):
            yield path
