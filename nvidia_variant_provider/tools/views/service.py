"""The pages of one view: what is asked of the upstream, what is answered, what was decided."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from packaging.utils import canonicalize_name
from packaging.version import Version

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.torch_domains import PROJECTS
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError, hint_of_file
from nvidia_variant_provider.tools.torch.builds import TORCH
from nvidia_variant_provider.tools.views.answers import Log, Page, Served, status_of
from nvidia_variant_provider.tools.views.baking import key_of
from nvidia_variant_provider.tools.views.companions import torch_labels
from nvidia_variant_provider.tools.views.daemons import map_at_once
from nvidia_variant_provider.tools.views.described import read_described
from nvidia_variant_provider.tools.views.families import Families
from nvidia_variant_provider.tools.views.model import Shown, Source
from nvidia_variant_provider.tools.views.selecting import (
    class_of_target,
    concerns,
    make_view,
)
from nvidia_variant_provider.tools.views.stated_pairs import StatedPairs
from nvidia_variant_provider.tools.views.words import no_gpu_build

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nvidia_variant_provider.tools.releases.pages import PageFile, ProjectStatus
    from nvidia_variant_provider.tools.views.baking import Bakery
    from nvidia_variant_provider.tools.views.model import Stated, StatedKey, View, Wanted
    from nvidia_variant_provider.tools.views.stated_code import StatedCode
    from nvidia_variant_provider.tools.views.upstream import CudaFamily, ProjectPage, Upstream

NOT_FOUND: Final = 404
GONE: Final = 410
_WORKERS: Final = 8


@dataclass(frozen=True, slots=True)
class _Torch:
    """What companions have to know of torch, as a ``Source`` has it."""

    labels: Mapping[str, str] = field(default_factory=dict)
    stated: Mapping[StatedKey, Stated] = field(default_factory=dict)
    releases: tuple[str, ...] = ()


class ViewService:
    """Answers for the projects of one upstream, as one machine should see them."""

    def __init__(
        self,
        upstream: Upstream,
        wanted: Callable[[], Wanted],
        families: Sequence[CudaFamily] = (),
        *,
        bakery: Bakery | None = None,
        require_gpu: bool = False,
        is_unchanged: bool = False,
        keep_s: float | None = None,
    ) -> None:
        """``wanted`` is asked when a view is first needed: the target's Python may take a while.

        Without a ``bakery`` wheels with variant markers are left out. ``is_unchanged`` shows the
        upstream's pages as they are. Pages are made anew after ``keep_s`` seconds, if it
        is given.
        """
        self.upstream = upstream
        self.bakery = bakery
        # Reads builds of torch that the table does not know; without it they are assumed.
        self.code: StatedCode | None = None
        self.log = Log()
        self._families = Families(families, self.warn, keep_s)
        self.wanted = wanted
        self._require_gpu = require_gpu
        self._lock = threading.Lock()
        self._is_unchanged = is_unchanged
        self._keep_s = keep_s
        self._pages: dict[str, tuple[float, Future[Page]]] = {}
        self._files: dict[str, Served] = {}
        self._pairs = StatedPairs(upstream.fetcher)
        self._torch: tuple[float, _Torch | None] = 0.0, None
        self._torch_lock = threading.Lock()

    def page(self, project: str, files: str) -> Page:
        """Return the page of a project; ``files`` is the address that its files stand below.

        Every project is asked for once, however many clients wait for it.
        """
        name = canonicalize_name(project)
        with self._lock:
            since, future = self._pages.get(name, (0.0, None))
            now = time.monotonic()
            if future is not None and self._keep_s is not None and now - since > self._keep_s:
                future = None
            is_mine = future is None
            if future is None:
                future = Future()
                self._pages[name] = (now, future)
        if is_mine:
            try:
                future.set_result(self._make_page(name, files))
            except BaseException as error:
                future.set_exception(error)
                raise
            finally:
                if future.exception() is not None or future.result().status != 200:  # noqa: PLR2004
                    with self._lock:
                        self._pages.pop(name, None)
        return future.result()

    def file(self, key: str) -> Served | None:
        """Return the file that an address of ours means; ``None`` before its page was asked for."""
        with self._lock:
            return self._files.get(key)

    @property
    def was_asked(self) -> bool:
        """Whether anybody has asked for a project."""
        with self._lock:
            return bool(self._pages or self.log.missing or self.log.refused or self.log.warnings)

    def close(self) -> None:
        """End what is under way, and leave no half-written file."""
        self.upstream.fetcher.close()
        if self.bakery is not None:
            self.bakery.close()

    def rewritten(self) -> list[Shown]:
        """Return the wheels on the pages so far that are baked."""
        with self._lock:
            return [entry.shown for entry in self._files.values() if not entry.is_upstream_s]

    def view(self, project: str) -> View | None:
        """Return the view of a project, ``None`` if its upstream page is shown as it is.

        Raises ``UpstreamError``.
        """
        source, _ = self._source(canonicalize_name(project))
        return None if source is None else self._decide(source)

    def served(self, project: str) -> list[Served]:
        """Return the files of a project's page; none for a project that no index has.

        Raises ``UpstreamError``.
        """
        source, page = self._source(canonicalize_name(project))
        if source is not None:
            return self._prepared(self._decide(source), source)
        return [Served(Shown(file.name, file)) for file in page.files] if page else []

    def _make_page(self, project: str, files: str) -> Page:
        try:
            source, page = self._source(project)
        except UpstreamError as error:
            self.warn(f"{project}: {error}", error.hint)
            return Page(status_of(error), f"upstream: {redacted(str(error))}")
        if source is None:
            if page is None:
                asked = ", ".join(self.upstream.indexes) or "no index is asked"
                self.log.note_missing(project, f"no index has this project ({asked})")
                return Page(NOT_FOUND, f"no project {project}")
            if not page.files:
                self.log.note_missing(
                    project, f"the page of this project lists no files ({page.url})"
                )
            if page.url and not self.upstream.fetcher.needs_login(page.url):
                # A server for many would keep the pages of all of them in memory.
                own = {True: page.body} if page.body and self._keep_s is None else {}
                return Page(moved=page.url, cache_control=page.cache_control, _bodies=own)
            plain = [Served(Shown(file.name, file)) for file in page.files]
            return self._rendered(project, plain, files, page.status)
        view = self._decide(source)
        if self._require_gpu and (reason := no_gpu_build(view)):
            self.log.refused[project] = reason
            return Page(GONE, reason)
        served = self._prepared(view, source)
        return self._rendered(project, served, files, source.status)

    def _prepared(self, view: View, source: Source) -> list[Served]:
        """Return what is shown, with the METADATA of variant wheels."""
        files = view.files
        if not any(shown.bake_for for shown in files):
            return [Served(shown) for shown in files]
        prepared = map_at_once(partial(self._prepare, source), files, _WORKERS)
        return [served for served in prepared if served]

    def _prepare(self, source: Source, shown: Shown) -> Served | None:
        if not shown.bake_for or shown.wheel is None:
            return Served(shown)
        metadata = source.metadata.get(Version(shown.wheel.version))
        properties = metadata.variants.get(shown.bake_for, {}) if metadata else {}
        try:
            baked = self.bakery.metadata(shown, properties) if self.bakery else None
        except (UpstreamError, InvalidValueError) as error:
            hint = hint_of_file(error) if isinstance(error, UpstreamError) else ""
            self.warn(f"{shown.file.name} is left out: {error}", hint)
            return None
        if self.bakery is None and (baked is None or baked.is_changed):
            return None
        return Served(shown, properties, baked)

    def _decide(self, source: Source) -> View:
        view = make_view(source, self.wanted())
        self.log.views[source.project] = view
        for warning in view.warnings:
            self.warn(warning)
        return view

    def _source(self, project: str) -> tuple[Source | None, ProjectPage | None]:
        """Return the files to choose among; ``None`` and the upstream's page if there is no choice.

        Both are ``None`` for a project that no index has.
        """
        cuda_files = self._families.files(project)
        page = self.upstream.page(project)
        for trouble in page.troubles if page else ():
            self.warn(f"{trouble}; the other indexes and folders are judged", trouble.hint)
        if page is None and not cuda_files:
            return None, None
        files = page.files if page else ()
        status = page.status if page else None
        if status is not None and status.is_quarantined:
            cuda_files = {}
            why = f" ({status.reason})" if status.reason else ""
            self.warn(
                f"{project}: the main index has quarantined the project{why}: no file is shown"
            )
        is_cuda_project = project in {TORCH, *PROJECTS}
        source = Source(project, files, cuda_files, is_cuda_project=is_cuda_project, status=status)
        if self._is_unchanged or not concerns(source):
            return None, page
        metadata, troubles = read_described(self.upstream, files)
        source = replace(source, metadata=metadata, troubles=troubles)
        if self.code is not None:
            wanted = self.wanted()
            stated = self.code.read(source, wanted, class_of_target(wanted))
            source = replace(source, stated=stated)
        if is_cuda_project and project != TORCH:
            torch = self._torch_builds()
            source = replace(
                source,
                torch_labels=torch.labels,
                torch_releases=torch.releases,
                stated=torch.stated,
                pairs=self._pairs.read(source),
            )
        return source, None

    def _torch_builds(self) -> _Torch:
        """Return the builds of torch that its view shows, for what has to go with them."""
        with self._torch_lock:
            since, torch = self._torch
            now = time.monotonic()
            if torch is None or (self._keep_s is not None and now - since > self._keep_s):
                torch = self._read_torch()
                self._torch = now, torch
            return torch

    def _read_torch(self) -> _Torch:
        wanted = self.wanted()
        try:
            source, _ = self._source(TORCH)
        except UpstreamError:
            return _Torch()
        if source is None:
            return _Torch()
        view = make_view(source, wanted)
        labels = torch_labels(view, wanted, class_of_target(wanted))
        versions = (version.version for version in view.versions if version.shown)
        releases = tuple(str(version) for version in versions if not version.is_prerelease)
        return _Torch(labels, source.stated, releases)

    def _rendered(
        self, project: str, served: Sequence[Served], files: str, status: ProjectStatus | None
    ) -> Page:
        listed = tuple(self._listed(file, files) for file in served)
        versions = tuple(filter(None, dict.fromkeys(_version_in(file.name) for file in listed)))
        return Page(project=project, files=listed, versions=versions, project_status=status)

    def _listed(self, served: Served, files: str) -> PageFile:
        """Return a file as our page lists it.

        Its own address where that ends in the name to show and needs no credentials, so that
        installers cache it as ever; else one of ours, which leads there.
        """
        file, name = served.shown.file, served.shown.name
        ends_in_name = file.url.endswith((f"/{name}", f"/{name.replace('+', '%2B')}"))
        if not ends_in_name:
            ends_in_name = unquote(file.url.partition("?")[0].rpartition("/")[2]) == name
        is_local = file.url.startswith("file:")
        is_open = not is_local and not self.upstream.fetcher.needs_login(file.url)
        if ends_in_name and is_open and served.is_upstream_s:
            return file if file.name == name else replace(file, name=name, provenance="")
        key = key_of(served.shown)
        with self._lock:
            self._files[key] = served
        here = replace(file, name=name, url=f"{files}{key}/{quote(name)}")
        # Attestations are for a file of the index's name and bytes (PEP 740).
        if name != file.name or not served.is_upstream_s:
            here = replace(here, provenance="")
        return here if served.is_upstream_s else self._as_baked(here, served)

    def _as_baked(self, file: PageFile, served: Served) -> PageFile:
        """Return a file with the hash of what is served, if that is known already."""
        kept = self.bakery.kept(served.shown) if self.bakery else None
        digest = hashlib.sha256(served.baked.metadata).hexdigest() if served.baked else None
        return replace(
            file,
            sha256=kept.sha256 if kept else "",
            size=kept.size if kept else None,
            core_metadata=digest,
        )

    def warn(self, text: str, hint: str = "") -> None:
        """Take note of what a person is told after the installer; credentials are left out."""
        self.log.note_warning(redacted(text), hint)


def _version_in(name: str) -> str:
    parts = name.removesuffix(".tar.gz").removesuffix(".zip").split("-")
    return parts[1] if name.endswith(".whl") and len(parts) > 1 else parts[-1]
