"""The indexes that a person has configured, as one: pages of projects, in the installer's order."""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.request import pathname2url, url2pathname

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
)

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.cuda_indexes import FAMILY, TORCH_INDEX
from nvidia_variant_provider.tools.releases.files import METADATA_SUFFIX
from nvidia_variant_provider.tools.releases.http import MAX_PAGE
from nvidia_variant_provider.tools.releases.pages import (
    PageFile,
    ProjectStatus,
    parse_page,
    parse_status,
)
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.views.rendering import ACCEPT, JSON
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from nvidia_variant_provider.tools.releases.http import Fetcher

_ANSWERED: Final = 200
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_SERVER_FAULT: Final = 500
_LISTED_S: Final = 30.0
_MISSING: Final = frozenset({403, 404, 410})
# A project's name, normalised. Any other text could make an address of its own: "file:etc".
_PROJECT: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_RELATIVE: Final = re.compile(rb'"url"\s*:\s*"(?!https?://)')
_FOLDER: Final = re.compile(r"/(cpu|cu\d{2,3})/")
_ONE_FOLDER: Final = re.compile(r"(.+/)(cpu|cu\d{2,3})/+")


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """The files of a project, and the address of the page if they are all from one.

    ``body`` is the page itself if it means the same at another address: JSON in which all addresses
    are absolute; b"" for any other. ``cache_control`` is how long its index says it may be kept.
    ``status`` is what the first of the indexes that says something says of the project.
    ``troubles`` are those of indexes and folders that were left out.
    """

    files: tuple[PageFile, ...]
    url: str = ""
    body: bytes = field(default=b"", repr=False)
    cache_control: str = ""
    status: ProjectStatus | None = None
    troubles: tuple[UpstreamError, ...] = ()


