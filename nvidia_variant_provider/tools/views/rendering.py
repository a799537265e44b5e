"""Project pages of the simple API, from files to bytes: JSON (PEP 691, 700) and HTML (PEP 503)."""

from __future__ import annotations

import hashlib
import html
import json
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.releases.rendering import entry_of, link_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.releases.pages import PageFile, ProjectStatus

JSON: Final = "application/vnd.pypi.simple.v1+json"
HTML: Final = "application/vnd.pypi.simple.v1+html"
ACCEPT: Final = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"


def render_json(
    project: str,
    files: Iterable[PageFile],
    versions: Iterable[str],
    status: ProjectStatus | None = None,
) -> bytes:
    """Return a page as JSON; without all sizes it is of version 1.0, which needs none."""
    entries = [entry_of(file) for file in files]
    complete = all("size" in entry for entry in entries)
    document: dict[str, object] = {
        "meta": {"api-version": _version(status) if complete else "1.0"},
        "name": project,
        "files": entries,
    }
    if complete:
        document["versions"] = list(versions)
    if status is not None:
        reason = {"reason": status.reason} if status.reason else {}
        document["project-status"] = {"status": status.marker, **reason}
    return json.dumps(document).encode()


def _version(status: ProjectStatus | None) -> str:
    """Return the oldest version of the API that has all that a page says; 1.4 is PEP 792."""
    return "1.1" if status is None else "1.4"


_PAGE: Final = """<!DOCTYPE html>
<html><head><meta name="pypi:repository-version" content="{version}">{metas}
<title>{title}</title></head>
<body>
{body}
</body></html>
"""


def render_html(
    project: str, files: Iterable[PageFile], status: ProjectStatus | None = None
) -> bytes:
    """Return a page as HTML."""
    stated = (("status", status.marker), ("status-reason", status.reason)) if status else ()
    metas = "".join(
        f'<meta name="pypi:project-{name}" content="{html.escape(text)}">'
        for name, text in stated
        if text
    )
    body = "\n".join(link_to(file) for file in files)
    title = f"Links for {html.escape(project)}"
    return _PAGE.format(version=_version(status), metas=metas, title=title, body=body).encode()


def render_list_json(names: Iterable[str]) -> bytes:
    """Return the list of all projects as JSON (PEP 691)."""
    projects = [{"name": name} for name in names]
    return json.dumps({"meta": {"api-version": "1.0"}, "projects": projects}).encode()


def render_list_html(names: Iterable[str]) -> bytes:
    """Return the list of all projects, by normalised names, as HTML (PEP 503)."""
    body = "\n".join(f'<a href="{name}/">{name}</a><br>' for name in names)
    return _PAGE.format(version="1.0", metas="", title="Projects", body=body).encode()


def entity_tag(body: bytes) -> str:
    """Return the ``ETag`` of a page: two pages are the same if their bytes are."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def prefers_json(accept: str) -> bool:
    """Tell whether ``Accept`` asks for JSON at least as much as for HTML (PEP 691)."""
    parts = [part.partition(";") for part in accept.lower().split(",")]
    json_weight, html_weight = (
        max((_weight(rest) for kind, _, rest in parts if kind.strip().endswith(name)), default=0.0)
        for name in ("json", "html")
    )
    return json_weight > 0 and json_weight >= html_weight


def _weight(parameters: str) -> float:
    _, _, text = parameters.replace(" ", "").partition("q=")
    try:
        return float(text.partition(";")[0]) if text else 1.0
    except ValueError:
        return 0.0


def is_known(header: str, tag: str) -> bool:
    """Tell whether ``If-None-Match`` names a tag, among others or as ``*``."""
    tags = [text.strip().removeprefix("W/") for text in header.split(",")]
    return tag in tags or "*" in tags
