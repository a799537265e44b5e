"""Which torch a release of torchvision or torchaudio requires that the table does not know.

METADATA of one wheel of each says so: a few kilobytes, for the newest releases alone.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.torch_builds import PAIRS
from nvidia_variant_provider.tables.torch_domains import PROJECTS
from nvidia_variant_provider.tools.releases.remote_wheel import RemoteFile, read_member
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.torch.builds import TORCH, release_order
from nvidia_variant_provider.tools.views.candidates import sort_files
from nvidia_variant_provider.tools.views.model import Pair
from nvidia_variant_provider.tools.views.upstream import local_path
from nvidia_variant_provider.tools.wheels.dist_info import find_dist_info, metadata_fields
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
from nvidia_variant_provider.tools.wheels.zip_layout import members_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.releases.http import Fetcher
    from nvidia_variant_provider.tools.views.candidates import Candidate
    from nvidia_variant_provider.tools.views.model import Source

# A release a month for half a year; older ones than these are in the table by then.
_MOST: Final = 6
_BUDGET_S: Final = 4.0
_MAX_METADATA: Final = 4 << 20


class StatedPairs:
    """Reads what releases require, each once. A page waits ``budget_s`` seconds at most."""

    def __init__(self, fetcher: Fetcher, budget_s: float = _BUDGET_S) -> None:
        self._fetcher = fetcher
        self._budget_s = budget_s
        self._known: dict[str, Pair] = {}

    def read(self, source: Source) -> dict[str, Pair]:
        """Return what unknown releases of a companion of torch require, by public version."""
        unknown = dict(_unknown(source))
        threads = [
            threading.Thread(target=self._note, args=(candidate,), daemon=True)
            for candidate in unknown.values()
            if candidate.file.url not in self._known
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + self._budget_s
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return {
            version: self._known[candidate.file.url]
            for version, candidate in unknown.items()
            if candidate.file.url in self._known
        }

    def _note(self, candidate: Candidate) -> None:
        # Without an answer the release goes with the newest torch, as one without a requirement.
        with contextlib.suppress(UpstreamError, InvalidValueError, OSError):
            self._known[candidate.file.url] = required_torch(self._metadata(candidate))

    def _metadata(self, candidate: Candidate) -> bytes:
        file = candidate.file
        if urlsplit(file.url).scheme == "file":
            with OpenWheel(local_path(file.url)) as wheel:
                return wheel.metadata
        if file.core_metadata is not None:
            return self._fetcher.get(f"{file.url}.metadata", "*/*", _MAX_METADATA).body
        remote = RemoteFile(file.url, self._fetcher)
        members = members_of(remote)
        folder = find_dist_info(members, candidate.wheel, file.name)
        return read_member(remote, members, f"{folder}/METADATA")


def required_torch(metadata: bytes) -> Pair:
    """Return what METADATA requires of torch: ``torch==2.15.0`` exactly, ``torch>=2.14`` not."""
    for text in metadata_fields(metadata, "Requires-Dist"):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) == TORCH:
            bounds = {clause.operator: clause.version for clause in requirement.specifier}
            exact = bounds.get("==", "").removesuffix(".*")
            release = (exact or bounds.get(">=", "")).partition("+")[0]
            return Pair(release, is_exact=bool(exact))
    return Pair()


def _unknown(source: Source) -> Iterator[tuple[str, Candidate]]:
    """Yield a wheel of each release that is newer than the table's, the newest ones."""
    if source.project not in PROJECTS:
        return
    column = 1 + PROJECTS.index(source.project)
    newest = max(release_order(row[column]) for row in PAIRS if row[column])
    versions = (
        version
        for version in sort_files(source)
        if version.wheels
        and not version.version.local
        and release_order(str(version.version)) > newest
    )
    for version, _ in zip(versions, range(_MOST), strict=False):
        # One with metadata of its own beside it needs a single small request.
        candidate = min(version.wheels, key=lambda wheel: wheel.file.core_metadata is None)
        yield str(version.version), candidate