class Upstream:
    """Several indexes and folders of wheels.

    ``is_first_only`` is uv's way: the first index with the project decides. Otherwise all are put
    together, as pip does.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        indexes: Sequence[str],
        find_links: Sequence[str] = (),
        *,
        is_first_only: bool = False,
        passed_over: Mapping[str, Collection[int]] | None = None,
        pinned: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Take the addresses in the order that counts; credentials in them are kept apart.

        ``passed_over`` are answers of an index that mean that it has not the project, such as 403.
        ``pinned`` are projects for which other indexes are asked, and no folders.
        """
        self.fetcher = fetcher
        self._passed_over = {
            _with_slash(fetcher.remember(_as_url(address))): codes
            for address, codes in (passed_over or {}).items()
        }
        self.indexes = tuple(_with_slash(fetcher.remember(_as_url(address))) for address in indexes)
        self._pinned = {
            project: tuple(_with_slash(fetcher.remember(_as_url(url))) for url in urls)
            for project, urls in (pinned or {}).items()
        }
        self.find_links = tuple(fetcher.remember(_as_url(address)) for address in find_links)
        self._is_first_only = is_first_only
        self._lock = threading.Lock()
        self._listed: dict[str, tuple[object, dict[str, list[PageFile]]]] = {}

    @property
    def is_local(self) -> bool:
        """Whether nothing but folders of this machine is asked."""
        return all(
            urlsplit(address).scheme == "file" for address in (*self.indexes, *self.find_links)
        )

    def page(self, project: str) -> ProjectPage | None:
        """Return the files of a project; ``None`` if no index has it. Raises ``UpstreamError``."""
        if not _PROJECT.fullmatch(project):
            return None
        troubles: list[UpstreamError] = []
        pages = []
        for index in self._pinned.get(project, self.indexes):
            try:
                page = self._page_of(index, project)
            except UpstreamError as error:
                if not self._may_go_on(error):
                    raise
                troubles.append(error)
                continue
            if page is not None:
                pages.append(page)
                if self._is_first_only:
                    break
        linked = () if project in self._pinned else tuple(self._linked(project, troubles))
        if len(pages) == 1 and not linked:
            return replace(pages[0], troubles=tuple(troubles))
        if not pages and not linked and any(error.status == _FORBIDDEN for error in troubles):
            raise troubles[0]
        files = _each_once([*(file for page in pages for file in page.files), *linked])
        status = next((page.status for page in pages if page.status), None)
        return (
            ProjectPage(files, status=status, troubles=tuple(troubles)) if files or pages else None
        )

    def _may_go_on(self, error: UpstreamError) -> bool:
        """Tell whether other indexes are asked nevertheless.

        Stores of files answer 403 for what is not there, and pip goes on after it. No other fault
        may end at the file that another index has under the same name.
        """
        return error.status == _FORBIDDEN and len(self.indexes) > 1 and not self._is_first_only

    def read(self, url: str, limit: int = MAX_PAGE) -> bytes:
        """Return a small file; raises ``UpstreamError``."""
        if urlsplit(url).scheme == "file":
            return _read_local(url, limit)
        return self.fetcher.get(url, "*/*", limit).body

    def _page_of(self, index: str, project: str) -> ProjectPage | None:
        url = urljoin(index, f"{project}/")
        if urlsplit(url).scheme == "file":
            return _local_page(url)
        try:
            answer = self.fetcher.get(url, ACCEPT)
        except UpstreamError as error:
            is_missing = error.status in {_NOT_FOUND, *self._passed_over.get(index, ())}
            if is_missing or self._is_torch_s_way(error, index, project):
                return None
            raise
        is_movable = JSON in answer.content_type and not _RELATIVE.search(answer.body)
        return ProjectPage(
            _parsed(answer.body, answer.content_type, answer.url),
            answer.url,
            answer.body if is_movable else b"",
            answer.cache_control,
            parse_status(answer.body, answer.content_type),
        )

    def _is_torch_s_way(self, error: UpstreamError, index: str, project: str) -> bool:
        """Tell whether PyTorch's own store has answered as it does for what is not there.

        It says 403, which uv, too, takes for that; and at times 500 (pytorch/pytorch#145983), after
        which pip goes on. Of torch and its like the latter is a fault.
        """
        if not index.startswith(f"{TORCH_INDEX}/"):
            return False
        is_fault = error.status < _SERVER_FAULT or self._is_first_only or project in FAMILY
        return error.status == _FORBIDDEN or not is_fault

    def _linked(self, project: str, troubles: list[UpstreamError]) -> Iterator[PageFile]:
        """Yield what folders and pages of links have; as for pip, one that has gone is no fault."""
        for place in self.find_links:
            try:
                files = self._files_of(place)
            except UpstreamError as error:
                troubles.append(error)
                continue
            yield from files.get(project, ())

    def _files_of(self, place: str) -> Mapping[str, Sequence[PageFile]]:
        """Return the files of a place by project; a list that has not changed is read once."""
        stamp = _stamp(place)
        with self._lock:
            listed = self._listed.get(place)
            # What is not there is asked for again: the error is of the one who asks.
            if listed is None or stamp is None or listed[0] != stamp:
                by_project: dict[str, list[PageFile]] = {}
                for file in self._list(place):
                    by_project.setdefault(project_of(file.name), []).append(file)
                listed = self._listed[place] = stamp, by_project
            return listed[1]

    def _list(self, place: str) -> Iterable[PageFile]:
        if urlsplit(place).scheme == "file":
            path = url2pathname(urlsplit(place).path)
            if os.path.isdir(path):
                return _files_in(path)
            return _parsed(_read_local(place, MAX_PAGE), "text/html", place)
        answer = self.fetcher.get(place, ACCEPT)
        return _parsed(answer.body, answer.content_type, answer.url)


class CudaFamily:
    """Per-CUDA indexes below one address, such as ``cpu``, ``cu126`` and ``cu130``."""

    def __init__(self, fetcher: Fetcher, base: str, projects: frozenset[str]) -> None:
        """Take the address, and the projects that have builds there.

        The address of one of the indexes means the one above them.
        """
        self.fetcher = fetcher
        address = _with_slash(fetcher.remember(_as_url(base)))
        match = _ONE_FOLDER.fullmatch(address)
        self.base, self._named = (match[1], match[2]) if match else (address, "")
        self.projects = projects

    def files(self, project: str) -> dict[str, tuple[PageFile, ...]]:
        """Return a project's files by label; raises ``UpstreamError`` if it cannot be reached.

        The page below the common address lists the files of all builds. Where there is none, each
        index that the common address links is asked.
        """
        shared = self._page(f"{self.base}{project}/")
        if shared is not None:
            return _by_label(shared)
        by_label: dict[str, list[PageFile]] = {}
        for label in self._labels() or filter(None, [self._named]):
            for file in self._page(f"{self.base}{label}/{project}/") or ():
                by_label.setdefault(label, []).append(file)
        return {label: tuple(files) for label, files in by_label.items()}

    def _labels(self) -> list[str]:
        try:
            answer = self.fetcher.get(self.base, ACCEPT)
        except UpstreamError as error:
            if error.status in _MISSING:
                return []
            raise
        links = re.findall(rb'href="([^"]+)"', answer.body)
        paths = [urljoin(answer.url, link.decode("utf-8", "replace")) for link in links]
        return sorted({match[1] for path in paths if (match := _FOLDER.search(f"{path}/"))})

    def _page(self, url: str) -> tuple[PageFile, ...] | None:
        """Return a page; ``None`` where there is none, which some stores answer with 403."""
        try:
            answer = self.fetcher.get(url, ACCEPT)
        except UpstreamError as error:
            if error.status in _MISSING:
                return None
            raise
        return _parsed(answer.body, answer.content_type, answer.url)


