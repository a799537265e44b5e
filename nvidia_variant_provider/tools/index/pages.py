"""The pages of a static simple index: HTML (PEP 503) and JSON (PEP 691, version 1.1 of PEP 700)."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nvidia_variant_provider.tools.releases.rendering import entry_of, link_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.tools.releases.pages import PageFile

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


def project_html(project: str, files: Sequence[PageFile]) -> str:
    """Return the page of one project."""
    title = f"Links for {html.escape(project)}"
    return _HTML.format(title=title, body="\n".join(f"    {link_to(file)}" for file in files))


def project_json(project: str, files: Sequence[PageFile], versions: Iterable[str]) -> str:
    """Return the same page as JSON."""
    document = {
        "meta": {"api-version": "1.1"},
        "name": project,
        "versions": list(versions),
        "files": [entry_of(file) for file in files],
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
