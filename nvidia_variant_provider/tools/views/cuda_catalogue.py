"""Which releases and builds of torch there are for a platform: on the indexes of a person.

A per-CUDA folder (``…/cu126``, or an index such as ``…/pytorch-cu126/simple``) says which builds
there are, and so do the names of wheels in folders of ``find-links``; every other index only says
which releases.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from nvidia_variant_provider.errors import InvalidValueError, ProviderError
from nvidia_variant_provider.tables.torch_builds import RELEASES
from nvidia_variant_provider.tables.torch_domains import PROJECTS
from nvidia_variant_provider.tools.releases.configured_fetcher import fetcher_for, pip_fetcher
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.torch.backend import CPU
from nvidia_variant_provider.tools.torch.builds import (
    TORCH,
    Partners,
    TorchRelease,
    partners,
    release_order,
)
from nvidia_variant_provider.tools.views.candidates import sort_files
from nvidia_variant_provider.tools.views.companions import pair_of
from nvidia_variant_provider.tools.views.cuda_builds import class_of_place, is_label
from nvidia_variant_provider.tools.views.model import Source, Wanted
from nvidia_variant_provider.tools.views.stated_code import StatedCode
from nvidia_variant_provider.tools.views.stated_pairs import StatedPairs
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.installers.configured import Configured
    from nvidia_variant_provider.tools.releases.http import Fetcher
    from nvidia_variant_provider.tools.releases.pages import PageFile
    from nvidia_variant_provider.tools.views.model import Stated, StatedKey

FilesByLabel: TypeAlias = "dict[str, tuple[PageFile, ...]]"
_FAMILY: Final = frozenset({TORCH, *PROJECTS})
# Nobody waits longer for an answer that the table can give as well.
_DEADLINE_S: Final = 10.0
_FAMILY_FOLDER: Final = re.compile(r".+/(?:cpu|cu\d{2,3})/*")
# As Artifactory and others have it: a repository for each folder.
_FOLDER_OF_ONE: Final = re.compile(r".*[/._-](cpu|cu\d{2,3})(?:/\+?simple)?/*")
# How the tags of a platform of the table begin and end.
_TAGS: Final = {
    "linux-x86_64": ("manylinux", "linux", "x86_64"),
    "linux-aarch64": ("manylinux", "linux", "aarch64"),
    "windows-x86_64": ("win", "win", "amd64"),
    "windows-aarch64": ("win", "win", "arm64"),
}


def read_index(address: str, platform: str, environ: Mapping[str, str]) -> OnIndexes:
    """Return what the per-CUDA indexes below an address have for a platform.

    Raises ``UpstreamError`` if the address cannot be reached.
    """
    return read_family(pip_fetcher(environ), address, platform)


def read_family(fetcher: Fetcher, address: str, platform: str) -> OnIndexes:
    """Return the same, asked with what is configured for an installer."""
    return _of_family(CudaFamily(fetcher, address, _FAMILY), platform)


def _no_files(_project: str) -> FilesByLabel:
    return {}


@dataclass(frozen=True, slots=True)
class OnIndexes:
    """What indexes have: the labels, such as ``cu126``, of each release, with their ``address``.

    Of releases and builds those count that have wheels for the platform, without pre-releases.
    ``folders`` are the addresses of labels that do not lie below one; ``None`` where they do.
    ``labels`` is ``None`` where no per-CUDA index is configured; ``releases`` are then those that
    the other indexes have. ``trouble`` says why nothing could be read. ``files`` returns the files
    of a project by label; ``fetcher`` reads them.
    """

    labels: Mapping[str, frozenset[str]] | None = None
    address: str = ""
    folders: Mapping[str, str] | None = None
    releases: frozenset[str] = frozenset()
    trouble: str = ""
    files: Callable[[str], FilesByLabel] = field(default=_no_files, compare=False)
    fetcher: Fetcher | None = field(default=None, compare=False)


def read_stated(
    listed: OnIndexes, machine: Machine, platform: str, folder: Path, release: str = ""
) -> dict[StatedKey, Stated]:
    """Return what builds say of themselves that the table does not know; of one ``release`` or all.

    As a view reads them, within the same time; ``folder`` is that of the caches.
    """
    if listed.fetcher is None:
        return {}
    by_label = {
        label: tuple(file for file in files if not release or _public(file.name) == release)
        for label, files in listed.files(TORCH).items()
    }
    source = Source(TORCH, (), by_label, is_cuda_project=True)
    return StatedCode(listed.fetcher, folder).read(
        source, Wanted(machine), class_of_place(platform)
    )


def read_partners(listed: OnIndexes, release: str) -> Partners:
    """Return the torchvision and torchaudio that indexes have for a release of torch.

    The table's, or else the newest version that requires this torch, or an older one and newer.
    """
    known = partners(TorchRelease(release, release))
    if known.torchvision or listed.fetcher is None:
        return known
    vision, audio = (_partner(project, listed, release) for project in PROJECTS)
    return Partners(vision, audio)


def _partner(project: str, listed: OnIndexes, release: str) -> str | None:
    assert listed.fetcher is not None  # noqa: S101 - for the type checker
    try:
        source = Source(project, (), listed.files(project), is_cuda_project=True)
    except ProviderError:
        return None
    source = replace(source, pairs=StatedPairs(listed.fetcher).read(source))
    for files in sort_files(source):
        pair = pair_of(source, files.version)
        # A release of the table that requires no exact torch was made for another one.
        is_newer = str(files.version) in source.pairs and not pair.is_exact and pair.torch
        goes = is_newer and release_order(pair.torch) <= release_order(release)
        if files.wheels and not files.version.is_prerelease and (goes or pair.torch == release):
            return str(files.version)
    return None


def read_configured(
    sources: Sequence[Configured],
    environ: Mapping[str, str],
    platform: str,
    *,
    deadline_s: float = _DEADLINE_S,
) -> OnIndexes:
    """Read what the indexes have that pip or uv is configured to use; no default index is asked.

    Answers within ``deadline_s`` seconds, whatever an index does.
    """
    answers: list[OnIndexes] = []

    def read() -> None:
        try:
            answers.append(_read_configured(sources, environ, platform))
        except (ProviderError, OSError) as error:
            answers.append(OnIndexes(trouble=redacted(str(error))))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(deadline_s)
    late = f"the configured indexes did not answer within {deadline_s:g} s"
    return next(iter(answers), OnIndexes(trouble=late))


def _read_configured(
    sources: Sequence[Configured], environ: Mapping[str, str], platform: str
) -> OnIndexes:
    asked = [(fetcher_for(source, environ), source) for source in sources]
    for fetcher, source in asked:
        for index in source.named:
            if _FAMILY_FOLDER.fullmatch(index):
                return _of_family(CudaFamily(fetcher, index, _FAMILY), platform)
    builds = _Builds(platform)
    for fetcher, source in asked:
        for index in source.named:
            folder = _FOLDER_OF_ONE.fullmatch(index)
            builds.add(Upstream(fetcher, [index]), folder[1] if folder else "")
        for place in source.find_links:
            builds.add(Upstream(fetcher, (), [place]), "", is_folder=True)
    return builds.listed()


class _Builds:
    """Gathers what several places have, each read after the other."""

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._places: list[tuple[Upstream, str, bool]] = []

    def add(self, upstream: Upstream, label: str, *, is_folder: bool = False) -> None:
        """Add one index or folder of wheels; ``label`` is that of all its wheels, if it has one.

        In a folder local versions tell. In an index without a label they do not count: installers
        choose by version there.
        """
        self._places.append((upstream, label, is_folder))

    def files(self, project: str) -> FilesByLabel:
        """Return the files of a project whose build is known, by label."""
        by_label: dict[str, list[PageFile]] = {}
        for upstream, label, is_folder in self._places:
            page = upstream.page(project) if label or is_folder else None
            for file in page.files if page else ():
                if is_label(build := label or _local(file.name)):
                    by_label.setdefault(build, []).append(file)
        return {label: tuple(files) for label, files in by_label.items()}

    def listed(self) -> OnIndexes:
        """Return what there is of torch; raises ``UpstreamError``."""
        labels: dict[str, set[str]] = {}
        releases: set[str] = set()
        folders: dict[str, str] = {}
        places: list[str] = []
        for upstream, label, is_folder in self._places:
            page = upstream.page(TORCH)
            addresses = [*upstream.indexes, *upstream.find_links]
            for file in page.files if page else ():
                release = _release_for(file.name, self._platform)
                build = label or (_local(file.name) if is_folder else "")
                if release and is_label(build):
                    labels.setdefault(release, set()).add(build)
                    places += addresses
                    if label:
                        folders.setdefault(label, addresses[0])
                elif release:
                    releases.add(release)
        has_cuda = any(builds != {CPU} for builds in labels.values())
        if not has_cuda and not folders:
            # A CPU wheel in a folder says nothing of the builds that an index has.
            return OnIndexes(releases=frozenset({*releases, *labels}))
        by_release = {release: frozenset(builds) for release, builds in labels.items()}
        address = ", ".join(dict.fromkeys(places))
        fetcher = self._places[0][0].fetcher
        return OnIndexes(by_release, address, folders, files=self.files, fetcher=fetcher)


def _of_family(family: CudaFamily, platform: str) -> OnIndexes:
    address = family.base.rstrip("/")
    by_release: dict[str, set[str]] = {}
    for folder, files in family.files(TORCH).items():
        for file in files:
            release, label = _release_for(file.name, platform), _local(file.name) or folder
            if release and is_label(label):
                by_release.setdefault(release, set()).add(label)
    if not by_release:
        return OnIndexes(trouble=f"{address}: no wheels of torch for {platform} there")
    labels = {release: frozenset(builds) for release, builds in by_release.items()}
    return OnIndexes(labels, address, files=family.files, fetcher=family.fetcher)


def _local(name: str) -> str:
    """Return the local version in a wheel's name: ``cu126``; "" without one."""
    return name.partition("+")[2].partition("-")[0]


def _public(name: str) -> str:
    return name.partition("-")[2].partition("-")[0].partition("+")[0]


def _release_for(name: str, platform: str) -> str:
    """Return the public version of a wheel for a platform; "" for any other file.

    Releases before the table's are left out: what they were built for is not known.
    """
    try:
        wheel = WheelName.parse(name)
    except InvalidValueError:
        return ""
    public = wheel.version.partition("+")[0]
    first, other, last = _TAGS[platform]
    fits = any(
        tag.startswith((first, other)) and tag.endswith(last) for tag in wheel.platform.split(".")
    )
    if not (fits and public.replace(".", "").isdecimal()):
        return ""
    return public if release_order(public) >= release_order(RELEASES[0]) else ""
