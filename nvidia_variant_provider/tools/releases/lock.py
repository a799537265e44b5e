"""A lock file (``pylock.toml``, PEP 751): its packages, the wheels and variants each of them has.

Read leniently: what is of no kind that PEP 751 has counts as absent, and lint reports it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.files import read_bounded, some
from nvidia_variant_provider.tools.metadata.markers import fault_of_marker, has_marker
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.parsed import mapping, parse_toml
from nvidia_variant_provider.tools.releases.release import Locked, Release
from nvidia_variant_provider.tools.releases.requested import requirement_of
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENVIRONMENTS: Final = "environments"
_OTHER_SOURCES: Final = ("sdist", "vcs", "directory", "archive")
# A lock of some hundred packages with all their wheels has 2 MB.
_MAX_BYTES: Final = 64 << 20
_SHOWN: Final = 80
TABLE: Final = "variants-json"
"""The table of a package that describes its variants (PEP 825)."""


@dataclass(frozen=True)
class LockedPackage:
    """A package of a lock file.

    ``key`` is its place, ``variants`` the table ``variants-json`` as JSON, ``None`` without one.
    ``other_source`` names what it can be built of (``sdist``), ``marker`` and ``requires_python``
    are as written; all three are "" where there is none.
    """

    name: str
    version: str
    key: str
    wheels: tuple[WheelName, ...]
    other_source: str = ""
    marker: str = ""
    requires_python: str = ""
    variants: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Lock:
    """A lock file; ``markers`` have their place first. ``reason`` says why it cannot be read."""

    source: str
    packages: tuple[LockedPackage, ...] = ()
    markers: tuple[tuple[str, str], ...] = ()
    requires_python: str = ""
    reason: str = ""

    @property
    def variant_markers(self) -> Iterator[tuple[str, str]]:
        """The markers that speak of variants, which no lock file may have, with their places."""
        for key, marker in self.markers:
            requirement = f"any; {marker}"
            if has_marker(requirement) or fault_of_marker(requirement):
                yield key, marker


def read_lock(path: str, source: str) -> Lock:
    """Read a lock file; ``source`` is its name in messages. One that is no TOML has a reason."""
    try:
        whole = parse_toml(read_bounded(path, _MAX_BYTES))
    except (ValueError, RecursionError, InvalidValueError) as error:
        return Lock(source, reason=str(error)[:_SHOWN])
    listed = whole.get("packages")
    tables = [mapping(entry) for entry in listed] if isinstance(listed, list) else []
    packages = tuple(_package(table, index) for index, table in enumerate(tables))
    markers = tuple(_markers(whole, tables))
    return Lock(source, packages, markers, _text(whole, "requires-python"))


def read_locked_release(path: str, package: str | None) -> Release:
    """Return the release that a lock file has of a package: of the one with variants, if one does.

    Raises ``InvalidValueError`` for a file that cannot be read, and if a package has to be named.
    """
    lock = read_lock(path, path)
    if lock.reason:
        raise InvalidValueError(f"{path}: expected a lock file in TOML: {lock.reason}")
    return _release(lock, _chosen(lock, package))


def _chosen(lock: Lock, package: str | None) -> LockedPackage:
    if package is None:
        fitting = [
            locked
            for locked in lock.packages
            if locked.variants or any(w.label for w in locked.wheels)
        ]
        there, what = fitting or lock.packages, "of variants" if fitting else "without variants"
    else:
        there, what = lock.packages, "in the lock file"
        fitting = [locked for locked in there if _means(package, locked)]
    if len(fitting) == 1:
        return fitting[0]
    listed = some(sorted({f"{locked.name}=={locked.version}" for locked in there}))
    if not fitting:
        wanted = f"no {package}" if package else "no package with variants"
        raise InvalidValueError(f"{lock.source}: {wanted}; name one with --package: {listed}")
    if package is not None:
        markers = "; ".join(locked.marker or "no marker" for locked in fitting)
        raise InvalidValueError(
            f"{lock.source}: {len(fitting)} entries of {package}, told apart by markers, which are"
            f" not judged: {markers}"
        )
    raise InvalidValueError(f"{lock.source}: several packages {what}, name one: {listed}")


def _means(package: str, locked: LockedPackage) -> bool:
    wanted = requirement_of(package)
    is_named = canonicalize_name(wanted.name) == canonicalize_name(locked.name)
    fits = not locked.version or wanted.specifier.contains(locked.version, prereleases=True)
    return is_named and fits


def _release(lock: Lock, package: LockedPackage) -> Release:
    place = f"{package.key}/{TABLE}"
    labelled = [str(wheel) for locked in lock.packages for wheel in locked.wheels if wheel.label]
    metadata, trouble = None, ""
    if package.variants is not None:
        try:
            metadata = parse_metadata(package.variants, place)
        except MetadataError as error:
            trouble = str(error)
    elif any(wheel.label for wheel in package.wheels):
        trouble = f"{package.key}: no table {TABLE}, which describes the labels"
    pythons = [python for python in (lock.requires_python, package.requires_python) if python]
    marker = next((f"{key}: {text}" for key, text in lock.variant_markers), "")
    conditions = () if marker else tuple(_conditions(lock, package))
    return Release(
        name=canonicalize_name(package.name),
        version=package.version,
        origin=lock.source,
        wheels=package.wheels,
        metadata=metadata,
        listed=package.variants is not None,
        trouble=trouble,
        document=package.variants or b"",
        document_name=place,
        sdists=(package.other_source,) if package.other_source else (),
        requires_python={str(wheel): ",".join(pythons) for wheel in package.wheels}
        if pythons
        else {},
        lock=Locked(labelled[0] if labelled else "", marker, conditions),
    )


def _conditions(lock: Lock, package: LockedPackage) -> Iterator[str]:
    if package.marker:
        yield f"{package.name} is installed only where {package.marker}"
    if environments := [text for key, text in lock.markers if key.startswith(_ENVIRONMENTS)]:
        yield f"the lock file is for {' or '.join(environments)} only"


def _package(table: Mapping[str, object], index: int) -> LockedPackage:
    raw = table.get(TABLE)
    return LockedPackage(
        name=str(table.get("name", "")),
        version=_text(table, "version"),
        key=f"packages[{index}]",
        wheels=tuple(_wheels(table.get("wheels"))),
        other_source=next((source for source in _OTHER_SOURCES if source in table), ""),
        marker=_text(table, "marker"),
        requires_python=_text(table, "requires-python"),
        # TOML has values that JSON does not, such as dates: as text they are findings.
        variants=json.dumps(raw, default=str).encode() if isinstance(raw, dict) else None,
    )


def _wheels(listed: object) -> Iterator[WheelName]:
    for entry in listed if isinstance(listed, list) else ():
        wheel = mapping(entry)
        text = next((value for key in ("name", "path", "url") if (value := _text(wheel, key))), "")
        try:
            yield WheelName.parse(os.path.basename(unquote(urlsplit(text).path)))
        except ValueError:
            # Another fault than this is about: every installer says it.
            continue


def _markers(
    whole: Mapping[str, object], tables: list[Mapping[str, object]]
) -> Iterator[tuple[str, str]]:
    environments = whole.get(_ENVIRONMENTS)
    for index, text in enumerate(environments if isinstance(environments, list) else ()):
        if isinstance(text, str):
            yield f"{_ENVIRONMENTS}[{index}]", text
    for index, table in enumerate(tables):
        if marker := _text(table, "marker"):
            yield f"packages[{index}]/marker", marker


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""
