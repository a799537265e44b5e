"""A project's page of the simple API: from bytes to files, and from files to bytes.

Sources: PEP 503 (HTML), PEP 691 (JSON), PEP 700 (sizes, upload times), PEP 592 (yanked files),
PEP 658 and 714 (metadata beside a wheel).
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JSON: Final = "application/vnd.pypi.simple.v1+json"
HTML: Final = "application/vnd.pypi.simple.v1+html"
ACCEPT: Final = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"
_SHA256: Final = "sha256="
# The second is the name that older installers know.
_SIDECARS: Final = ("core-metadata", "dist-info-metadata")


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


def parse_page(data: bytes, content_type: str, url: str) -> tuple[PageFile, ...]:
    """Read the page of one project; of two files with one name the first counts.

    ``url`` is the address that answered, which links are relative to. Raises
    ``InvalidValueError`` naming it.
    """
    files = _parse_json(data, url) if "json" in content_type.lower() else _parse_html(data, url)
    return tuple({file.name: file for file in reversed(files)}.values())[::-1]


def _parse_json(data: bytes, url: str) -> list[PageFile]:
    try:
        return [_file_of(entry, url) for entry in json.loads(data)["files"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidValueError(
            f"{url}: not a page of the simple API in JSON ({type(error).__name__})"
        ) from error


def _file_of(entry: Mapping[str, object], url: str) -> PageFile:
    hashes = entry.get("hashes")
    address, fragment = urldefrag(urljoin(url, str(entry["url"])))
    sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
    yanked, size = entry.get("yanked"), entry.get("size")
    return PageFile(
        name=str(entry["filename"]),
        url=address,
        sha256=str(sha256).lower() if sha256 else _hash_in(fragment),
        requires_python=str(entry.get("requires-python") or ""),
        yanked=None if yanked in {None, False} else "" if yanked is True else str(yanked),
        size=size if isinstance(size, int) else None,
        upload_time=str(entry.get("upload-time") or ""),
        core_metadata=_sidecar(next((entry[it] for it in _SIDECARS if it in entry), None)),
    )


def _sidecar(stated: object) -> str | None:
    if isinstance(stated, dict):
        return str(stated.get("sha256") or "").lower()
    return "" if stated is True else None


def _parse_html(data: bytes, url: str) -> list[PageFile]:
    parser = _Anchors(url)
    parser.feed(data.decode("utf-8", "replace"))
    return parser.files


class _Anchors(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.files: list[PageFile] = []
        self._page = self._url = url
        self._has_base = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        href = attributes.get("href", "")
        if tag == "base" and href and not self._has_base:
            self._url, self._has_base = self._joined(href), True
        elif tag == "a" and href:
            self.files.append(self._file(href, attributes))

    def _file(self, href: str, attributes: Mapping[str, str]) -> PageFile:
        address, fragment = urldefrag(self._joined(href))
        stated = next(
            (attributes[f"data-{it}"] for it in _SIDECARS if f"data-{it}" in attributes), None
        )
        return PageFile(
            name=unquote(urlsplit(address).path.rpartition("/")[2]),
            url=address,
            sha256=_hash_in(fragment),
            requires_python=attributes.get("data-requires-python", ""),
            yanked=attributes.get("data-yanked"),
            upload_time=attributes.get("data-upload-time", ""),
            core_metadata=None if stated in {None, "false"} else _hash_in(str(stated)),
        )

    def _joined(self, href: str) -> str:
        try:
            return urljoin(self._url, href)
        except ValueError as error:
            raise InvalidValueError(f"{self._page}: not an address: {href!r:.200}") from error


def _hash_in(fragment: str) -> str:
    return fragment.removeprefix(_SHA256).lower() if fragment.startswith(_SHA256) else ""


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
        entry.update(dict.fromkeys(_SIDECARS, stated))
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
        attributes.update(dict.fromkeys((f"data-{it}" for it in _SIDECARS), stated))
    written = " ".join(f'{name}="{html.escape(text)}"' for name, text in attributes.items())
    return f"<a {written}>{html.escape(file.name)}</a><br>"
