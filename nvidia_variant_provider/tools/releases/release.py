"""A release as a source offers it: its wheels and its variant metadata."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nvidia_variant_provider.tools.metadata.model import VariantMetadata
    from nvidia_variant_provider.tools.metadata.readers import Reader

METADATA_SUFFIX: Final = "-variants.json"
WHEEL_SUFFIX: Final = ".whl"


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a package.

    ``wheels`` is ``None`` where only the metadata is known. ``metadata`` is ``None`` where there
    is none or it cannot be used; ``trouble`` then says why. ``listed`` tells whether installers
    find the metadata: variant wheels without a file beside them are invisible to uv.

    ``document`` is that file as it is, empty where there is none: readers differ in what they make
    of it. ``metadata`` is what the format makes of it.
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
    def labels(self) -> tuple[str, ...]:
        """The labels of the metadata and of the wheels, each once."""
        named = [wheel.label for wheel in self.wheels or () if wheel.label]
        return tuple(dict.fromkeys([*(self.metadata.variants if self.metadata else ()), *named]))

    def groups(self) -> dict[str, list[WheelName] | None]:
        """Return the wheels by label, ``""`` for none; ``None`` where they are not known."""
        if self.wheels is None:
            return dict.fromkeys(["", *self.labels])
        found: dict[str, list[WheelName] | None] = {label: [] for label in ("", *self.labels)}
        for wheel in self.wheels:
            group = found[wheel.label]
            if group is not None:
                group.append(wheel)
        return found


class Listing:
    """The files of a folder or of an index page, sorted into releases.

    ``read`` returns the bytes of a metadata file by name. ``read_wheel`` returns the metadata in
    a wheel, or is ``None`` where wheels are not opened.
    """

    def __init__(
        self,
        origin: str,
        names: Iterable[str],
        read: Callable[[str], bytes],
        read_wheel: Callable[[WheelName], VariantMetadata] | None,
    ) -> None:
        self.origin = origin
        self.passed_over: list[str] = []
        self._read = read
        self._read_wheel = read_wheel
        self._wheels: dict[tuple[str, Version], list[WheelName]] = {}
        self._files: dict[tuple[str, Version], str] = {}
        for name in sorted(names):
            if not self._sort_in(name):
                self.passed_over.append(name)

    def release(self, package: str | None) -> Release:
        """Return the release that a requirement means: the newest that fits, if several do.

        Raises ``InvalidValueError`` if none does, or if a package has to be named.
        """
        keys = sorted({*self._wheels, *self._files})
        if package is not None:
            keys = _fitting(keys, package)
        names = sorted({name for name, _ in keys})
        if not names:
            raise InvalidValueError(f"{self.origin}: no wheel{f' of {package}' if package else ''}")
        if len(names) > 1:
            listed = ", ".join(names[:8])
            raise InvalidValueError(f"{self.origin}: several packages, name one: {listed}")
        return self._build(keys[-1])

    def _sort_in(self, name: str) -> bool:
        """Put a file where it belongs; return whether it is of use."""
        try:
            if name.endswith(WHEEL_SUFFIX):
                wheel = WheelName.parse(name)
                self._wheels.setdefault(_key(wheel.name, wheel.version), []).append(wheel)
                return True
            project, _, version = name.removesuffix(METADATA_SUFFIX).rpartition("-")
            if name.endswith(METADATA_SUFFIX) and project:
                self._files[_key(project, version)] = name
                return True
        except InvalidValueError:
            pass
        return False

    def _build(self, key: tuple[str, Version]) -> Release:
        wheels = tuple(self._wheels.get(key, ()))
        file = self._files.get(key)
        metadata, trouble, document = None, "", b""
        try:
            if file is not None:
                document = self._read(file)
                metadata = parse_metadata(document, file)
            elif any(wheel.label for wheel in wheels):
                metadata, trouble = self._from_wheels(wheels)
        except MetadataError as error:
            trouble = str(error)
        return Release(
            name=key[0],
            version=str(key[1]),
            origin=self.origin,
            wheels=wheels or None,
            metadata=metadata,
            listed=file is not None,
            trouble=trouble,
            document=document,
            document_name=file or "",
        )

    def _from_wheels(self, wheels: tuple[WheelName, ...]) -> tuple[VariantMetadata | None, str]:
        if self._read_wheel is None:
            return None, f"there is no {wheels[0].metadata_name}"
        found = {wheel.label: wheel for wheel in wheels if wheel.label}
        parts = [(str(wheel), self._read_wheel(wheel)) for wheel in found.values()]
        return union(parts), ""


def _key(name: str, version: str) -> tuple[str, Version]:
    try:
        return canonicalize_name(name), Version(version)
    except InvalidVersion as error:
        raise InvalidValueError(version) from error


def _fitting(keys: list[tuple[str, Version]], package: str) -> list[tuple[str, Version]]:
    try:
        wanted = Requirement(package)
    except InvalidRequirement as error:
        raise InvalidValueError(
            f"--package {package[:60]!r}: expected a requirement such as 'torch==2.14.1'"
        ) from error
    named = [key for key in keys if key[0] == canonicalize_name(wanted.name)]
    allowed = set(wanted.specifier.filter([version for _, version in named]))
    return [key for key in named if key[1] in allowed]
