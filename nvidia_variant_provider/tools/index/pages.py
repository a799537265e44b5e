"""The pages of a static simple index: HTML (PEP 503) and JSON (PEP 691, version 1.1 of PEP 700)."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HTML: Final = """\
<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.1">
    <title>{title}</title>
  </head>
  <body>
{body}
  </body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as its project's page lists it.

    ``core_metadata`` is the hash of the file of the same name with ``.metadata`` behind; "" if
    there is none.
    """

    name: str
    sha256: str
    size: int
    requires_python: str = ""
    core_metadata: str = ""


def project_html(project: str, files: Sequence[Listed], base: str) -> str:
    """Return the page of one project; ``base`` is what the files' names follow in their URLs."""
    title = f"Links for {html.escape(project)}"
    return _HTML.format(title=title, body="\n".join(_anchor(file, base) for file in files))


def project_json(project: str, files: Sequence[Listed], versions: Iterable[str], base: str) -> str:
    """Return the same page as JSON."""
    document = {
        "meta": {"api-version": "1.1"},
        "name": project,
        "versions": list(versions),
        "files": [_file(file, base) for file in files],
    }
    return json.dumps(document, indent=1) + "\n"


def root_html(projects: Sequence[str]) -> str:
    """Return the page of all projects."""
    body = "\n".join(
        f'    <a href="{html.escape(quote(name))}/">{html.escape(name)}</a><br>'
        for name in projects
    )
    return _HTML.format(title="Simple index", body=body)


def root_json(projects: Sequence[str]) -> str:
    """Return the same page as JSON."""
    document = {"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in projects]}
    return json.dumps(document, indent=1) + "\n"


def _anchor(file: Listed, base: str) -> str:
    # The version of a local build has a '+', which some servers read as a blank.
    attributes = {"href": f"{base}{quote(file.name)}#sha256={file.sha256}"}
    if file.requires_python:
        attributes["data-requires-python"] = file.requires_python
    if file.core_metadata:
        # The second is the name that pip before 23.2 knows.
        for name in ("data-core-metadata", "data-dist-info-metadata"):
            attributes[name] = f"sha256={file.core_metadata}"
    written = " ".join(f'{name}="{html.escape(text)}"' for name, text in attributes.items())
    return f"    <a {written}>{html.escape(file.name)}</a><br>"


def _file(file: Listed, base: str) -> dict[str, object]:
    listed: dict[str, object] = {
        "filename": file.name,
        "url": f"{base}{quote(file.name)}",
        "hashes": {"sha256": file.sha256},
        "size": file.size,
    }
    if file.requires_python:
        listed["requires-python"] = file.requires_python
    if file.core_metadata:
        listed["core-metadata"] = {"sha256": file.core_metadata}
    return listed
