"""What is known of a build of torch: its device code, how sure that is, and what pairs with it.

A release that the table does not know follows the newest one that it knows, and is marked as
assumed. Nothing here reads a file or asks an index: an index says which builds exist. Standard
library only, as ``torch-backend`` works without the extra ``tools``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import ComputeCapability, CudaVersion, SmArch
from nvidia_variant_provider.tables.torch_builds import (
    BUILDS,
    DEFAULT_WHEEL,
    PAIRS,
    RELEASES,
    UNLABELLED,
    UNPINNED_FROM,
    Confidence,
    TorchBuild,
)
from nvidia_variant_provider.tables.torch_domains import DOMAIN_BUILDS, PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

TORCH: Final = "torch"
_LABEL: Final = re.compile(r"cu(\d{2,3})(\d)", re.ASCII)
_LEADING_NUMBERS: Final = re.compile(r"\d{1,6}(\.\d{1,6})*", re.ASCII)
_VERSION: Final = re.compile(r"\d{1,3}(\.\d{1,3}){0,2}", re.ASCII)


class UnknownReleaseError(InvalidValueError):
    """A torch version older than the table, or no version."""


@dataclass(frozen=True, slots=True)
class TorchRelease:
    """A release of torch, and the one of the table whose builds stand for it.

    ``text`` and ``known_as`` differ where the release is newer than the table: what is said of it
    is then assumed.
    """

    text: str
    known_as: str

    @property
    def assumed(self) -> bool:
        """Whether the builds are those of another release."""
        return self.text != self.known_as


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """The device code of one build, with its source.

    ``assumed`` says that no source names this very build: ``source`` then names the build whose
    list stands for it, and ``confidence`` is that list's.
    """

    archs: tuple[SmArch, ...]
    source: str
    confidence: Confidence
    assumed: bool


@dataclass(frozen=True, slots=True)
class Partners:
    """The versions of torchvision and torchaudio that pair with a torch; ``None`` if unknown."""

    torchvision: str | None
    torchaudio: str | None


def index_path(cuda: CudaVersion) -> str:
    """Return the folder of an index, which is also the local version: 12.6 is ``cu126``."""
    return f"cu{cuda.major}{cuda.minor}"


def cuda_of_label(label: str) -> CudaVersion | None:
    """Return the CUDA version of a folder or local version: ``cu126`` is 12.6; else ``None``."""
    match = _LABEL.fullmatch(label)
    return CudaVersion(int(match[1]), int(match[2])) if match else None


def find_release(text: str | None) -> TorchRelease:
    """Return the release a text means: ``2.12`` is the newest 2.12.x, none the newest known.

    Raises ``UnknownReleaseError`` for what is no version and for releases before the table's.
    """
    if text is None:
        return TorchRelease(RELEASES[-1], RELEASES[-1])
    wanted = text.strip().removeprefix("v").partition("+")[0]
    if not _VERSION.fullmatch(wanted):
        raise UnknownReleaseError(f"torch {text[:20]!r}: expected a version such as 2.14 or 2.14.1")
    matching = [release for release in RELEASES if f"{release}.".startswith(f"{wanted}.")]
    if matching:
        return TorchRelease(matching[-1], matching[-1])
    known = _newest_until(wanted)
    if known is None:
        raise UnknownReleaseError(f"torch {wanted}: the table of builds begins with {RELEASES[0]}")
    return TorchRelease(wanted, known)


def builds_of(release: TorchRelease, platform: str) -> tuple[TorchBuild, ...]:
    """Return the builds of a release for a platform, newest CUDA first."""
    rows = [row for row in BUILDS if row.platform == platform and _holds(row, release.known_as)]
    return tuple(sorted(rows, key=lambda row: row.cuda, reverse=True))


def default_wheel(release: TorchRelease, platform: str) -> CudaVersion | None:
    """Return the CUDA of the wheel that pip takes without an index of its own; ``None`` for CPU."""
    for where, first, last, cuda in DEFAULT_WHEEL:
        if where == platform and _between(first, release.known_as, last):
            return cuda
    return None


def has_label(release: TorchRelease, platform: str) -> bool:
    """Whether wheels carry the build as local version: ``2.14.1+cu126``."""
    return not any(
        where == platform and _between(first, release.known_as, last)
        for where, first, last in UNLABELLED
    )


def partners(release: TorchRelease) -> Partners:
    """Return the versions that pair with a release; none for one that the table does not know."""
    row = next((row for row in PAIRS if row[0] == release.text), ("", "", ""))
    return Partners(row[1] or None, row[2] or None)


def torch_release_of(project: str, version: str) -> str | None:
    """Return the release of torch that a project's release pairs with: vision 0.26.0 is 2.11.0.

    ``None`` if the table does not know the pair.
    """
    name, public = _normal(project), version.partition("+")[0]
    if name == TORCH:
        return public
    if name not in PROJECTS:
        return None
    column = 1 + PROJECTS.index(name)
    return next((row[0] for row in PAIRS if public and row[column] == public), None)


def pins_torch(project: str, version: str) -> bool:
    """Whether a release of torchvision or torchaudio requires exactly the torch it pairs with."""
    unpinned = UNPINNED_FROM.get(_normal(project))
    return unpinned is None or _numbers(version) < _numbers(unpinned)


def go_together(project: str, version: str, torch: str) -> bool:
    """Whether a release of torchvision or torchaudio goes with a torch; yes where not known."""
    pair, public = torch_release_of(project, version), version.partition("+")[0]
    if pair is None:
        return True
    if pins_torch(project, public):
        return _numbers(torch) == _numbers(pair)
    return _numbers(torch) >= _numbers(pair)


def device_code(project: str, version: str, label: str, platform: str) -> DeviceCode | None:
    """Return the device code of a build of torch, torchvision or torchaudio.

    ``label`` is the folder of the index (``cu126``), ``platform`` one of the table
    (``linux-x86_64``). A build that the table does not name has the list of the nearest: the same
    CUDA in the newest release before it, or else the newest CUDA before it. ``None`` if there is
    no such build, for a label that is no CUDA version, and for other projects.
    """
    name, cuda = _normal(project), cuda_of_label(label)
    rows = _rows_of(name, platform)
    if cuda is None or not rows:
        return None
    release = torch_release_of(name, version)
    exact = [row for row in rows if row.cuda == cuda and release and _holds(row, release)]
    if exact:
        return _code(exact[0], assumed=False)
    nearest = _nearest(rows, cuda, release)
    return nearest and _code(nearest, assumed=True, release=release)


def archs_of(build: TorchBuild) -> Iterator[SmArch]:
    """Yield the targets of a row's list: ``75``, ``90a``, ``PTX90``, ``120+PTX``, which is two."""
    for word in build.archs.split():
        target, plus, _ = word.removeprefix("PTX").partition("+PTX")
        number = target.rstrip("af")
        suffix = target[len(number) :]
        capability = ComputeCapability.from_number(int(number))
        if not word.startswith("PTX"):
            yield SmArch(capability, suffix)
        if plus or word.startswith("PTX"):
            yield SmArch(capability, suffix, virtual=True)


