"""A file on a page of the simple API: an entry in JSON (PEP 691, 700), a link in HTML (PEP 503).

A METADATA beside a wheel is named as PEP 714 says, and not by the older name, too: pip 23.0 reads
that, and then refuses every project whose name is not normalised, such as ``typing_extensions``.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.releases.pages import SIDECARS

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.releases.pages import PageFile

_SHA256: Final = "sha256="


def entry_of(file: PageFile) -> dict[str, object]:
    """Return the entry of a file in JSON."""
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
        entry[SIDECARS[0]] = stated
    if file.provenance:
        entry["provenance"] = file.provenance
    return entry


def link_to(file: PageFile) -> str:
    """Return the line of a file in HTML."""
    attributes = {"href": file.url + (f"#{_SHA256}{file.sha256}" if file.sha256 else "")}
    if file.requires_python:
        attributes["data-requires-python"] = file.requires_python
    if file.yanked is not None:
        attributes["data-yanked"] = file.yanked
    if file.upload_time:
        attributes["data-upload-time"] = file.upload_time
    if file.core_metadata is not None:
        stated = f"{_SHA256}{file.core_metadata}" if file.core_metadata else "true"
        attributes[f"data-{SIDECARS[0]}"] = stated
    if file.provenance:
        attributes["data-provenance"] = file.provenance
    written = " ".join(f'{name}="{html.escape(text)}"' for name, text in attributes.items())
    return f"<a {written}>{html.escape(file.name)}</a><br>"
