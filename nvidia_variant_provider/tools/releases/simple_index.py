"""Index pages of the simple API, fetched over HTTP."""

from __future__ import annotations

import hashlib
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.releases.files import METADATA_SUFFIX, WHEEL_SUFFIX
from nvidia_variant_provider.tools.releases.pages import PageFile, parse_page
from nvidia_variant_provider.tools.releases.release import Listing

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


def read_page(url: str) -> dict[str, PageFile]:
    """Fetch a page and return its wheels and metadata files by name."""
    kind, data, final = _fetch(url)
    files = parse_page(data, kind, final)
    return {it.name: it for it in files if it.name.endswith((WHEEL_SUFFIX, METADATA_SUFFIX))}


def _page_address(url: str, package: str | None) -> str:
    if package is None:
        return url
    try:
        name = canonicalize_name(Requirement(package).name)
    except InvalidRequirement as error:
        raise InvalidValueError(f"--package {package[:60]!r}: expected a requirement") from error
    base = url if url.endswith("/") else f"{url}/"
    return url if urlsplit(base).path.endswith(f"/{name}/") else f"{base}{name}/"


def _fetch_checked(file: PageFile) -> bytes:
    _, data, _ = _fetch(file.url)
    if file.sha256 and hashlib.sha256(data).hexdigest() != file.sha256:
        expected = f"sha256 {file.sha256[:64]}, as the page says"
        raise MetadataError(file.url, "", "another hash", expected)
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