def _by_label(files: Iterable[PageFile]) -> dict[str, tuple[PageFile, ...]]:
    """Sort files by the folder they lie in; their local version counts before it."""
    by_label: dict[str, list[PageFile]] = {}
    for file in files:
        match = _FOLDER.search(urlsplit(file.url).path)
        by_label.setdefault(match[1] if match else "", []).append(file)
    return {label: tuple(members) for label, members in by_label.items()}


def project_of(name: str) -> str:
    """Return the project that a file name is of, normalised; "" if it is of none."""
    try:
        if name.endswith(METADATA_SUFFIX):
            return canonicalize_name(name.removesuffix(METADATA_SUFFIX).rpartition("-")[0])
        if name.endswith(".whl"):
            return canonicalize_name(WheelName.parse(name).name)
        return str(parse_sdist_filename(name)[0])
    except (InvalidValueError, InvalidWheelFilename, InvalidSdistFilename):
        return ""


def _parsed(body: bytes, content_type: str, url: str) -> tuple[PageFile, ...]:
    """Read a page. What an index of the network links on this machine is none of its files."""
    try:
        files = parse_page(body, content_type, url)
    except InvalidValueError as error:
        raise UpstreamError(str(error), _ANSWERED) from error
    if url.startswith("file:"):
        return files
    return tuple(file for file in files if file.url.startswith(("https://", "http://")))


def _each_once(files: Iterable[PageFile]) -> tuple[PageFile, ...]:
    by_name: dict[str, PageFile] = {}
    for file in files:
        by_name.setdefault(file.name, file)
    return tuple(by_name.values())


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _as_url(text: str) -> str:
    """Return an address; a path of this machine becomes one."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        return text
    if "@" in text and not os.path.exists(os.path.expanduser(text)):
        shown = text.rpartition("@")[2][:200]
        raise InvalidValueError(f"{shown}: not an address and not a folder; expected https://...")
    return "file://" + pathname2url(os.path.abspath(os.path.expanduser(text)))


def _local_page(url: str) -> ProjectPage | None:
    folder = url2pathname(urlsplit(url).path)
    for name, kind in (("index.html", "text/html"), ("index.json", "application/json")):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            where = f"{url}{name}"
            return ProjectPage(_parsed(_read_local(where, MAX_PAGE), kind, url))
    if not os.path.isdir(folder):
        return None
    return ProjectPage(_files_in(folder))


def _stamp(place: str) -> object:
    """Return what changes with a list of files: for an address every half minute."""
    if urlsplit(place).scheme != "file":
        return time.monotonic() // _LISTED_S
    try:
        return os.stat(url2pathname(urlsplit(place).path)).st_mtime_ns
    except OSError:
        return None


def _files_in(folder: str) -> tuple[PageFile, ...]:
    try:
        return tuple(_local_file(entry.path) for entry in os.scandir(folder) if entry.is_file())
    except OSError as error:
        raise UpstreamError(f"{folder}: {error.strerror}") from error


def _local_file(path: str) -> PageFile:
    url = "file://" + quote(os.path.abspath(path))
    return PageFile(os.path.basename(path), url, size=os.stat(path).st_size)


def local_path(url: str) -> str:
    """Return the path of a ``file:`` address."""
    return unquote(urlsplit(url).path) if os.name != "nt" else url2pathname(urlsplit(url).path)


def _read_local(url: str, limit: int) -> bytes:
    path = local_path(url)
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UpstreamError(f"{path}: {error.strerror}", 404) from error
    if len(data) > limit:
        raise UpstreamError(f"{path}: more than {limit} bytes")
    return data
