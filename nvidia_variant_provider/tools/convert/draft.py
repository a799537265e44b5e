"""A metadata document on its way from a draft: its parts, what was changed, what was refused."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from nvidia_variant_provider.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = dict[str, Any]

_SHOWN: Final = 60


class ConversionRefusedError(MetadataError):
    """Something in a document cannot be kept in the wanted format, so nothing was converted.

    ``str()`` names the file, the key and what is there, and says what to do.
    """


@dataclass(frozen=True, slots=True)
class Change:
    """One difference that means something: the key's path, what was done, and why that is right."""

    key: str
    action: str
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: {self.action}: {self.reason}"


class Draft:
    """A copy of a document with the changes made so far; ``source`` is its file's name.

    ``is_project`` says that it is the table ``[variant]`` of pyproject.toml, which describes how
    to build, and so has no variants of its own. Raises ``MetadataError`` for one that is so wrong
    that nothing could be said of its parts.
    """

    def __init__(self, raw: Mapping[str, Any], source: str, *, is_project: bool = False) -> None:
        self.document: Json = deepcopy(dict(raw))
        self.source = source
        self.is_project = is_project
        self.changes: list[Change] = []
        self._check_shape()

    @property
    def providers(self) -> Json:
        """The provider entries, by namespace."""
        providers: Json = self.document.get("providers", {})
        return providers

    @property
    def priorities(self) -> Json:
        """The package's own preferences."""
        priorities: Json = self.document["default-priorities"]
        return priorities

    @property
    def variants(self) -> Json:
        """Label to namespace to feature to values; empty in a project."""
        variants: Json = self.document.get("variants", {})
        return variants

    def change(self, key: str, action: str, reason: str) -> None:
        """Note a change that was made."""
        self.changes.append(Change(key, action, reason))

    def refuse(self, key: str, seen: object, advice: str) -> ConversionRefusedError:
        """Return the error for something that cannot be kept."""
        return ConversionRefusedError(self.source, key, short(seen), advice)

    def _check_shape(self) -> None:
        document = self.document
        self._table("default-priorities", document.get("default-priorities"))
        self._table("providers", document.get("providers", {}))
        for name, provider in self.providers.items():
            self._table(f"providers/{name}", provider)
            for key in ("requires", "build-requires"):
                self._texts(f"providers/{name}/{key}", provider.get(key, []))
        absent: object = {} if self.is_project else None
        self._lists("variants", document.get("variants", absent), depth=3)
        self._lists("static-properties", document.get("static-properties", {}), depth=2)
        for key, depth in (("feature", 1), ("property", 2)):
            self._sort_out(key, depth)
            self._lists(f"default-priorities/{key}", self.priorities.get(key, {}), depth=depth)

    def _sort_out(self, key: str, depth: int) -> None:
        """Bring ``["nvidia :: sm_arch"]``, the flat lists of 0.0.1, into the later tables."""
        flat = self.priorities.get(key)
        if flat in ([], {}):
            del self.priorities[key]
            self.change(f"default-priorities/{key}", "removed", "it says nothing")
        if not isinstance(flat, list) or not flat:
            return
        self._texts(f"default-priorities/{key}", flat)
        table: Json = {}
        for text in flat:
            steps = [part.strip() for part in text.split("::")]
            if len(steps) != depth + 1:
                expected = "namespace :: feature" + " :: value" * (depth - 1)
                raise MetadataError(self.source, f"default-priorities/{key}", short(text), expected)
            place = table
            for step in steps[:-2]:
                place = place.setdefault(step, {})
            place.setdefault(steps[-2], []).append(steps[-1])
        self.priorities[key] = table

    def _lists(self, key: str, seen: object, *, depth: int) -> None:
        """Expect tables within tables, ``depth`` of them, that end in lists of texts."""
        if depth == 0:
            self._texts(key, seen)
            return
        for name, inner in self._table(key, seen).items():
            self._lists(f"{key}/{name}", inner, depth=depth - 1)

    def _table(self, key: str, seen: object) -> Json:
        if not isinstance(seen, dict):
            raise MetadataError(self.source, key, short(seen), "an object")
        return seen

    def _texts(self, key: str, seen: object) -> None:
        if not isinstance(seen, list) or not all(isinstance(element, str) for element in seen):
            raise MetadataError(self.source, key, short(seen), "a list of texts")


def short(value: object) -> str:
    """Return a value as a text fit for a message."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
