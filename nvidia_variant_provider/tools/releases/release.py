"""A release as a source offers it: its wheels and its variant metadata."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from nvidia_variant_provider import value_types
from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.files import some
from nvidia_variant_provider.tools.metadata.reading import parse_metadata, parse_wheel_metadata
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.releases.files import ReleaseKey, SortedNames, WheelFile
from nvidia_variant_provider.tools.releases.requested import requirement_of
from nvidia_variant_provider.tools.wheels.dist_info import VARIANT_JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nvidia_variant_provider.tools.metadata.model import VariantMetadata
    from nvidia_variant_provider.tools.metadata.readers import Reader
    from nvidia_variant_provider.tools.releases.lenient import LenientView
    from nvidia_variant_provider.tools.wheels.name import WheelName


@value_types.dataclass(frozen=True, slots=True)
class Locked:
    """What a lock file says beyond the release that is taken from it; "" where it does not.

    ``labelled`` is a wheel with a label, of any package of the file. ``variant_marker`` is one that
    no lock file may have, with its place. ``conditions`` are the other markers that decide whether
    the package is installed at all, each as a sentence.
    """

    labelled: str
    variant_marker: str
    conditions: tuple[str, ...]


@value_types.dataclass(frozen=True, slots=True)
class Several:
    """What several indexes mean for a release of theirs.

    ``for_pip`` is the release that pip sees, which takes all indexes together; ``lines`` say in a
    sentence each which index is asked, and which is not.
    """

    for_pip: Release
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a package.

    ``wheels`` is ``None`` where only the metadata is known. ``metadata`` is ``None`` where there
    is none or it cannot be used; ``trouble`` then says why, or which of the wheels that it is made
    of are damaged. ``listed`` tells whether installers
    find the metadata: variant wheels without a file beside them are invisible to uv.

    ``document`` is that file as it is, empty where there is none: readers differ in what they make
    of it. ``metadata`` is what the format makes of it. ``older`` is the version of the next older
    release that the requirement admits, "" if there is none, and ``newer_sdist`` the name of a
    source distribution of a newer one that has no wheel.

    ``requires_python`` is what an index page states for wheels, by file name; ``barred`` are wheels
    that are not taken in some surroundings, by file name, with the reason. ``read_core`` fetches
    METADATA of a wheel on an index. ``lock`` is there where the release stands in a lock file,
    ``several`` where it was looked for in several indexes. ``open_wheel`` reads what one of the
    wheels says of itself, where wheels can be opened.
    ``opened`` are the wheels as they were read, where the caller reads all of them. ``whole`` is
    false where files were named one by one, so that the release may have more.

    ``strict`` and ``lenient`` are its two views: what the format makes of it, and what is written.
    """

    name: str
    version: str
    origin: str
    wheels: tuple[WheelName, ...] | None
    metadata: VariantMetadata | None
    listed: bool = True
    trouble: str = ""
    document: bytes = field(default=b"", repr=False)
    document_name: str = ""
    older: str = ""
    sdists: tuple[str, ...] = ()
    newer_sdist: str = ""
    requires_python: Mapping[str, str] = field(default_factory=dict, repr=False)
    barred: Mapping[str, str] = field(default_factory=dict, repr=False)
    read_core: Callable[[str], bytes] | None = field(default=None, repr=False, compare=False)
    lock: Locked | None = None
    several: Several | None = None
    open_wheel: Callable[[WheelName], WheelFile] | None = field(
        default=None, repr=False, compare=False
    )
    opened: tuple[WheelFile, ...] = field(default=(), repr=False)
    whole: bool = True

    def read_by(self, reader: Reader) -> Release:
        """Return the release as a reader sees it: with its metadata, or with its trouble."""
        if not self.document:
            return self
        try:
            metadata = parse_metadata(self.document, self.document_name, reader)
        except MetadataError as error:
            return replace(self, metadata=None, trouble=str(error))
        return replace(self, metadata=metadata, trouble="")

    @property
    def strict(self) -> VariantMetadata:
        """The metadata as the format has it; raises ``MetadataError`` saying why there is none."""
        if self.metadata is not None:
            return self.metadata
        if not self.trouble:
            # Nobody has asked for this view yet.
            if self.document_name:
                return parse_metadata(self.document, self.document_name)
            if labelled := [wheel for wheel in self.opened if wheel.name.label]:
                return union((wheel.path, variant_metadata(wheel)) for wheel in labelled)
        seen = self.trouble or "no metadata of variants"
        raise MetadataError(self.origin, "", seen, f"variants of {self.name} {self.version}")

    @property
    def lenient(self) -> LenientView:
        """The release as its files are written; of one whose wheels are open."""
        from nvidia_variant_provider.tools.metadata.as_written import Kind, parse_document
        from nvidia_variant_provider.tools.releases.lenient import LenientView, Wheel

        name = self.document_name
        return LenientView(
            title=f"{self.name} {self.version}",
            index=parse_document(self.document, name, Kind.RELEASE) if name else None,
            wheels=tuple(map(Wheel.of, self.opened)),
            whole=self.whole,
        )

    @property
    def seen_by_pip(self) -> Release:
        """The release that pip sees, which takes several indexes together."""
        return self.several.for_pip if self.several is not None else self

    @property
    def is_folder(self) -> bool:
        """True where the wheels lie in a folder of this machine."""
        return os.path.isdir(self.origin)

    def path_of(self, wheel: WheelName) -> str:
        """Return where a wheel of the release lies on this machine; "" where it does not."""
        if self.is_folder:
            return os.path.join(self.origin, str(wheel))
        return self.origin if self.lock is None and os.path.isfile(self.origin) else ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the metadata and of the wheels, each once."""
        named = [wheel.label for wheel in self.wheels or () if wheel.label]
        return tuple(dict.fromkeys([*(self.metadata.variants if self.metadata else ()), *named]))

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the wheels and source distributions, sorted."""
        return tuple(sorted([*map(str, self.wheels or ()), *self.sdists]))

    def groups(self) -> dict[str, list[WheelName] | None]:
        """Return the wheels by label, ``""`` for none; ``None`` where they are not known."""
        if self.wheels is None:
            return dict.fromkeys(["", *self.labels])
        by_label: dict[str, list[WheelName] | None] = {label: [] for label in ("", *self.labels)}
        for wheel in self.wheels:
            group = by_label[wheel.label]
            if group is not None:
                group.append(wheel)
        return by_label


