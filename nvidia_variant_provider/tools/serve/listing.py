"""The list of all projects, ``/h100@570/simple/``: the names that the upstream lists.

Installers do not ask for the list; mirrors and searches do. Its links are relative, so that nobody
leaves the view by them. The list of PyPI has 40 MB, so where one open index is the upstream, it is
asked itself for a list in JSON, which has names alone.
"""

from __future__ import annotations

import html
import json
import os
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from nvidia_variant_provider.tools.releases.pages import parse_page
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.views.rendering import ACCEPT
from nvidia_variant_provider.tools.views.upstream import local_path, project_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.views.upstream import Upstream

_LIMIT: Final = 8 * 1024 * 1024
_ANCHOR: Final = re.compile(r"<a\b[^<>]{0,4096}>([^<>]{1,200})</a>", re.IGNORECASE)


def whole_list(upstream: Upstream) -> str:
    """Return the address of a list that can be read without us; "" where there is none."""
    if len(upstream.indexes) != 1 or upstream.find_links:
        return ""
    (index,) = upstream.indexes
    is_open = not index.startswith("file:") and not upstream.fetcher.needs_login(index)
    return index if is_open else ""


def list_projects(upstream: Upstream) -> list[str]:
    """Return the normalised names of all projects; raises ``UpstreamError``, also beyond 8 MB."""
    names = {name for index in upstream.indexes for name in _names_at(upstream, index)}
    names.update(name for place in upstream.find_links for name in _linked(upstream, place))
    return sorted(names - {""})


def _names_at(upstream: Upstream, index: str) -> Iterator[str]:
    if urlsplit(index).scheme == "file":
        with os.scandir(_folder(index)) as entries:
            yield from (canonicalize_name(entry.name) for entry in entries if entry.is_dir())
        return
    answer = upstream.fetcher.get(index, ACCEPT, _LIMIT)
    if "json" in answer.content_type:
        yield from _names_in(answer.body, index)
    else:
        text = answer.body.decode("utf-8", "replace")
        yield from (_name(html.unescape(words)) for words in _ANCHOR.findall(text))


def _names_in(body: bytes, index: str) -> list[str]:
    try:
        return [_name(str(entry["name"])) for entry in json.loads(body)["projects"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UpstreamError(f"{index}: no list of projects ({type(error).__name__})") from error


def _name(words: str) -> str:
    """Return a normalised name; "" for what is none."""
    name = canonicalize_name(words.strip().removesuffix("/"))
    return name if re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) else ""


def _linked(upstream: Upstream, place: str) -> Iterator[str]:
    if urlsplit(place).scheme == "file" and os.path.isdir(local_path(place)):
        with os.scandir(_folder(place)) as entries:
            yield from (project_of(entry.name) for entry in entries if entry.is_file())
    else:
        data = upstream.read(place, _LIMIT)
        yield from (project_of(file.name) for file in parse_page(data, "text/html", place))


def _folder(address: str) -> str:
    path = local_path(address)
    if not os.path.isdir(path):
        raise UpstreamError(f"{path}: no such folder", 404)
    return path
