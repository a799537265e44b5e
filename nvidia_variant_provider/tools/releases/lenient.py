"""The lenient view of a release: what its files say, whether or not the format allows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.metadata.as_written import Kind, parse_document
from nvidia_variant_provider.tools.wheels.dist_info import metadata_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.tools.metadata.as_written import Document
    from nvidia_variant_provider.tools.releases.files import WheelFile
    from nvidia_variant_provider.tools.wheels.name import WheelName


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

    @classmethod
    def of(cls, file: WheelFile) -> Wheel:
        """Return what a wheel says of itself; a damaged one says why it cannot."""
        if file.fault:
            return cls(file.path, file.name, reason=file.fault)
        document = None
        if file.variant is not None:
            document = parse_document(file.variant, file.variant_source, Kind.WHEEL)
            document = replace(document, label=file.name.label)
        return cls(
            file.path,
            file.name,
            document,
            tuple(metadata_fields(file.metadata, "Requires-Dist")),
            requires_python=next(iter(metadata_fields(file.metadata, "Requires-Python")), ""),
            dynamic=tuple(name.lower() for name in metadata_fields(file.metadata, "Dynamic")),
        )


@dataclass(frozen=True, eq=False)
class LenientView:
    """The lenient view of a release: its documents as written; equal to itself only.

    ``whole`` says that a folder was given, so what is not there does not exist.
    """

    title: str
    index: Document | None
    wheels: tuple[Wheel, ...]
    whole: bool

    @cached_property
    def variant_wheels(self) -> tuple[Wheel, ...]:
        """The readable wheels with a label."""
        return tuple(wheel for wheel in self.wheels if wheel.name.label and not wheel.reason)

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """The metadata of the release and of its wheels."""
        carried = tuple(wheel.document for wheel in self.wheels if wheel.document is not None)
        return (*((self.index,) if self.index else ()), *carried)

    @cached_property
    def reference(self) -> Document | None:
        """The document that speaks for the release: its own file, else the first wheel's."""
        usable = [document for document in self.documents if document.broken is None]
        return usable[0] if usable else None

    @cached_property
    def variants(self) -> Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]:
        """Every label that any file of the release describes, the release's own file first."""
        variants: dict[str, Mapping[str, Mapping[str, tuple[str, ...]]]] = {}
        for document in self.documents:
            for label, variant in document.variants.items():
                variants.setdefault(label, variant)
        return variants