class Listing:
    """The files of a folder or of an index page, sorted into releases.

    ``read`` returns the bytes of a metadata file by name. ``read_wheel`` opens a wheel; it is
    ``None`` where wheels are not opened. ``requires_python`` is what a page states, by file name;
    ``read_core`` fetches METADATA of a wheel on an index. Of a release with more labels than
    ``most_opened`` no wheel is opened for its metadata.
    """

    def __init__(
        self,
        origin: str,
        names: Iterable[str],
        read: Callable[[str], bytes],
        read_wheel: Callable[[WheelName], WheelFile] | None,
        requires_python: Mapping[str, str] | None = None,
        read_core: Callable[[str], bytes] | None = None,
        most_opened: int = sys.maxsize,
    ) -> None:
        self.origin = origin
        self._read = read
        self._read_wheel = read_wheel
        self._most_opened = most_opened
        self._requires_python = dict(requires_python or {})
        self._read_core = read_core
        self._sorted = SortedNames(names)

    def release(self, package: str | None) -> Release:
        """Return the release that a requirement means: the newest that fits, if several do.

        Raises ``InvalidValueError`` if none does, or if a package has to be named.
        """
        held = self._sorted.releases
        # Metadata without a wheel installs nothing, unless metadata is all that was given.
        keys = sorted(key for key in held if held[key].wheels)
        keys = keys or sorted(key for key in held if held[key].metadata)
        if package is not None:
            keys = _fitting(keys, package)
        names = sorted({key.project for key in keys})
        if not names:
            there = some([f"{key.project}=={key.version}" for key in sorted(held)])
            raise InvalidValueError(
                f"{self.origin}: no wheel{f' of {package}' if package else ''}"
                f"{f'; there is {there}' if there else ''}{self._misnamed()}"
            )
        if len(names) > 1:
            listed = ", ".join(names[:8])
            raise InvalidValueError(f"{self.origin}: several packages, name one: {listed}")
        older = [str(key.version) for key in keys[:-1] if self._sorted.releases[key].wheels]
        return replace(
            self.build(keys[-1]),
            older=older[-1] if older else "",
            newer_sdist=self._newer_sdist(keys[-1], package),
        )

    def _newer_sdist(self, chosen: ReleaseKey, package: str | None) -> str:
        """Return a source distribution that installers prefer to the wheels; "" if none."""
        held = self._sorted.releases
        keys = [key for key in held if held[key].sdists and key.project == chosen.project]
        keys = keys if package is None else _fitting(keys, package)
        newer = [
            key
            for key in sorted(keys)
            if key > chosen and (chosen.version.is_prerelease or not key.version.is_prerelease)
        ]
        return held[newer[-1]].sdists[0] if newer else ""

    def build(self, key: ReleaseKey) -> Release:
        """Read one release."""
        files = self._sorted.releases[key]
        wheels = tuple(files.wheels)
        metadata, trouble, document = None, "", b""
        try:
            if files.metadata:
                document = self._read(files.metadata)
                metadata = parse_metadata(document, files.metadata)
            elif any(wheel.label for wheel in wheels):
                metadata, trouble = self._from_wheels(key, wheels)
        except MetadataError as error:
            trouble = str(error)
        return Release(
            name=key.project,
            version=str(key.version),
            origin=self.origin,
            wheels=wheels or None,
            metadata=metadata,
            listed=bool(files.metadata),
            trouble=trouble,
            document=document,
            document_name=files.metadata,
            sdists=tuple(files.sdists),
            requires_python=self._requires_python,
            read_core=self._read_core,
            open_wheel=self._read_wheel,
        )

    def _from_wheels(
        self, key: ReleaseKey, wheels: Sequence[WheelName]
    ) -> tuple[VariantMetadata | None, str]:
        """Combine the metadata of one sound wheel for each label; say what is missing, damaged."""
        if self._read_wheel is None or len({wheel.label for wheel in wheels}) > self._most_opened:
            return None, f"there is no {key.metadata_name}"
        opened: dict[str, WheelFile] = {}
        faults = []
        for wheel in wheels:
            if not wheel.label or wheel.label in opened:
                continue
            file = self._read_wheel(wheel)
            if why := file.fault or file.unread:
                faults.append(f"{wheel}: {why}")
            else:
                opened[wheel.label] = file
        if not opened:
            return None, "; ".join(faults)
        described = ((str(file.name), variant_metadata(file)) for file in opened.values())
        return union(described), "; ".join(faults)

    def _misnamed(self) -> str:
        if not self._sorted.misnamed:
            return ""
        name = self._sorted.misnamed[0]
        return f"; no installer looks for {name}: expected name and version with '_' for '-'"


