"""Index pages of the simple API, fetched over HTTP."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.releases.configured_fetcher import pip_fetcher
from nvidia_variant_provider.tools.releases.files import (
    METADATA_SUFFIX,
    SDIST_SUFFIXES,
    WHEEL_SUFFIX,
    WheelFile,
)
from nvidia_variant_provider.tools.releases.pages import PageFile, parse_page
from nvidia_variant_provider.tools.releases.release import Listing
from nvidia_variant_provider.tools.releases.remote_wheel import read_remote_wheel
from nvidia_variant_provider.tools.releases.requested import is_pin, requirement_of
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.tools.releases.http import Answer, Fetcher

_ACCEPT: Final = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1"
)


# One wheel of a label costs some requests; a release with more labels is for its metadata file.
_MOST_OPENED: Final = 16


@dataclass(frozen=True, slots=True)
class IndexPage:
    """The page of a project in an index: its address, and the files that may be taken, by name."""

    url: str
    files: Mapping[str, PageFile]
    fetcher: Fetcher
    opened: dict[str, WheelFile] = field(default_factory=dict, repr=False, compare=False)

    def read(self, name: str) -> bytes:
        """Fetch a file, and hold it to the hash that the page names."""
        return _fetch_checked(self.files[name], self.fetcher)

    def open_wheel(self, wheel: WheelName) -> WheelFile:
        """Read what a wheel says of itself, once: of one without a label METADATA alone."""
        name = str(wheel)
        if name not in self.opened:
            self.opened[name] = self._open(wheel, self.files[name])
        return self.opened[name]

    def _open(self, wheel: WheelName, file: PageFile) -> WheelFile:
        if wheel.label or file.core_metadata is None:
            return read_remote_wheel(file.url, wheel, self.fetcher)
        beside = replace(file, url=f"{file.url}.metadata", sha256=file.core_metadata)
        try:
            return WheelFile(file.url, wheel, _fetch_checked(beside, self.fetcher))
        except MetadataError as error:
            return WheelFile(file.url, wheel, fault=str(error))
        except InvalidValueError as error:
            return WheelFile(file.url, wheel, unread=str(error))

    def read_core(self, name: str) -> bytes:
        """Fetch METADATA of a wheel: what lies beside it (PEP 658), or else ranges of the wheel.

        Raises ``InvalidValueError``.
        """
        file = self.open_wheel(WheelName.parse(name))
        if why := file.fault or file.unread:
            raise InvalidValueError(why)
        return file.metadata


def read_index(url: str, package: str | None) -> Listing:
    """Return the files of a project page; ``url`` is the page, or with a package the index.

    Credentials in the address are used for its host alone, and shown nowhere; certificates and the
    proxy are pip's. Raises
    ``InvalidValueError`` for an address that does not answer with such a page.
    """
    return listing_of(ask_index(url, package, pip_fetcher(os.environ)))


def ask_index(url: str, package: str | None, fetcher: Fetcher) -> IndexPage:
    """Fetch a project page; its yanked files count only for a requirement that pins a version.

    Raises ``InvalidValueError``, whose cause is an ``UpstreamError`` if the index failed.
    """
    page = _page_address(fetcher.remember(url), package)
    files = read_page(page, fetcher)
    is_pinned = package is not None and is_pin(package)
    taken = {name: file for name, file in files.items() if is_pinned or not _is_left_out(file)}
    return IndexPage(page, taken, fetcher)


def listing_of(page: IndexPage) -> Listing:
    """Return the files of a page, sorted into releases."""
    return Listing(
        page.url,
        page.files,
        page.read,
        page.open_wheel,
        _pythons(page),
        page.read_core,
        _MOST_OPENED,
    )


def merged_listing(pages: Sequence[IndexPage]) -> Listing:
    """Return the wheels without a label and the source distributions of several pages.

    This is what an installer sees that knows no variants; of equal names the last page's counts.
    """
    files = {name: page for page in pages for name in page.files if _is_plain(name)}
    pythons = {name: python for page in pages for name, python in _pythons(page).items()}
    origin = ", ".join(page.url for page in pages)
    return Listing(
        origin,
        files,
        lambda name: files[name].read(name),
        lambda wheel: files[str(wheel)].open_wheel(wheel),
        pythons,
        lambda name: files[name].read_core(name),
    )


def _pythons(page: IndexPage) -> dict[str, str]:
    stated = {name: file.requires_python for name, file in page.files.items()}
    return {name: python for name, python in stated.items() if python}


def _is_plain(name: str) -> bool:
    """Tell whether a file is for installers that know no variants."""
    try:
        return not WheelName.parse(name).label
    except InvalidValueError:
        return name.endswith(SDIST_SUFFIXES)


def read_page(url: str, fetcher: Fetcher) -> dict[str, PageFile]:
    """Fetch a page and return its wheels, source distributions and metadata files by name."""
    answer = _fetch(url, fetcher)
    kind = answer.content_type.partition(";")[0].strip().lower()
    files = parse_page(answer.body, kind, answer.url)
    kinds = (WHEEL_SUFFIX, METADATA_SUFFIX, *SDIST_SUFFIXES)
    return {file.name: file for file in files if file.name.endswith(kinds)}


def _is_left_out(file: PageFile) -> bool:
    """Tell whether a file is yanked; of the metadata file that says nothing (PEP 825)."""
    return file.is_yanked and not file.name.endswith(METADATA_SUFFIX)


def _page_address(url: str, package: str | None) -> str:
    if package is None:
        return url
    name = canonicalize_name(requirement_of(package).name)
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
