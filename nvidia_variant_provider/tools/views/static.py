"""A view as files: pages and wheels under plain names, for any file server.

Below ``views/NAME/`` lie ``simple/PROJECT/index.html`` and ``.json``, and the wheels in ``files/``,
each in a folder that is named after its hash: pages that are there already stay true until new ones
take their places, however the writing ends. A wheel is a link to the original where the file system
has links, else a copy; a baked one is a file of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import link_or_copy, sha256_of, write_atomically
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.views.baking import Bakery
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.rendering import (
    render_html,
    render_json,
    render_list_html,
    render_list_json,
)
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import Upstream, local_path, project_of
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.releases.pages import PageFile
    from nvidia_variant_provider.tools.views.answers import Served
    from nvidia_variant_provider.tools.views.named import NamedMachine

VIEWS: Final = "views"
_PAGES: Final = "simple"
_FILES: Final = "files"
_PART: Final = ".part"
_UP: Final = "../../"
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class StaticView:
    """What was written: the folder of the view, its projects with their files, and warnings."""

    folder: Path
    projects: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]


def write_view(source: Path, output: Path, name: str, named: NamedMachine) -> StaticView:
    """Write the view of a folder of wheels for one machine below ``output/views/name``.

    Files appear first and pages last. What an earlier run wrote there and this one does not is
    removed. Raises ``InvalidValueError`` for a wheel that cannot be read, and ``OSError``.
    """
    folder = output / VIEWS / name
    folder.mkdir(parents=True, exist_ok=True)
    upstream = Upstream(Fetcher({}), (), [str(source)])
    # Left by a run that was killed: what was baked then may be of other originals.
    shutil.rmtree(folder / _PART, ignore_errors=True)
    bakery = Bakery(folder / _PART, upstream)
    wanted = partial(Wanted, named.machine, architectures=named.architectures)
    service = ViewService(upstream, wanted, bakery=bakery)
    try:
        listed = {
            project: [_bring(served, bakery, folder) for served in service.served(project)]
            for project in _projects(source)
        }
    finally:
        shutil.rmtree(folder / _PART, ignore_errors=True)
    _write_pages(folder, listed)
    _remove_stale(folder, listed)
    names = {project: tuple(file.name for file in files) for project, files in listed.items()}
    return StaticView(folder, names, tuple(service.log.warnings))


def _projects(source: Path) -> list[str]:
    return sorted(
        {project_of(entry.name) for entry in os.scandir(source) if entry.is_file()} - {""}
    )


def _bring(served: Served, bakery: Bakery, folder: Path) -> PageFile:
    """Put a file and its metadata into the view; return it as the page lists it."""
    shown = served.shown
    if served.is_upstream_s:
        source = Path(local_path(shown.file.url))
        digest = sha256_of(source)
    else:
        kept = bakery.wheel(shown, served.properties)
        source, digest = kept.path, kept.sha256
    inner = folder / _FILES / digest[:_DIGITS]
    inner.mkdir(parents=True, exist_ok=True)
    link_or_copy(source, inner / shown.name)
    sidecar = None
    if shown.name.endswith(".whl"):
        with OpenWheel(source) as wheel:
            data = wheel.metadata
        write_atomically(inner / f"{shown.name}.metadata", data)
        sidecar = hashlib.sha256(data).hexdigest()
    return replace(
        shown.file,
        name=shown.name,
        url=f"{_UP}{_FILES}/{inner.name}/{quote(shown.name)}",
        sha256=digest,
        size=source.stat().st_size,
        core_metadata=sidecar,
    )


def _write_pages(folder: Path, listed: dict[str, list[PageFile]]) -> None:
    pages = folder / _PAGES
    for project, files in listed.items():
        page = pages / project
        page.mkdir(parents=True, exist_ok=True)
        versions = dict.fromkeys(
            file.name.split("-")[1] for file in files if file.name.endswith(".whl")
        )
        write_atomically(page / "index.json", render_json(project, files, versions))
        write_atomically(page / "index.html", render_html(project, files))
    pages.mkdir(exist_ok=True)
    write_atomically(pages / "index.json", render_list_json(listed))
    write_atomically(pages / "index.html", render_list_html(listed))


def _remove_stale(folder: Path, listed: dict[str, list[PageFile]]) -> None:
    """Remove wheels and pages of an earlier run; other files are not ours."""
    digests = {file.sha256[:_DIGITS] for files in listed.values() for file in files}
    inner = [path for path in folder.glob(f"{_FILES}/*/") if path.name not in digests]
    pages = [path for path in folder.glob(f"{_PAGES}/*/") if path.name not in listed]
    for path in (*inner, *pages):
        for file in (*path.glob("*.whl"), *path.glob("*.whl.metadata"), *path.glob("index.*")):
            file.unlink()
        with contextlib.suppress(OSError):
            path.rmdir()


def check_name(name: str) -> str:
    """Return the name of a view, fit for a folder; raises ``InvalidValueError`` for others."""
    if not name or name.startswith(".") or any(sign in name for sign in "/\\\0"):
        raise InvalidValueError(
            f"--view {name[:60]!r}: expected a target such as gh200@580, or cpu"
        )
    return name
