"""A file as a project's page lists it, with everything a page of ours has to repeat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file and its address.

    ``yanked`` is ``None`` unless the file is yanked; then it is the reason, or "". The text of
    ``core_metadata`` is the hash of the file of the same name with ``.metadata`` behind, "" where
    the page states none, ``None`` where there is no such file.
    """

    name: str
    url: str
    sha256: str = ""
    requires_python: str = ""
    yanked: str | None = None
    size: int | None = None
    upload_time: str = ""
    core_metadata: str | None = None
