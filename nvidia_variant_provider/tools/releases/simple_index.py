"""Index pages of the simple API, as HTML and as JSON."""

from __future__ import annotations

import hashlib
import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import Request, urlopen

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.releases.release import METADATA_SUFFIX, WHEEL_SUFFIX, Listing

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT_S: Final = 30
_MAX_PAGE: Final = 64 * 1024 * 1024
_ACCEPT: Final = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1"
)


def read_index(url: str, package: str | None) -> Listing:
    """Return the files of a project page; ``url`` is the page, or with a package the index.

    Raises ``InvalidValueError`` for an address that does not answer with such a page.
    """
    page = _page_address(url, package)
    files = read_page(page)

    def read(name: str) -> bytes:
        return _fetch_checked(files[name])

    return Listing(page, files, read, None)


def read_page(url: str) -> dict[str, str]:
    """Return the wheels and metadata files of a page: name to address, with its hash if known."""
    kind, data, final = _fetch(url)
    links = _parse_json(data, url) if "json" in kind else _parse_html(data)
    files: dict[str, str] = {}
    for name, href in links:
        if name.endswith((WHEEL_SUFFIX, METADATA_SUFFIX)):
            files.setdefault(name, urljoin(final, href))
    return files


def _page_address(url: str, package: str | None) -> str:
    if package is None:
        return url
    try:
        name = canonicalize_name(Requirement(package).name)
    except InvalidRequirement as error:
        raise InvalidValueError(f"--package {package[:60]!r}: expected a requirement") from error
    base = url if url.endswith("/") else f"{url}/"
    return url if urlsplit(base).path.endswith(f"/{name}/") else f"{base}{name}/"


def _parse_json(data: bytes, url: str) -> list[tuple[str, str]]:
    try:
        document = json.loads(data)
        return [(str(file["filename"]), _with_hash(file)) for file in document["files"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidValueError(f"{url}: not a page of the simple API in JSON") from error


def _with_hash(file: Mapping[str, object]) -> str:
    hashes = file.get("hashes")
    known = hashes.get("sha256") if isinstance(hashes, dict) else None
    return f"{file['url']}#sha256={known}" if known else str(file["url"])


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "a" and href:
            name = unquote(urlsplit(href).path.rpartition("/")[2])
            self.found.append((name, href))


def _parse_html(data: bytes) -> list[tuple[str, str]]:
    parser = _Links()
    parser.feed(data.decode("utf-8", "replace"))
    return parser.found


def _fetch_checked(address: str) -> bytes:
    url, fragment = urldefrag(address)
    _, data, _ = _fetch(url)
    algorithm, _, wanted = fragment.partition("=")
    if algorithm == "sha256" and hashlib.sha256(data).hexdigest() != wanted.lower():
        raise MetadataError(url, "", "another hash", f"sha256 {wanted[:64]}, as the page says")
    return data


def _fetch(url: str) -> tuple[str, bytes, str]:
    """Return content type, body and final address."""
    # A page may link to anything, files of this machine among it.
    if urlsplit(url).scheme not in {"http", "https"}:
        raise InvalidValueError(f"{url[:200]}: expected an http or https address")
    request = Request(url, headers={"Accept": _ACCEPT})  # noqa: S310 - checked above
    try:
        with urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - likewise
            data = answer.read(_MAX_PAGE + 1)
            kind = answer.headers.get_content_type()
            final = answer.geturl()
    except HTTPError as error:
        raise InvalidValueError(f"{url}: {error.code} {error.reason}") from error
    except (URLError, OSError, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise InvalidValueError(f"{url}: {reason}") from error
    if len(data) > _MAX_PAGE:
        raise InvalidValueError(f"{url}: more than {_MAX_PAGE} bytes")
    return kind, data, final
