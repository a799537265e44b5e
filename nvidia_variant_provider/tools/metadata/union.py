"""The metadata of a release: that of its wheels, which have to agree, in one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.tools.metadata.model import VariantMetadata
from nvidia_variant_provider.tools.metadata.schemas import WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterable


def union(parts: Iterable[tuple[str, VariantMetadata]]) -> VariantMetadata:
    """Combine the metadata of a release's wheels, each with the name of its file.

    A label must mean the same everywhere and a namespace have the same provider; of two namespace
    orders one must continue the other. The outcome does not depend on the order of the files, and
    names the one URL that is written for the format. Raises ``MetadataError`` naming the file that
    disagrees, and for no file at all.
    """
    combined: VariantMetadata | None = None
    for source, part in parts:
        combined = part if combined is None else _combine(combined, part, source)
    if combined is None:
        raise MetadataError("variant metadata", "", "no file", "at least one variant wheel")
    return replace(combined, schema_url=WRITTEN[combined.specification])


def _combine(first: VariantMetadata, second: VariantMetadata, source: str) -> VariantMetadata:
    shorter, longer = sorted((first.namespaces, second.namespaces), key=len)
    if longer[: len(shorter)] != shorter:
        raise MetadataError(
            source, "default-priorities/namespace", str(second.namespaces), str(first.namespaces)
        )
    _agree(source, "$schema", first.specification.value, second.specification.value)
    providers = dict(first.providers or {})
    for namespace, provider in (second.providers or {}).items():
        _agree(
            source, f"providers/{namespace}", providers.setdefault(namespace, provider), provider
        )
    variants = dict(first.variants)
    for label, variant in second.variants.items():
        _agree(source, f"variants/{label}", variants.setdefault(label, variant), variant)
    return VariantMetadata(
        schema_url=first.schema_url,
        namespaces=longer,
        providers=None if first.providers is None else providers,
        variants=variants,
    )


def _agree(source: str, key: str, expected: object, seen: object) -> None:
    if seen != expected:
        raise MetadataError(source, key, str(seen), f"as in the other wheels: {expected}")
