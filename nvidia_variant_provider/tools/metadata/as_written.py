"""Documents of variant metadata as they are written, right or wrong.

The views are lenient: a part of another shape than it should have is left out of them, so that
every check can look at the rest; the checks of NV1xx report the part itself.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.metadata.reading import MAX_BYTES
from nvidia_variant_provider.tools.parsed import mapping, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

PYPROJECT: Final = "pyproject.toml"
# So much of a parser's complaint is shown.
_SHOWN: Final = 80


class Kind(Enum):
    """Where a document stands, which decides the keys it must have."""

    RELEASE = "the metadata file of a release"
    WHEEL = "variant.json of a wheel"
    PYPROJECT = "the table [variant] of pyproject.toml"


class Broken(Enum):
    """Why a document could not be read at all."""

    SYNTAX = "syntax"
    REPEATED = "repeated"


@dataclass(frozen=True)
class Document:
    """One document as it was parsed; ``label`` is that of the wheel it came from, or "".

    ``requirements`` are those of a pyproject.toml as a whole, each with the key it stands under.
    """

    source: str
    kind: Kind
    raw: Mapping[str, object]
    data: bytes = field(default=b"", repr=False)
    label: str = ""
    broken: Broken | None = None
    reason: str = ""
    requirements: tuple[tuple[str, str], ...] = ()

    @cached_property
    def schema(self) -> str | None:
        """The text of ``$schema``; ``None`` if there is none."""
        schema = self.raw.get("$schema")
        return schema if isinstance(schema, str) else None

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of ``default-priorities``, as written."""
        return texts(mapping(self.raw.get("default-priorities")).get("namespace"))

    @cached_property
    def providers(self) -> Mapping[str, Mapping[str, object]]:
        """The provider entries that are tables."""
        entries = mapping(self.raw.get("providers"))
        return {name: mapping(entry) for name, entry in entries.items() if isinstance(entry, dict)}

    @cached_property
    def variants(self) -> Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]:
        """Label to namespace to feature to values, without what is not of that shape."""
        return {
            label: {
                namespace: {feature: texts(values) for feature, values in mapping(features).items()}
                for namespace, features in mapping(variant).items()
            }
            for label, variant in mapping(self.raw.get("variants")).items()
        }


def parse_document(data: bytes, source: str, kind: Kind) -> Document:
    """Parse JSON as installers do; what is no JSON object becomes a broken document."""
    if len(data) > MAX_BYTES:
        reason = f"{len(data)} bytes, expected at most {MAX_BYTES}"
        return Document(source, kind, {}, broken=Broken.SYNTAX, reason=reason)
    repeated: list[str] = []

    def collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
        counts = Counter(key for key, _ in pairs)
        repeated.extend(key for key, count in counts.items() if count > 1)
        return dict(pairs)

    try:
        # The text is decoded here: json.loads would guess UTF-16, which no installer reads.
        raw = json.loads(data.decode("utf-8"), object_pairs_hook=collect)
    except (ValueError, RecursionError) as error:
        return Document(source, kind, {}, data, broken=Broken.SYNTAX, reason=str(error)[:_SHOWN])
    if not isinstance(raw, dict):
        reason = f"seen {type(raw).__name__}, expected an object"
        return Document(source, kind, {}, data, broken=Broken.SYNTAX, reason=reason)
    if repeated:
        return Document(source, kind, raw, data, broken=Broken.REPEATED, reason=repeated[0])
    return Document(source, kind, raw, data)
