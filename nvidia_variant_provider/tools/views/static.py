"""A view as files: pages and wheels under plain names, for any file server.

Below ``views/NAME/`` lie the wheels and ``simple/PROJECT/index.html`` and ``.json``. A wheel is a
link to the original where the file system has links, else a copy; a baked one is a file of its own.
"""

from __future__ import annotations

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
from nvidia_variant_provider.tools.views.rendering import render_html, render_json
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import Upstream, local_path, project_of
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.releases.pages import PageFile
    from nvidia_variant_provider.tools.views.answers import Served
    from nvidia_variant_provider.tools.views.named import NamedMachine

VIEWS: Final = "views"
_PAGES: Final = "simple"
_UP: Final = "../../"


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
    bakery = Bakery(folder / ".part", upstream)
    wanted = partial(Wanted, named.machine, architectures=named.architectures)
    service = ViewService(upstream, wanted, bakery=bakery)
    try:
        listed = {
            project: [_bring(served, bakery, folder) for served in service.served(project)]
            for project in _projects(source)
        }
    finally:
        shutil.rmtree(folder / ".part", ignore_errors=True)
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
    target = folder / shown.name
    if served.is_upstream_s:
        link_or_copy(Path(local_path(shown.file.url)), target)
    else:
        link_or_copy(bakery.wheel(shown, served.properties).path, target)
    sidecar = None
    if shown.name.endswith(".whl"):
        with OpenWheel(target) as wheel:
            data = wheel.metadata
        write_atomically(folder / f"{shown.name}.metadata", data)
        sidecar = hashlib.sha256(data).hexdigest()
    return replace(
        shown.file,
        name=shown.name,
        url=f"{_UP}{quote(shown.name)}",
        sha256=sha256_of(target),
        size=target.stat().st_size,
        core_metadata=sidecar,
    )


def _write_pages(folder: Path, listed: dict[str, list[PageFile]]) -> None:
    for project, files in listed.items():
        page = folder / _PAGES / project
        page.mkdir(parents=True, exist_ok=True)
        versions = dict.fromkeys(
            file.name.split("-")[1] for file in files if file.name.endswith(".whl")
        )
        write_atomically(page / "index.json", render_json(project, files, versions))
        write_atomically(page / "index.html", render_html(project, files))


def _remove_stale(folder: Path, listed: dict[str, list[PageFile]]) -> None:
    """Remove wheels and pages of an earlier run; other files are not ours."""
    names = {file.name for files in listed.values() for file in files}
    for path in (*folder.glob("*.whl"), *folder.glob("*.whl.metadata")):
        if path.name.removesuffix(".metadata") not in names:
            path.unlink()
    for path in folder.glob(f"{_PAGES}/*/index.*"):
        if path.parent.name not in listed:
            path.unlink()


def check_name(name: str) -> str:
    """Return the name of a view, fit for a folder; raises ``InvalidValueError`` for others."""
    if not name or name.startswith(".") or any(sign in name for sign in "/\\\0"):
        raise InvalidValueError(
            f"--view {name[:60]!r}: expected a target such as gh200@580, or cpu"
        )
    return name
