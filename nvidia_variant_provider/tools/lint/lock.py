"""A lock file (``pylock.toml``, PEP 751) as it is linted: its wheels, variants and markers."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import read_bounded
from nvidia_variant_provider.tools.lint.subject import Document, Kind, mapping, texts
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME: Final = re.compile(r"pylock(\.[^.]+)?\.toml")
_OTHER_SOURCES: Final = ("sdist", "vcs", "directory", "archive")
# A lock of some hundred packages with all their wheels has 2 MB.
_MAX_BYTES: Final = 64 << 20
_SHOWN: Final = 80


@dataclass(frozen=True)
class LockedPackage:
    """A package of a lock file; ``key`` is its place and ``document`` its ``variants-json``."""

    name: str
    key: str
    wheels: tuple[WheelName, ...]
    has_other_source: bool
    document: Document | None


@dataclass(frozen=True)
class Lock:
    """A lock file; ``markers`` have their place first. ``reason`` says why it cannot be read."""

    source: str
    packages: tuple[LockedPackage, ...] = ()
    markers: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    @property
    def documents(self) -> tuple[Document, ...]:
        """The metadata of variants that stands in it."""
        return tuple(it.document for it in self.packages if it.document is not None)


def is_lock(name: str) -> bool:
    """Tell whether a file's name is that of a lock file: ``pylock.toml``, ``pylock.gpu.toml``."""
    return _NAME.fullmatch(name) is not None


def read_lock(path: str, source: str) -> Lock:
    """Read a lock file; ``source`` is its name in messages. One that is no TOML has a reason."""
    if sys.version_info < (3, 11):
        import tomli as tomllib
    else:
        import tomllib
    try:
        whole = tomllib.loads(read_bounded(path, _MAX_BYTES).decode("utf-8"))
    except (ValueError, RecursionError, InvalidValueError) as error:
        return Lock(source, reason=str(error)[:_SHOWN])
    listed = whole.get("packages")
    tables = [mapping(it) for it in listed] if isinstance(listed, list) else []
    packages = tuple(_package(table, index, source) for index, table in enumerate(tables))
    return Lock(source, packages, tuple(_markers(whole, tables)))


def _package(table: Mapping[str, object], index: int, source: str) -> LockedPackage:
    key = f"packages[{index}]"
    raw = table.get("variants-json")
    document = None
    if isinstance(raw, dict):
        # TOML has values that JSON does not, such as dates: as text they are findings.
        data = json.dumps(raw, default=str).encode()
        place = f"{source}: {key}/variants-json"
        document = Document(place, Kind.RELEASE, json.loads(data), data)
    return LockedPackage(
        name=str(table.get("name", "")),
        key=key,
        wheels=tuple(_wheels(table.get("wheels"))),
        has_other_source=any(it in table for it in _OTHER_SOURCES),
        document=document,
    )


def _wheels(listed: object) -> Iterator[WheelName]:
    for entry in listed if isinstance(listed, list) else ():
        wheel = mapping(entry)
        named = (wheel.get("name"), wheel.get("path"), wheel.get("url"))
        text = next((it for it in named if isinstance(it, str)), "")
        try:
            yield WheelName.parse(os.path.basename(unquote(urlsplit(text).path)))
        except ValueError:
            # Another fault than this is about: every installer says it.
            continue


def _markers(
    whole: Mapping[str, object], tables: list[Mapping[str, object]]
) -> Iterator[tuple[str, str]]:
    for index, text in enumerate(texts(whole.get("environments"))):
        yield f"environments[{index}]", text
    for index, table in enumerate(tables):
        if isinstance(marker := table.get("marker"), str):
            yield f"packages[{index}]/marker", marker
