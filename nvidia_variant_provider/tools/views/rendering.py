"""Project pages of the simple API, from files to bytes: JSON (PEP 691, 700) and HTML (PEP 503)."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.releases.pages import SIDECARS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvidia_variant_provider.tools.releases.pages import PageFile

JSON: Final = "application/vnd.pypi.simple.v1+json"
HTML: Final = "application/vnd.pypi.simple.v1+html"
ACCEPT: Final = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"
_SHA256: Final = "sha256="


def render_json(project: str, files: Iterable[PageFile], versions: Iterable[str]) -> bytes:
    """Return a page as JSON; without all sizes it is of version 1.0, which needs none."""
    entries = [_entry(file) for file in files]
    complete = all("size" in entry for entry in entries)
    meta = {"api-version": "1.1" if complete else "1.0"}
    document: dict[str, object] = {"meta": meta, "name": project, "files": entries}
    if complete:
        document["versions"] = list(versions)
    return json.dumps(document).encode()


def _entry(file: PageFile) -> dict[str, object]:
    entry: dict[str, object] = {
        "filename": file.name,
        "url": file.url,
        "hashes": {"sha256": file.sha256} if file.sha256 else {},
    }
    if file.size is not None:
        entry["size"] = file.size
    if file.requires_python:
        entry["requires-python"] = file.requires_python
    if file.upload_time:
        entry["upload-time"] = file.upload_time
    if file.yanked is not None:
        entry["yanked"] = file.yanked or True
    if file.core_metadata is not None:
        stated = {"sha256": file.core_metadata} if file.core_metadata else True
        # Not under the older name, too: pip before 23.1 takes what it finds there for a text.
        entry["core-metadata"] = stated
    return entry


_PAGE: Final = """<!DOCTYPE html>
<html><head><meta name="pypi:repository-version" content="1.1"><title>{title}</title></head>
<body>
{body}
</body></html>
"""


def render_html(project: str, files: Iterable[PageFile]) -> bytes:
    """Return a page as HTML."""
    body = "\n".join(_anchor(file) for file in files)
    return _PAGE.format(title=f"Links for {html.escape(project)}", body=body).encode()


def _anchor(file: PageFile) -> str:
    attributes = {"href": file.url + (f"#{_SHA256}{file.sha256}" if file.sha256 else "")}
    if file.requires_python:
        attributes["data-requires-python"] = file.requires_python
    if file.yanked is not None:
        attributes["data-yanked"] = file.yanked
    if file.upload_time:
        attributes["data-upload-time"] = file.upload_time
    if file.core_metadata is not None:
        stated = f"{_SHA256}{file.core_metadata}" if file.core_metadata else "true"
        attributes.update(dict.fromkeys((f"data-{key}" for key in SIDECARS), stated))
    written = " ".join(f'{name}="{html.escape(text)}"' for name, text in attributes.items())
    return f"<a {written}>{html.escape(file.name)}</a><br>"
