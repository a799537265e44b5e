"""The formats of variant metadata, by the URL in ``$schema``: PEP, version, who reads them.

PEP 825, "Variant metadata": a reader refuses a major version that it does not know, and should
accept a newer minor one of a major that it knows. No compatibility may be assumed between versions
that begin with 0, so of those a URL is known to the letter or not at all. A tool writes no version
that it does not know: everything here writes ``SCHEMA_850``, or ``SCHEMA_825`` where asked to.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from nvidia_variant_provider.tools.metadata.document import (
    SCHEMA_825,
    SCHEMA_850,
    SCHEMA_850_VARIANTLIB,
)
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION: Final = re.compile(r"(?P<home>.*/)v(?P<major>\d{1,6})\.(?P<rest>\d{1,6}\.\d{1,6})\.json")


class Specification(Enum):
    """The format of a file, told by its ``$schema``."""

    PEP_825 = "PEP 825, 0.1.1"
    PEP_850 = "PEP 850, 0.2.0"
    UNKNOWN = "unknown"


class Standing(Enum):
    """What a reader has to make of a ``$schema``; the value says what it is."""

    KNOWN = "a known version"
    NEWER_MINOR = "a newer minor version of a known one"
    DRAFT = "a draft that was replaced"
    UNKNOWN_MAJOR = "an unknown major version"
    UNKNOWN = "no known version"


@dataclass(frozen=True, slots=True)
class Schema:
    """One URL; ``read_by`` names the installers that read it, each since which version."""

    url: str
    version: str
    specification: Specification
    read_by: str = ""


SCHEMAS: Final = (
    Schema(SCHEMA_825, "0.1.1", Specification.PEP_825, "uv 0.13.6 (the null variant alone)"),
    Schema(SCHEMA_850, "0.2.0", Specification.PEP_850, "uv 0.13.6, variantlib 0.2.2"),
    # variantlib writes this name; what index and convert write has the one above.
    Schema(SCHEMA_850_VARIANTLIB, "0.2.0", Specification.PEP_850, "uv 0.13.6, variantlib 0.2.0"),
)
"""The formats that are read here. uv and variantlib do not look at the URL; see ``readers``."""

_HOME: Final = "https://variants-schema.wheelnext.dev/"
DRAFTS: Final = (_HOME, f"{_HOME}v0.0.2.json", f"{_HOME}v0.0.3.json")
"""The formats that ``convert`` brings to the present one; the first is that of variantlib 0.0.1."""


WRITTEN: Final = {Specification.PEP_825: SCHEMA_825, Specification.PEP_850: SCHEMA_850}
"""The one URL that is written for a format."""


def schema_of(url: str, known: Sequence[Schema] = SCHEMAS) -> Schema | None:
    """Return the row of a URL, that of the same major version for a newer minor one."""
    for schema in known:
        if schema.url == url:
            return schema
    match = _VERSION.fullmatch(url)
    for schema in known if match and match["major"] != "0" else ():
        ours = _VERSION.fullmatch(schema.url)
        assert match is not None  # noqa: S101 - for the type checker
        is_same = ours and (ours["home"], ours["major"]) == (match["home"], match["major"])
        if ours and is_same and Version(match["rest"]) > Version(ours["rest"]):
            return schema
    return None


def standing_of(url: str, known: Sequence[Schema] = SCHEMAS) -> Standing:
    """Say what a reader has to make of a ``$schema``."""
    schema = schema_of(url, known)
    if schema is not None:
        return Standing.KNOWN if schema.url == url else Standing.NEWER_MINOR
    if url in DRAFTS:
        return Standing.DRAFT
    match = _VERSION.fullmatch(url)
    return Standing.UNKNOWN_MAJOR if match and match["major"] != "0" else Standing.UNKNOWN
