"""NV43x: lock files (PEP 751) that list variants, as PEP 825 has it and installers read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.findings.model import Problem, Severity, Uv
from nvidia_variant_provider.tools.findings.registry import Registry
from nvidia_variant_provider.tools.metadata.as_written import Document, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.releases.lock import Lock, LockedPackage

LOCK: Final[Registry[Lock]] = Registry()


def documents_of(lock: Lock) -> Iterator[Document]:
    """Yield the metadata of variants that stands in a lock file."""
    documents = (_document(lock, package) for package in lock.packages)
    return (document for document in documents if document is not None)


def _document(lock: Lock, package: LockedPackage) -> Document | None:
    from nvidia_variant_provider.tools.releases.lock import TABLE

    data = package.variants
    if data is None:
        return None
    return Document(f"{lock.source}: {package.key}/{TABLE}", Kind.RELEASE, json.loads(data), data)


@LOCK.check("NV430", Severity.ERROR, Uv.NONE, "the lock file cannot be read")
def check_syntax(lock: Lock) -> Iterator[Problem]:
    """Report what is no TOML in UTF-8."""
    if lock.reason:
        yield Problem(lock.source, "", f"expected a lock file in TOML: {lock.reason}")


@LOCK.check("NV431", Severity.ERROR, Uv.NONE, "the lock file lists a variant wheel")
def check_no_variants(lock: Lock) -> Iterator[Problem]:
    """Say which installers stop: no released one chooses a variant from a lock file."""
    for package in lock.packages:
        labels = sorted({wheel.label for wheel in package.wheels if wheel.label})
        if not labels:
            continue
        ordinary = any(not wheel.label for wheel in package.wheels) or package.other_source
        uvs = "takes what has no label" if ordinary else "stops, as nothing is without a label"
        message = (
            f"{package.name} with the labels {', '.join(labels)}: pip refuses the whole file, "
            f"uv {uvs}"
        )
        yield Problem(lock.source, package.key, message)


@LOCK.check("NV432", Severity.ERROR, Uv.NONE, "the lock file does not describe a label")
def check_described(lock: Lock) -> Iterator[Problem]:
    """Report listed wheels whose label is not in the table ``variants-json``."""
    for package in lock.packages:
        document = _document(lock, package)
        described = document.variants if document else {}
        for wheel in package.wheels:
            if wheel.label and wheel.label not in described:
                message = f"{wheel}: no {wheel.label} in variants-json/variants"
                yield Problem(lock.source, package.key, message)


@LOCK.check("NV433", Severity.ERROR, Uv.NONE, "a variant marker in a lock file")
def check_markers(lock: Lock) -> Iterator[Problem]:
    """Report variant markers in ``packages.marker`` and ``environments``."""
    for key, marker in lock.variant_markers:
        yield Problem(lock.source, key, f"seen {marker}; a lock file has no variant markers")
