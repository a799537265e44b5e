"""The files of a project by public version: wheels with the build they are of, and the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from packaging.tags import parse_tag
from packaging.utils import InvalidSdistFilename, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.views.coverage_of_tags import classes_of, pythons_of
from nvidia_variant_provider.tools.views.cuda_builds import is_label
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.tags import Tag

    from nvidia_variant_provider.tools.releases.pages import PageFile
    from nvidia_variant_provider.tools.views.coverage_of_tags import PlatformClass, PythonAbi
    from nvidia_variant_provider.tools.views.model import Source


_WITH_BUILD: Final = 5
# Name, version, build, Python, ABI, platform and label. A build tag starts with a digit.
_USUAL: Final = re.compile(
    r"([A-Za-z0-9_.]+)-(\d[0-9.]*(?:\+[a-z0-9.]+)?)(?:-(\d[0-9a-z_]*))?"
    r"-((?:cp|py)[0-9.cpy]*)-([a-z0-9_.]+)-([a-z][a-z0-9_.]*)(?:-([0-9a-z_.]+))?\.whl"
)
_version: Final = lru_cache(maxsize=4096)(Version)


# Compared by identity, and not frozen: pages list thousands, and frozen ones take ten times as long
# to make. Nothing changes them.
@dataclass(slots=True, eq=False)
class Candidate:
    """A wheel that may be shown.

    ``variant`` is the variant label of its name, ``cuda`` the label that its local version or its
    index names; one of them at most. ``is_main`` says that the main index has it.
    """

    file: PageFile
    wheel: WheelName
    cuda: str
    is_main: bool
    classes: frozenset[PlatformClass] = field(default_factory=frozenset)
    pythons: frozenset[PythonAbi] = field(default_factory=frozenset)

    @property
    def variant(self) -> str:
        """The variant label."""
        return self.wheel.label

    @property
    def is_own_build(self) -> bool:
        """Whether it was built for the machines of one index: public ones take no such platform.

        PyPI's builds are for ``manylinux``.
        """
        return not self.cuda and self.wheel.platform.startswith("linux_")

    @property
    def wheel_tags(self) -> frozenset[Tag]:
        """The tags of its name."""
        wheel = self.wheel
        return parse_tag(f"{wheel.python}-{wheel.abi}-{wheel.platform}")

    @property
    def build_number(self) -> tuple[int, str]:
        """The build tag in the order of the specification; none comes first."""
        if not self.wheel.build:
            return -1, ""
        match = re.match(r"(\d+)(.*)", self.wheel.build)
        return (int(match[1]), match[2]) if match else (-1, "")

    @property
    def plain_name(self) -> str:
        """The name without the variant label; a local version is never changed."""
        return str(replace(self.wheel, label="")) if self.wheel.label else self.file.name


@dataclass(slots=True)
class VersionFiles:
    """What there is of one version."""

    version: Version
    wheels: list[Candidate] = field(default_factory=list)
    sdists: list[PageFile] = field(default_factory=list)


def sort_files(source: Source) -> list[VersionFiles]:
    """Return the versions of a project, newest first.

    ``2.14.1``, ``2.14.1+cpu`` and ``2.14.1+cu126`` are one version; any other local version is one
    of its own. Files that no installer takes (eggs, signatures, metadata of variants) are left out.
    """
    by_version: dict[Version, VersionFiles] = {}
    for file, cuda, is_main in _all_files(source):
        wheel = wheel_named(file.name)
        if wheel is not None:
            candidate, version = _candidate(file, wheel, cuda, is_main=is_main)
            if cuda is None or candidate.cuda:
                by_version.setdefault(version, VersionFiles(version)).wheels.append(candidate)
        elif is_main and (sdist := _sdist_version(file.name)) is not None:
            by_version.setdefault(sdist, VersionFiles(sdist)).sdists.append(file)
    return sorted(by_version.values(), key=lambda files: files.version, reverse=True)


def has_builds(source: Source) -> bool:
    """Tell whether any wheel is one of several builds of its version."""
    for file, cuda, is_main in _all_files(source):
        if cuda is None and not may_be_variant(file.name):
            continue
        wheel = wheel_named(file.name)
        if wheel is None:
            continue
        if wheel.label or _candidate(file, wheel, cuda, is_main=is_main)[0].cuda:
            return True
    return False


def _all_files(source: Source) -> Iterator[tuple[PageFile, str | None, bool]]:
    for file in source.files:
        yield file, None, True
    for label, files in source.cuda_files.items():
        for file in files:
            yield file, label, False


def may_be_variant(name: str) -> bool:
    """Tell whether a file name can be that of one of several builds, at a glance."""
    return may_have_label(name) or (name.endswith(".whl") and "+" in name)


def may_have_label(name: str) -> bool:
    """Tell whether a file name can be that of a variant wheel, at a glance."""
    return name.count("-") >= _WITH_BUILD and name.endswith(".whl")


def wheel_named(name: str) -> WheelName | None:
    """Read a file name; ``None`` unless it is a wheel's.

    Names of the usual form are not checked any further: pages list thousands.
    """
    if not name.endswith(".whl"):
        return None
    match = _USUAL.fullmatch(name)
    if match is not None:
        return WheelName(*match.groups(""))
    try:
        return WheelName.parse(name)
    except InvalidValueError:
        return None


def _candidate(
    file: PageFile, wheel: WheelName, cuda: str | None, *, is_main: bool
) -> tuple[Candidate, Version]:
    label, version = _build_of(wheel.version, cuda or "", is_variant=bool(wheel.label))
    return Candidate(file, wheel, label, is_main, classes_of(wheel), pythons_of(wheel)), version


@lru_cache(maxsize=8192)
def _build_of(text: str, folder: str, *, is_variant: bool) -> tuple[str, Version]:
    """Return the CUDA label of a wheel's version, and the version that it is a build of."""
    version = _version(text)
    local = version.local or ""
    named = local if is_label(local) and not is_variant else ""
    # An index's folder names the build of a wheel without a local version. One whose local
    # version names something else (a ROCm build) is not of that folder's CUDA.
    label = named or ("" if local else folder)
    return label, (_version(version.public) if named or not local else version)


def _sdist_version(name: str) -> Version | None:
    try:
        return parse_sdist_filename(name)[1]
    except (InvalidSdistFilename, InvalidVersion):
        return None
