"""What is linted: documents seen as they are, and the releases that files add up to.

The views are lenient: a part of another shape than it should have is left out of them, so that
every check can look at the rest; the checks of NV1xx report the part itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.tools.wheels.name import WheelName

NVIDIA: Final = "nvidia"


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
        found = self.raw.get("$schema")
        return found if isinstance(found, str) else None

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of ``default-priorities``, as written."""
        return texts(mapping(self.raw.get("default-priorities")).get("namespace"))

    @cached_property
    def providers(self) -> Mapping[str, Mapping[str, object]]:
        """The provider entries that are tables."""
        entries = mapping(self.raw.get("providers"))
        return {name: mapping(it) for name, it in entries.items() if isinstance(it, dict)}

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


@dataclass(frozen=True)
class Wheel:
    """A wheel: its name, its metadata if it carries any, and fields of METADATA as written.

    ``reason`` says why it could not be read; it is empty if it could.
    """

    source: str
    name: WheelName
    document: Document | None = None
    requires: tuple[str, ...] = ()
    reason: str = ""
    requires_python: str = ""
    dynamic: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class LenientRelease:
    """The lenient view of one release, of the files that were given together; equal to itself only.

    ``releases.Release`` is the strict view: what the format makes of the same files.

    ``whole`` says that a folder was given, so what is not there does not exist.
    """

    title: str
    index: Document | None
    wheels: tuple[Wheel, ...]
    whole: bool

    @cached_property
    def variant_wheels(self) -> tuple[Wheel, ...]:
        """The readable wheels with a label."""
        return tuple(it for it in self.wheels if it.name.label and not it.reason)

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """The metadata of the release and of its wheels."""
        carried = tuple(it.document for it in self.wheels if it.document is not None)
        return (*((self.index,) if self.index else ()), *carried)

    @cached_property
    def reference(self) -> Document | None:
        """The document that speaks for the release: its own file, else the first wheel's."""
        usable = [it for it in self.documents if it.broken is None]
        return usable[0] if usable else None

    @cached_property
    def variants(self) -> Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]:
        """Every label that any file of the release describes, the release's own file first."""
        found: dict[str, Mapping[str, Mapping[str, tuple[str, ...]]]] = {}
        for document in self.documents:
            for label, variant in document.variants.items():
                found.setdefault(label, variant)
        return found


def mapping(value: object) -> Mapping[str, object]:
    """Return a JSON object as it is and everything else as an empty one."""
    return value if isinstance(value, dict) else {}


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of a JSON array; empty for everything else."""
    return tuple(it for it in value if isinstance(it, str)) if isinstance(value, list) else ()
