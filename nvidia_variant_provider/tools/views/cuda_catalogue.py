"""Which releases and builds of torch there are for a platform: on the indexes of a person.

A per-CUDA folder (``…/cu126``, or an index such as ``…/pytorch-cu126/simple``) says which builds
there are, and so do the names of wheels in folders of ``find-links``; every other index only says
which releases.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError, ProviderError
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.torch.backend import CPU
from nvidia_variant_provider.tools.views.configured_fetcher import fetcher_for
from nvidia_variant_provider.tools.views.cuda_builds import is_label
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvidia_variant_provider.tools.installers.configured import Configured

_TORCH: Final = "torch"
# Nobody waits longer for an answer that the table can give as well.
_DEADLINE_S: Final = 10.0
_FAMILY_FOLDER: Final = re.compile(r"(.+)/(?:cpu|cu\d{2,3})/*")
# As Artifactory and others have it: a repository for each folder.
_FOLDER_OF_ONE: Final = re.compile(r".*[/._-](cpu|cu\d{2,3})(?:/\+?simple)?/*")
# How the tags of a platform of the table begin and end.
_TAGS: Final = {
    "linux-x86_64": ("manylinux", "linux", "x86_64"),
    "linux-aarch64": ("manylinux", "linux", "aarch64"),
    "windows-x86_64": ("win", "win", "amd64"),
    "windows-aarch64": ("win", "win", "arm64"),
}


def read_labels(
    address: str, platform: str, environ: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Return the labels, such as ``cu126``, of each release that has wheels for a platform.

    Pre-releases are left out. Raises ``UpstreamError`` if the address cannot be reached.
    """
    return _labels(CudaFamily(Fetcher(environ), address, frozenset({_TORCH})), platform)


def _labels(family: CudaFamily, platform: str) -> dict[str, frozenset[str]]:
    by_release: dict[str, set[str]] = {}
    for label, files in family.files(_TORCH).items():
        for file in files:
            release = _release_for(file.name, platform)
            if release:
                by_release.setdefault(release, set()).add(label)
    return {release: frozenset(labels) for release, labels in by_release.items()}


@dataclass(frozen=True, slots=True)
class OnIndexes:
    """What the indexes of a person have: ``labels`` as of ``read_labels``, with their ``address``.

    ``folders`` are the addresses of labels that do not lie below one; ``None`` where they do.
    ``labels`` is ``None`` where no per-CUDA index is configured; ``releases`` are then those that
    the other indexes have. ``trouble`` says why nothing could be read.
    """

    labels: Mapping[str, frozenset[str]] | None = None
    address: str = ""
    folders: Mapping[str, str] | None = None
    releases: frozenset[str] = frozenset()
    trouble: str = ""


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
            if family := _FAMILY_FOLDER.fullmatch(index):
                return _of_family(CudaFamily(fetcher, family[1], frozenset({_TORCH})), platform)
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
        self._labels: dict[str, set[str]] = {}
        self._folders: dict[str, str] = {}
        self._places: list[str] = []
        self._releases: set[str] = set()

    def add(self, upstream: Upstream, label: str, *, is_folder: bool = False) -> None:
        """Read one index or folder of wheels; ``label`` is that of all its wheels, if it has one.

        In a folder local versions tell. In an index without a label they do not count: installers
        choose by version there.
        """
        page = upstream.page(_TORCH)
        places = [*upstream.indexes, *upstream.find_links]
        for file in page.files if page else ():
            release = _release_for(file.name, self._platform)
            build = label or (file.name.partition("+")[2].partition("-")[0] if is_folder else "")
            if release and is_label(build):
                self._labels.setdefault(release, set()).add(build)
                self._places += places
                if label:
                    self._folders.setdefault(label, places[0])
            elif release:
                self._releases.add(release)

    def listed(self) -> OnIndexes:
        """Return what there is."""
        has_cuda = any(builds != {CPU} for builds in self._labels.values())
        if not has_cuda and not self._folders:
            # A CPU wheel in a folder says nothing of the builds that an index has.
            return OnIndexes(releases=frozenset({*self._releases, *self._labels}))
        labels = {release: frozenset(builds) for release, builds in self._labels.items()}
        return OnIndexes(labels, ", ".join(dict.fromkeys(self._places)), self._folders)


def _of_family(family: CudaFamily, platform: str) -> OnIndexes:
    address = family.base.rstrip("/")
    labels = _labels(family, platform)
    if not labels:
        return OnIndexes(trouble=f"{address}: no wheels of torch for {platform} there")
    return OnIndexes(labels, address)


def _release_for(name: str, platform: str) -> str:
    """Return the public version of a wheel for a platform; "" for any other file."""
    try:
        wheel = WheelName.parse(name)
    except InvalidValueError:
        return ""
    public = wheel.version.partition("+")[0]
    first, other, last = _TAGS[platform]
    fits = any(
        tag.startswith((first, other)) and tag.endswith(last) for tag in wheel.platform.split(".")
    )
    return public if fits and public.replace(".", "").isdecimal() else ""
