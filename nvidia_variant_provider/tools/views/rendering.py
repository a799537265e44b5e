"""Project pages of the simple API, from files to bytes: JSON (PEP 691, 700) and HTML (PEP 503)."""

from __future__ import annotations

import hashlib
import html
import json
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.releases.rendering import entry_of, link_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.releases.pages import PageFile

JSON: Final = "application/vnd.pypi.simple.v1+json"
HTML: Final = "application/vnd.pypi.simple.v1+html"
ACCEPT: Final = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"


def render_json(project: str, files: Iterable[PageFile], versions: Iterable[str]) -> bytes:
    """Return a page as JSON; without all sizes it is of version 1.0, which needs none."""
    entries = [entry_of(file) for file in files]
    complete = all("size" in entry for entry in entries)
    meta = {"api-version": "1.1" if complete else "1.0"}
    document: dict[str, object] = {"meta": meta, "name": project, "files": entries}
    if complete:
        document["versions"] = list(versions)
    return json.dumps(document).encode()


_PAGE: Final = """<!DOCTYPE html>
<html><head><meta name="pypi:repository-version" content="1.1"><title>{title}</title></head>
<body>
{body}
</body></html>
"""


def render_html(project: str, files: Iterable[PageFile]) -> bytes:
    """Return a page as HTML."""
    body = "\n".join(link_to(file) for file in files)
    return _PAGE.format(title=f"Links for {html.escape(project)}", body=body).encode()


def entity_tag(body: bytes) -> str:
    """Return the ``ETag`` of a page: two pages are the same if their bytes are."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
