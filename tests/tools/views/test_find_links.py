"""Folders and pages of links: read once for all projects, and again when they have changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.views.upstream import Upstream
from tests.tools.views.stand_in import StandIn, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("one-1.0-py3-none-any.whl", "two-1.0-py3-none-any.whl", "one-2.0-py3-none-any.whl")


def names(upstream: Upstream, project: str) -> list[str]:
    page = upstream.page(project)
    return sorted(file.name for file in page.files) if page else []


def test_a_page_of_links_is_asked_for_once_for_all_projects() -> None:
    links = "".join(f'<a href="/files/{name}">{name}</a>' for name in NAMES)
    index = StandIn(bodies={"/links/": ("text/html", links.encode())})
    with index.serving() as url:
        upstream = Upstream(Fetcher({}), [], [f"{url}/links/"])
        found = [names(upstream, project) for project in ("one", "two", "three")]

    assert found == [[NAMES[0], NAMES[2]], [NAMES[1]], []]
    assert index.asked.count("/links/") == 1


def test_a_wheel_that_comes_into_a_folder_later_is_found(tmp_path: Path) -> None:
    upstream = Upstream(Fetcher({}), [], [str(tmp_path)])
    (tmp_path / NAMES[0]).write_bytes(make_wheel(NAMES[0]))
    before = names(upstream, "one")
    (tmp_path / NAMES[2]).write_bytes(make_wheel(NAMES[2]))
    # Some file systems count in hundredths of a second.
    later = tmp_path.stat().st_mtime_ns + 10**9
    os.utime(tmp_path, ns=(later, later))

    assert (before, names(upstream, "one")) == ([NAMES[0]], [NAMES[0], NAMES[2]])


def test_a_folder_that_has_gone_has_no_files(tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / NAMES[0]).write_bytes(make_wheel(NAMES[0]))
    upstream = Upstream(Fetcher({}), [], [str(folder)])
    before = names(upstream, "one")
    (folder / NAMES[0]).unlink()
    folder.rmdir()

    assert (before, names(upstream, "one")) == ([NAMES[0]], [])
