"""Builds of torch that the table does not know: what their wheels say themselves.

About ten megabytes of a wheel are read, by range requests: its directory, METADATA, and the library
with the list of ``torch.cuda.get_arch_list()``. A page waits ``budget_s`` seconds at most for all
of them; what comes later is there for the next page, as everything that was read is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.tools.files import write_atomically
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.releases.remote_wheel import RemoteFile, read_member
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.torch.backend import CPU
from nvidia_variant_provider.tools.torch.builds import (
    TORCH,
    UnknownReleaseError,
    cuda_of_label,
    device_code,
    find_release,
)
from nvidia_variant_provider.tools.torch.stated import LIBRARIES, find_flags, parse_flags
from nvidia_variant_provider.tools.views.candidates import sort_files
from nvidia_variant_provider.tools.views.cuda_builds import place_of_class
from nvidia_variant_provider.tools.views.model import Stated
from nvidia_variant_provider.tools.views.upstream import local_path
from nvidia_variant_provider.tools.wheels.dist_info import find_dist_info
from nvidia_variant_provider.tools.wheels.source import Checksum, OpenFile
from nvidia_variant_provider.tools.wheels.zip_directory import open_member
from nvidia_variant_provider.tools.wheels.zip_layout import members_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nvidia_variant_provider.tools.releases.http import Fetcher
    from nvidia_variant_provider.tools.views.candidates import Candidate, VersionFiles
    from nvidia_variant_provider.tools.views.coverage_of_tags import PlatformClass
    from nvidia_variant_provider.tools.views.model import Source, StatedKey, Wanted
    from nvidia_variant_provider.tools.wheels.source import Source as Bytes
    from nvidia_variant_provider.tools.wheels.zip_records import Entry

_FOLDER: Final = "device-code"
# pip gives up on an answer after 15 seconds.
_BUDGET_S: Final = 8.0
# The library is of 6 to 13 MB in the wheels from 2.3 to 2.15.
_MOST: Final = 48 * 1024 * 1024
# Around a member's bytes: its local header.
_HEADER: Final = 4096
# More builds than three unknown releases have are not read for one page.
_MOST_BUILDS: Final = 12


class StatedCode:
    """Reads builds that the table does not know, each once; ``folder`` is that of the caches."""

    def __init__(self, fetcher: Fetcher, folder: Path, budget_s: float = _BUDGET_S) -> None:
        self._fetcher = fetcher
        self._folder = folder / _FOLDER
        self._budget_s = budget_s

    def read(
        self, source: Source, wanted: Wanted, platform: PlatformClass
    ) -> dict[StatedKey, Stated]:
        """Return what the unknown builds of torch for a platform say, by version and label."""
        if source.project != TORCH or not source.is_cuda_project or not wanted.has_gpu:
            return {}
        stated: dict[StatedKey, Stated] = {}
        threads = []
        for key, candidate in list(_unknown(source, wanted, platform))[:_MOST_BUILDS]:
            late = f"its wheel could not be read within {self._budget_s:g} s"
            stated[key] = Stated(trouble=late)
            thread = threading.Thread(target=self._note, args=(stated, key, candidate), daemon=True)
            thread.start()
            threads.append(thread)
        end = time.monotonic() + self._budget_s
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return dict(stated)

    def _note(self, stated: dict[StatedKey, Stated], key: StatedKey, candidate: Candidate) -> None:
        try:
            stated[key] = self._known(candidate)
        except (UpstreamError, InvalidValueError, OSError) as error:
            stated[key] = Stated(trouble=f"its wheel could not be read: {redacted(str(error))}")

    def _known(self, candidate: Candidate) -> Stated:
        file = candidate.file
        identity = "\0".join((file.url, file.sha256, str(file.size)))
        path = self._folder / hashlib.sha256(identity.encode()).hexdigest()[:32]
        with contextlib.suppress(OSError, ValueError):
            label, _, flags = path.read_text("ascii").partition(" ")
            return Stated(label, parse_flags(flags))
        with contextlib.ExitStack() as stack:
            label, flags = _in_wheel(self._opened(file.url, stack), candidate)
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, f"{label} {flags}".encode("ascii"))
        return Stated(label, parse_flags(flags))

    def _opened(self, url: str, stack: contextlib.ExitStack) -> Bytes:
        if urlsplit(url).scheme == "file":
            return stack.enter_context(OpenFile(local_path(url)))
        return RemoteFile(url, self._fetcher, most=_MOST)


def _unknown(
    source: Source, wanted: Wanted, platform: PlatformClass
) -> Iterator[tuple[StatedKey, Candidate]]:
    """Yield a wheel of each build that the table does not know, newest release first."""
    for version in sort_files(source):
        if version.version.is_prerelease and not wanted.prereleases:
            continue
        seen: set[str] = set()
        for candidate in version.wheels:
            label = candidate.cuda
            is_here = platform in candidate.classes
            if is_here and label not in seen and _is_unknown(version, candidate, wanted, platform):
                seen.add(label)
                yield (str(version.version), label), candidate


def _is_unknown(
    version: VersionFiles, candidate: Candidate, wanted: Wanted, platform: PlatformClass
) -> bool:
    """Tell whether a build has to be read: unknown, and not too new for the driver anyway."""
    text, cuda = str(version.version), cuda_of_label(candidate.cuda)
    place = place_of_class(platform)
    if candidate.variant or version.version.local or not place:
        return False
    if not candidate.cuda:
        return candidate.is_main and _is_unknown_release(text)
    known = device_code(TORCH, text, candidate.cuda, place)
    driver = wanted.machine.cuda
    runs = cuda is not None and driver is not None and driver >= CudaVersion(cuda.major, 0)
    return runs and (known is None or known.assumed)


def _is_unknown_release(text: str) -> bool:
    try:
        return find_release(text).assumed
    except UnknownReleaseError:
        return False


def _in_wheel(file: Bytes, candidate: Candidate) -> tuple[str, str]:
    """Return the label and the flags of a wheel; ``cpu`` and none for a build without CUDA."""
    wheel = candidate.wheel
    members = members_of(file)
    label = candidate.cuda
    if not label:
        # Takes a while to import, for a release a year.
        from nvidia_variant_provider.tools.explain.ordinary import build_of_metadata

        folder = find_dist_info(members, wheel, candidate.file.name)
        label = build_of_metadata(wheel, read_member(file, members, f"{folder}/METADATA")).label
        label = label or CPU
    if label == CPU:
        return label, ""
    flags = find_flags(_library(file, members, wheel.platform))
    if cuda_of_label(label) is None or not flags:
        raise InvalidValueError(f"{candidate.file.name}: does not say what it was compiled for")
    return label, flags


def _library(file: Bytes, members: Mapping[str, Entry], platform: str) -> Iterator[bytes]:
    name = LIBRARIES["windows" if platform.startswith("win") else "linux"]
    entry = members.get(name)
    if entry is None or not entry.is_readable:
        raise InvalidValueError(f"{os.path.basename(file.name)}: has no {name}")
    # One request in place of one for each megabyte.
    file.read_at(entry.header_at, entry.packed + _HEADER)
    return iter(open_member(file, entry, Checksum(entry.crc)).chunks())