def variant_metadata(file: WheelFile) -> VariantMetadata:
    """Return the metadata that a variant wheel carries; raises ``MetadataError``."""
    if file.fault:
        raise MetadataError(str(file.name), "", file.fault, "a wheel that pip and uv install")
    if file.variant is None:
        name = os.path.basename(file.path)
        raise MetadataError(name, "", f"no {VARIANT_JSON}", f"one for {file.name.label}")
    source = f"{file.name}: {VARIANT_JSON}"
    return parse_wheel_metadata(file.variant, source, file.name.label)


def check_wheel(release: Release, file: WheelFile) -> None:
    """Check that a wheel can be installed and says of its label what the release's file says.

    uv judges a wheel that it has selected by the wheel's own metadata once more. Raises
    ``InvalidValueError`` naming the wheel.
    """
    if file.fault:
        raise InvalidValueError(f"{file.name}: {file.fault}")
    if file.name.label and release.metadata is not None:
        source = release.document_name or release.origin
        union([(source, release.metadata), (str(file.name), variant_metadata(file))])


def _fitting(keys: list[ReleaseKey], package: str) -> list[ReleaseKey]:
    wanted = requirement_of(package)
    named = [key for key in keys if key.project == canonicalize_name(wanted.name)]
    allowed = set(wanted.specifier.filter([key.version for key in named]))
    return [key for key in named if key.version in allowed]
