"""Index pages of the simple API, fetched over HTTP."""

from __future__ import annotations

import hashlib
import os
from typing import Final
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.releases.files import (
    METADATA_SUFFIX,
    SDIST_SUFFIXES,
    WHEEL_SUFFIX,
)
from nvidia_variant_provider.tools.releases.http import Answer, Fetcher, UpstreamError
from nvidia_variant_provider.tools.releases.pages import PageFile, parse_page
from nvidia_variant_provider.tools.releases.release import Listing

_ACCEPT: Final = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1"
)


def read_index(url: str, package: str | None) -> Listing:
    """Return the files of a project page; ``url`` is the page, or with a package the index.

    Credentials in the address are used for its host alone, and shown nowhere. Raises
    ``InvalidValueError`` for an address that does not answer with such a page.
    """
    fetcher = Fetcher(os.environ)
    page = _page_address(_without_login(fetcher, url), package)
    files = read_page(page, fetcher)

    def read(name: str) -> bytes:
        return _fetch_checked(files[name], fetcher)

    is_pinned = package is not None and _is_pin(package)
    names = [name for name, file in files.items() if is_pinned or not _is_left_out(file)]
    pythons = {name: file.requires_python for name, file in files.items() if file.requires_python}
    return Listing(page, names, read, None, pythons)


def read_page(url: str, fetcher: Fetcher) -> dict[str, PageFile]:
    """Fetch a page and return its wheels, source distributions and metadata files by name."""
    answer = _fetch(url, fetcher)
    kind = answer.content_type.partition(";")[0].strip().lower()
    files = parse_page(answer.body, kind, answer.url)
    kinds = (WHEEL_SUFFIX, METADATA_SUFFIX, *SDIST_SUFFIXES)
    return {it.name: it for it in files if it.name.endswith(kinds)}


def _is_left_out(file: PageFile) -> bool:
    """Tell whether a file is yanked; of the metadata file that says nothing (PEP 825)."""
    return file.is_yanked and not file.name.endswith(METADATA_SUFFIX)


def _is_pin(package: str) -> bool:
    """Tell whether a requirement names one version, which takes yanked files too (PEP 592)."""
    try:
        operators = {it.operator for it in Requirement(package).specifier}
    except InvalidRequirement:
        return False
    return bool(operators & {"==", "==="})


def _without_login(fetcher: Fetcher, url: str) -> str:
    try:
        return fetcher.remember(url)
    except UpstreamError as error:
        raise InvalidValueError(str(error)) from error


def _page_address(url: str, package: str | None) -> str:
    if package is None:
        return url
    try:
        name = canonicalize_name(Requirement(package).name)
    except InvalidRequirement as error:
        raise InvalidValueError(f"--package {package[:60]!r}: expected a requirement") from error
    base = url if url.endswith("/") else f"{url}/"
    return url if urlsplit(base).path.endswith(f"/{name}/") else f"{base}{name}/"


def _fetch_checked(file: PageFile, fetcher: Fetcher) -> bytes:
    data = _fetch(file.url, fetcher).body
    if file.sha256 and hashlib.sha256(data).hexdigest() != file.sha256:
        expected = f"sha256 {file.sha256[:64]}, as the page says"
        raise MetadataError(file.url, "", "another hash", expected)
    return data


def _fetch(url: str, fetcher: Fetcher) -> Answer:
    try:
        return fetcher.get(url, _ACCEPT)
    except UpstreamError as error:
        raise InvalidValueError(str(error)) from error
