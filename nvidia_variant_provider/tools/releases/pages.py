"""Project pages of the simple API, from bytes to files: HTML (PEP 503) and JSON (PEP 691).

Nothing is fetched and nothing of the machine is read here; whoever has a page can parse it. Also
read: sizes and upload times (PEP 700), yanked files (PEP 592), metadata beside wheels (PEP 714),
attestations (PEP 740) and the status of the project (PEP 792).
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.addresses import encoded
from nvidia_variant_provider.tools.releases.files import MAX_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHA256: Final = "sha256="
# A tag of megabytes takes gigabytes to parse. Searched for from the end of each tag alone, so that
# no page takes long.
_ENDLESS_TAG: Final = re.compile(rb"(?:\A|>)[^>]{32768}")
# Whole pages are long: where a quotation mark ends the key, it is no part of a text.
_STATUS: Final = re.compile(rb'"project-status"\s{0,9}:\s{0,9}(\{[^{}]{0,9999}\})')
_STATUS_TAG: Final = re.compile(
    rb'<meta name="pypi:project-(status|status-reason)"\s+content="([^"<>]{0,9999})"'
)
_HEAD: Final = 16_384
# The second is the name that older installers know.
SIDECARS: Final = ("core-metadata", "dist-info-metadata")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a page may have, since each piece costs time and memory.

    A page of 100,000 files has 400,000 tags and 1,000,000 attributes in HTML, and in JSON 1,700,000
    values, counted by what comes before them: commas and opening brackets.
    """

    files: int = MAX_FILES
    tags: int = 1_000_000
    attributes: int = 2_000_000
    values: int = 3_000_000


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file as a page lists it: ``torch-2.14.1-cp312-cp312-linux_x86_64.whl`` and its address.

    ``url`` is absolute, without a fragment. ``sha256`` is in hexadecimal, "" where the page states
    none; ``requires_python`` is a specifier or "". ``size`` is in bytes, ``upload_time`` as stated.
    ``yanked`` is ``None`` unless the file is yanked; then it is the reason, or "". The text of
    ``core_metadata`` is the hash of the file of the same name with ``.metadata`` behind, "" where
    the page states none, ``None`` where there is no such file. ``provenance`` is the address of the
    file's attestations, "" without any; they are for a file of this name.
    """

    name: str
    url: str
    sha256: str = ""
    requires_python: str = ""
    yanked: str | None = None
    size: int | None = None
    upload_time: str = ""
    core_metadata: str | None = None
    provenance: str = ""

    @property
    def is_yanked(self) -> bool:
        """Whether the file is for exact pins only."""
        return self.yanked is not None


def parse_page(
    data: bytes, content_type: str, url: str, limits: Limits = LIMITS
) -> tuple[PageFile, ...]:
    """Read the page of one project; of two files with one name the first counts.

    ``content_type`` is the header of that name; any type with "json" in it is JSON, everything else
    HTML. ``url`` is the address that answered, which links are relative to. Raises
    ``InvalidValueError`` naming it, also for a page beyond the limits.
    """
    parse = _parse_json if "json" in content_type.lower() else _parse_html
    files = parse(data, url, limits)
    return tuple({file.name: file for file in reversed(files)}.values())[::-1]


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """What an index says of a whole project: ``archived``, and why, "" without a reason.

    Of a ``quarantined`` project no file may be offered.
    """

    marker: str
    reason: str = ""

    @property
    def is_quarantined(self) -> bool:
        """Whether the index offers no file of the project."""
        return self.marker == "quarantined"


def parse_status(data: bytes, content_type: str) -> ProjectStatus | None:
    """Return what a page says of its project; ``None`` if it says nothing (PEP 792)."""
    if "json" in content_type.lower():
        match = _STATUS.search(data)
        try:
            stated = json.loads(match[1]) if match else {}
        except ValueError:
            return None
    else:
        stated = {
            name.decode("ascii"): html.unescape(text.decode("utf-8", "replace"))
            for name, text in _STATUS_TAG.findall(data[:_HEAD])
        }
        stated = {"status": stated.get("status"), "reason": stated.get("status-reason")}
    marker, reason = stated.get("status"), stated.get("reason")
    if not isinstance(marker, str) or not marker:
        return None
    return ProjectStatus(marker, reason if isinstance(reason, str) else "")


def _check_count(seen: int, most: int, name: str, url: str) -> None:
    if seen > most:
        raise InvalidValueError(
            f"{url}: not a page of the simple API: more than {most} {name}, expected one project"
        )


def _parse_json(data: bytes, url: str, limits: Limits) -> list[PageFile]:
    values = data.count(b",") + data.count(b"{") + data.count(b"[")
    _check_count(values, limits.values, "values", url)
    try:
        entries = json.loads(data)["files"][: limits.files + 1]
        files = [_file_of(entry, url) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidValueError(
            f"{url}: not a page of the simple API in JSON ({type(error).__name__})"
        ) from error
    _check_count(len(files), limits.files, "files", url)
    return files


def _file_of(entry: Mapping[str, object], url: str) -> PageFile:
    hashes = entry.get("hashes")
    address, fragment = _absolute(str(entry["url"]), url)
    sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
    yanked, size = entry.get("yanked"), entry.get("size")
    return PageFile(
        name=str(entry["filename"]),
        url=address,
        sha256=str(sha256).lower() if sha256 else _hash_in(fragment),
        requires_python=str(entry.get("requires-python") or ""),
        yanked=None if yanked in {None, False} else "" if yanked is True else str(yanked),
        size=size if isinstance(size, int) else None,
        upload_time=str(entry.get("upload-time") or ""),
        core_metadata=_sidecar(entry.get(SIDECARS[0], entry.get(SIDECARS[1]))),
        provenance=str(entry.get("provenance") or ""),
    )


def _absolute(address: str, page: str) -> tuple[str, str]:
    """Return an absolute address and its fragment; most are that already, on pages of thousands."""
    if (
        address.startswith(("https://", "http://"))
        # What has to be resolved or refused: steps in a path, literal IPv6 addresses, blanks.
        and "/." not in address
        and "[" not in address
        and " " not in address
        and address.isascii()
        and address.isprintable()
    ):
        address, _, fragment = address.partition("#")
        return address, fragment
    joined, fragment = urldefrag(urljoin(page, address))
    return encoded(joined), fragment


def _sidecar(stated: object) -> str | None:
    if isinstance(stated, dict):
        return str(stated.get("sha256") or "").lower()
    return "" if stated is True else None


def _parse_html(data: bytes, url: str, limits: Limits) -> list[PageFile]:
    if _ENDLESS_TAG.search(data):
        raise InvalidValueError(f"{url}: not a page of the simple API: no tag ends for 32 KB")
    _check_count(data.count(b"<"), limits.tags, "tags", url)
    parser = _Anchors(url, limits)
    parser.feed(data.decode("utf-8", "replace"))
    return parser.files


class _Anchors(HTMLParser):
    def __init__(self, url: str, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self.files: list[PageFile] = []
        self._page = self._url = url
        self._has_base = False
        self._attributes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes += len(attrs)
        _check_count(self._attributes, self._limits.attributes, "attributes", self._page)
        attributes = {name: value or "" for name, value in attrs}
        href = attributes.get("href", "")
        if tag == "base" and href and not self._has_base:
            self._url, self._has_base = self._joined(href), True
        elif tag == "a" and href:
            _check_count(len(self.files) + 1, self._limits.files, "files", self._page)
            self.files.append(self._file(href, attributes))

    def _file(self, href: str, attributes: Mapping[str, str]) -> PageFile:
        address, fragment = urldefrag(self._joined(href))
        stated = next(
            (attributes[f"data-{name}"] for name in SIDECARS if f"data-{name}" in attributes), None
        )
        return PageFile(
            name=unquote(urlsplit(address).path.rpartition("/")[2]),
            url=address,
            sha256=_hash_in(fragment),
            requires_python=attributes.get("data-requires-python", ""),
            yanked=attributes.get("data-yanked"),
            upload_time=attributes.get("data-upload-time", ""),
            core_metadata=None if stated in {None, "false"} else _hash_in(str(stated)),
            provenance=attributes.get("data-provenance", ""),
        )

    def _joined(self, href: str) -> str:
        try:
            return encoded(urljoin(self._url, href))
        except ValueError as error:
            raise InvalidValueError(f"{self._page}: not an address: {href!r:.200}") from error


def _hash_in(fragment: str) -> str:
    return fragment.removeprefix(_SHA256).lower() if fragment.startswith(_SHA256) else ""
