"""One metadata document, from any draft to PEP 825 or PEP 850; pure.

The drafts: the unversioned root schema (0.0.1), 0.0.2, 0.0.3, and what variantlib 0.2.0 wrote,
the present format under the name of 0.0.3. docs/convert.md lists what becomes of every key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider.tools.convert.draft import Change, Draft, short
from nvidia_variant_provider.tools.convert.plugins import convert_plugins, refuse_priorities
from nvidia_variant_provider.tools.convert.static import convert_static
from nvidia_variant_provider.tools.metadata.document import (
    NVIDIA_ENDPOINT,
    NVIDIA_NAMESPACE,
    NVIDIA_REQUIREMENT,
    SCHEMA_825,
    SCHEMA_850,
)
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.metadata.schemas import Specification, Standing, standing_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.tools.convert.draft import Json
    from nvidia_variant_provider.tools.metadata.model import VariantMetadata

TARGETS: Final = {"825": Specification.PEP_825, "850": Specification.PEP_850}


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted document and what was changed; ``renamed`` maps old labels to new ones."""

    metadata: VariantMetadata
    changes: tuple[Change, ...]
    renamed: Mapping[str, str]


def convert(raw: Mapping[str, Any], source: str, target: Specification) -> Conversion:
    """Convert a parsed document; ``source`` is the file's name for messages.

    Raises ``ConversionRefusedError`` for what the target cannot say, and ``MetadataError`` for a
    document that is wrong in its own format.
    """
    draft = Draft(raw, source)
    _refuse_newer(draft)
    _convert_namespaces(draft)
    renamed = _rename_null(draft)
    _note_sorting(draft)
    if target is Specification.PEP_825:
        _to_825(draft)
    else:
        _to_850(draft)
    # The reader that all tools share has the last word.
    metadata = parse_metadata(json.dumps(draft.document).encode(), source)
    return Conversion(metadata, tuple(draft.changes), renamed)


def convert_project(raw: Mapping[str, Any], source: str) -> tuple[Json, tuple[Change, ...]]:
    """Convert the table ``[variant]`` of pyproject.toml to PEP 850; return it and the changes.

    Raises as ``convert`` does.
    """
    draft = Draft(raw, source, is_project=True)
    _convert_namespaces(draft)
    parse_metadata(json.dumps(_as_release(draft)).encode(), source)
    return draft.document, tuple(draft.changes)


def _as_release(draft: Draft) -> Json:
    """Return the file that a build would begin with: no variants, nothing of the build itself."""
    providers = {
        namespace: {key: value for key, value in entry.items() if key != "build-requires"}
        for namespace, entry in draft.providers.items()
    }
    # An entry for building alone is none of the release.
    building = {name for name, entry in providers.items() if not set(entry) - {"plugin-api"}}
    priorities = dict(draft.priorities)
    if isinstance(priorities.get("namespace"), list):
        priorities["namespace"] = [name for name in priorities["namespace"] if name not in building]
    return {
        **draft.document,
        "$schema": SCHEMA_850,
        "default-priorities": priorities,
        "providers": {name: entry for name, entry in providers.items() if name not in building},
        "variants": {},
    }


def _refuse_newer(draft: Draft) -> None:
    """Refuse a version that is not known: what it says may mean something else here."""
    url = draft.document.get("$schema")
    if isinstance(url, str) and standing_of(url) not in {Standing.KNOWN, Standing.DRAFT}:
        advice = (
            f"a draft or a version known here, such as {SCHEMA_850}; a newer one is not set back"
        )
        raise draft.refuse("$schema", url, advice)


def _convert_namespaces(draft: Draft) -> None:
    convert_static(draft)
    convert_plugins(draft)
    refuse_priorities(draft)


def _rename_null(draft: Draft) -> dict[str, str]:
    empty = [label for label, variant in draft.variants.items() if not variant]
    if empty in ([], [NULL_LABEL]):
        return {}
    if len(empty) > 1:
        advice = f"one variant without properties, whose label is {NULL_LABEL}"
        raise draft.refuse("variants", ", ".join(empty), advice)
    (label,) = empty
    if NULL_LABEL in draft.variants:
        raise draft.refuse(f"variants/{NULL_LABEL}", draft.variants[NULL_LABEL], "no properties")
    draft.document["variants"] = {
        NULL_LABEL if name == label else name: variant for name, variant in draft.variants.items()
    }
    reason = "the variant without properties has this label now"
    draft.change(f"variants/{label}", f"renamed to {NULL_LABEL}", reason)
    return {label: NULL_LABEL}


def _note_sorting(draft: Draft) -> None:
    unsorted = [
        f"variants/{label}/{namespace}/{feature}"
        for label, variant in draft.variants.items()
        for namespace, features in variant.items()
        for feature, values in features.items()
        if values != sorted(values)
    ]
    if unsorted:
        more = f" and in {len(unsorted) - 1} more lists" if len(unsorted) > 1 else ""
        reason = "the format requires it, so that equal metadata is equal text"
        draft.change(unsorted[0], f"values sorted{more}", reason)


def _to_825(draft: Draft) -> None:
    for namespace, provider in draft.providers.items():
        if "static-properties" in provider or "builtin" in provider:
            advice = "plugins only, as PEP 825 has no place for values: convert to 850"
            raise draft.refuse(f"providers/{namespace}", provider, advice)
    if draft.document.pop("providers", None) is not None:
        reason = "PEP 825 leaves them to the installer; uv then uses null only, variantlib refuses"
        draft.change("providers", "removed", reason)
    _set_schema(draft, SCHEMA_825)


def _to_850(draft: Draft) -> None:
    if "providers" not in draft.document:
        namespaces = draft.priorities.get("namespace")
        if namespaces != [NVIDIA_NAMESPACE]:
            advice = f"only {NVIDIA_NAMESPACE}, the one namespace whose provider is known here"
            raise draft.refuse("default-priorities/namespace", namespaces, advice)
        draft.document["providers"] = {
            NVIDIA_NAMESPACE: {"requires": [NVIDIA_REQUIREMENT], "plugin-api": NVIDIA_ENDPOINT}
        }
        reason = "PEP 850 names who answers; uv uses no variant otherwise"
        draft.change(f"providers/{NVIDIA_NAMESPACE}", f"added {NVIDIA_REQUIREMENT}", reason)
    _set_schema(draft, SCHEMA_850)


def _set_schema(draft: Draft, wanted: str) -> None:
    before = draft.document.get("$schema")
    if before != wanted:
        draft.document["$schema"] = wanted
        draft.change("$schema", f"{short(before)} became {wanted}", "the format of this file")