def release_order(version: str) -> tuple[int, ...]:
    """Return the key by which releases are ordered: 2.9.1 is before 2.10.0."""
    return _numbers(version)


def archs_text(archs: Iterable[SmArch]) -> str:
    """Return targets as rows of the table spell them: ``75 90a 120+PTX``; ``PTX120`` alone."""
    kinds: dict[str, set[bool]] = {}
    for arch in archs:
        kinds.setdefault(arch.target, set()).add(arch.virtual)
    return " ".join(
        f"PTX{target}" if kind == {True} else f"{target}{'+PTX' if True in kind else ''}"
        for target, kind in kinds.items()
    )


def _code(row: TorchBuild, *, assumed: bool, release: str | None = None) -> DeviceCode:
    source = row.source
    if assumed:
        wanted = _newest_until(release)
        known = min((text for text in RELEASES if _holds(row, text)), key=_distance_from(wanted))
        source = f"as torch {known} {index_path(row.cuda)}"
    return DeviceCode(tuple(archs_of(row)), source, row.confidence, assumed)


def _distance_from(release: str | None) -> Callable[[str], int]:
    wanted = RELEASES.index(release) if release else -1
    return lambda other: abs(RELEASES.index(other) - wanted)


def _rows_of(name: str, platform: str) -> list[TorchBuild]:
    rows = BUILDS if name == TORCH else DOMAIN_BUILDS if name in PROJECTS else ()
    return [row for row in rows if row.platform == platform]


def _nearest(
    rows: Sequence[TorchBuild], cuda: CudaVersion, release: str | None
) -> TorchBuild | None:
    """Return the row that stands for a build the table does not name."""
    same = [row for row in rows if row.cuda == cuda]
    older = [row for row in rows if row.cuda < cuda]
    if not same and older:
        newest = max(row.cuda for row in older)
        same = [row for row in older if row.cuda == newest]
    known = _newest_until(release)
    before = [row for row in same if known is not None and not _is_after(row.first, known)]
    if before:
        return max(before, key=lambda row: RELEASES.index(row.last))
    return min(same, key=lambda row: RELEASES.index(row.first), default=None)


def _holds(row: TorchBuild, release: str) -> bool:
    return release in RELEASES and _between(row.first, release, row.last)


def _between(first: str, release: str, last: str) -> bool:
    return not _is_after(first, release) and not _is_after(release, last)


def _is_after(release: str, other: str) -> bool:
    return RELEASES.index(release) > RELEASES.index(other)


def _newest_until(version: str | None) -> str | None:
    """Return the newest release of the table that is no newer; the newest of all for no version.

    A development version counts as the release it leads to: ``2.15.0.dev20261001`` is 2.15.0.
    """
    numbers = _numbers(version or "")
    if not numbers:
        return RELEASES[-1]
    return next((text for text in reversed(RELEASES) if _numbers(text) <= numbers), None)


def _numbers(version: str) -> tuple[int, ...]:
    match = _LEADING_NUMBERS.match(version)
    numbers = tuple(map(int, match[0].split("."))) if match else ()
    return numbers + (0,) * (3 - len(numbers)) if numbers else ()


def _normal(project: str) -> str:
    return re.sub(r"[-_.]+", "-", project).lower()
