"""The variant metadata of the releases on a page: of its files of metadata, else of its wheels."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.version import Version

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.metadata.reading import MAX_BYTES, parse_metadata
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.releases.files import METADATA_SUFFIX
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.releases.source import read_wheel_metadata
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.views.candidates import may_have_label, wheel_named
from nvidia_variant_provider.tools.views.upstream import local_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from nvidia_variant_provider.tools.metadata.model import VariantMetadata
    from nvidia_variant_provider.tools.releases.pages import PageFile
    from nvidia_variant_provider.tools.views.upstream import Upstream


def read_described(
    upstream: Upstream, files: Sequence[PageFile]
) -> tuple[dict[Version, VariantMetadata], dict[Version, str]]:
    """Return the variant metadata of a page by version, and why that of others cannot be used."""
    described: dict[Version, VariantMetadata] = {}
    troubles: dict[Version, str] = {}

    def note(version: Version, metadata: VariantMetadata | None, trouble: str) -> None:
        if metadata is None:
            troubles[version] = trouble
        else:
            described[version] = metadata

    for version, file in _metadata_files(files):
        note(version, *_read_metadata(upstream, file))
    for version, wheels in _undescribed(files, {*described, *troubles}).items():
        note(version, *_from_wheels(wheels))
    return described, troubles


def _read_metadata(upstream: Upstream, file: PageFile) -> tuple[VariantMetadata | None, str]:
    try:
        data = upstream.read(file.url, MAX_BYTES)
        if file.sha256 and hashlib.sha256(data).hexdigest() != file.sha256:
            return None, f"{file.name}: has another hash than its page states"
        return parse_metadata(data, file.name), ""
    except (UpstreamError, InvalidValueError) as error:
        return None, redacted(str(error))


def _metadata_files(files: Sequence[PageFile]) -> Iterator[tuple[Version, PageFile]]:
    for file in files:
        stem = file.name.removesuffix(METADATA_SUFFIX)
        if stem != file.name:
            try:
                yield Version(stem.rpartition("-")[2]), file
            except ValueError:
                continue


def _undescribed(
    files: Sequence[PageFile], known: Collection[Version]
) -> dict[Version, list[PageFile]]:
    """Return the variant wheels of versions without a metadata file, by version."""
    by_version: dict[Version, list[PageFile]] = {}
    for file in files:
        wheel = wheel_named(file.name) if may_have_label(file.name) else None
        if wheel is not None and wheel.label and (version := Version(wheel.version)) not in known:
            by_version.setdefault(version, []).append(file)
    return by_version


def _from_wheels(wheels: Sequence[PageFile]) -> tuple[VariantMetadata | None, str]:
    try:
        return union([(wheel.name, _in_wheel(wheel)) for wheel in wheels]), ""
    except InvalidValueError as error:
        return None, str(error)


def _in_wheel(file: PageFile) -> VariantMetadata:
    """Read the metadata in a wheel of this machine; others are too far away for that."""
    wheel = wheel_named(file.name)
    if wheel is None or urlsplit(file.url).scheme != "file":
        raise InvalidValueError(f"{file.name}: there is no {METADATA_SUFFIX[1:]} of its release")
    return read_wheel_metadata(local_path(file.url))
