"""Metadata files right and wrong in every way that readers differ over, made from parts."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider.tools.metadata.document import (
    NVIDIA_ENDPOINT,
    NVIDIA_REQUIREMENT,
    SCHEMA_825,
    SCHEMA_850,
    SCHEMA_850_VARIANTLIB,
)
from tests.tools.lint.releases import merge_patch

if TYPE_CHECKING:
    from random import Random

Json = dict[str, Any]

PLUGIN: Final = {"requires": [NVIDIA_REQUIREMENT], "plugin-api": NVIDIA_ENDPOINT}
BASE: Final[Json] = {
    "$schema": SCHEMA_850,
    "default-priorities": {"namespace": ["nvidia", "blas"]},
    "providers": {"nvidia": PLUGIN, "blas": {"static-properties": {"library": ["mkl"]}}},
    "variants": {
        "null": {},
        "cu": {"nvidia": {"cuda_version_lower_bound": ["12.0"], "sm_arch": ["80_real", "90_real"]}},
        "mkl": {"blas": {"library": ["mkl"]}},
    },
}


def blas(entry: Json) -> Json:
    """Return the whole entry of the namespace ``blas``, in place of the usual one."""
    return {"providers": {"blas": {"static-properties": None, **entry}}}


def nvidia(changes: Json) -> Json:
    return {"providers": {"nvidia": changes}}


def schema(url: object) -> Json:
    return {"$schema": url}


TWO: Final = {"library": ["mkl"], "order": ["1"]}

# Changes in the manner of RFC 7396: null takes a key out.
CHANGES: Final[dict[str, Json]] = {
    "as it is": {},
    "static optional": blas({"static-properties": {"library": ["mkl"]}, "optional": True}),
    "plugin optional": nvidia({"optional": True}),
    "not optional": nvidia({"optional": False}),
    "order empty": {"providers": {"blas": {"feature-order": []}}},
    "two without order": blas({"static-properties": TWO}),
    "two, order empty": blas({"static-properties": TWO, "feature-order": []}),
    "two in order": blas({"static-properties": TWO, "feature-order": ["order", "library"]}),
    "two, order of one": blas({"static-properties": TWO, "feature-order": ["order"]}),
    "two, repeated": blas(
        {"static-properties": TWO, "feature-order": ["order", "library", "order"]}
    ),
    "order of more": {"providers": {"blas": {"feature-order": ["library", "more"]}}},
    "order beside a plugin": nvidia({"feature-order": ["sm_arch"]}),
    "empty order beside a plugin": nvidia({"feature-order": []}),
    "requires empty": nvidia({"requires": []}),
    "requires empty beside static": {"providers": {"blas": {"requires": []}}},
    "requires repeated": nvidia({"requires": [NVIDIA_REQUIREMENT] * 2}),
    "requires no requirement": nvidia({"requires": ["nvidia-variant-provider >> 1"]}),
    "requires other": blas({"requires": ["x >> y"], "plugin-api": "a:b"}),
    "requires newer": nvidia({"requires": ["nvidia-variant-provider>=0.1"]}),
    "endpoint odd": blas({"requires": ["x"], "plugin-api": "a-b:c"}),
    "endpoint empty": blas({"requires": ["x"], "plugin-api": ""}),
    "endpoint absent": nvidia({"plugin-api": None}),
    "endpoint beside static": {"providers": {"blas": {"plugin-api": "a:b"}}},
    "endpoint alone": blas({"plugin-api": "a:b"}),
    "nothing in the entry": blas({"optional": True}),
    "two kinds": {"providers": {"blas": {"requires": ["x"]}}},
    "builtin": blas({"builtin": "abi_dependency"}),
    "builtin unknown": blas({"builtin": "x"}),
    "no namespaces": {"default-priorities": {"namespace": None}},
    "namespaces empty": {"default-priorities": {"namespace": []}},
    "no priorities": {"default-priorities": None},
    "namespace repeated": {"default-priorities": {"namespace": ["nvidia", "blas", "nvidia"]}},
    "namespace unlisted": {"default-priorities": {"namespace": ["nvidia"]}},
    "namespace more": {"default-priorities": {"namespace": ["nvidia", "blas", "more"]}},
    "namespace spelled": {"default-priorities": {"namespace": ["nvidia", "blas", "Up"]}},
    "provider more": {"providers": {"more": {"static-properties": {"a": ["1"]}}}},
    "no providers": {"providers": None},
    "label without properties": {"variants": {"aa": {}}},
    "label of an empty namespace": {"variants": {"aa": {"nvidia": {}}}},
    "null of an empty namespace": {"variants": {"null": {"nvidia": {}}}},
    "null with properties": {"variants": {"null": {"blas": {"library": ["mkl"]}}}},
    "feature without values": {"variants": {"x": {"nvidia": {"sm_arch": []}}}},
    "value repeated": {"variants": {"cu": {"nvidia": {"sm_arch": ["90_real", "90_real"]}}}},
    "values not sorted": {"variants": {"cu": {"nvidia": {"sm_arch": ["90_real", "80_real"]}}}},
    "value spelled": {"variants": {"x": {"nvidia": {"sm_arch": ["90_REAL"]}}}},
    "value unknown": {"variants": {"cu": {"nvidia": {"sm_arch": ["77_real"]}}}},
    "static list empty": blas(
        {"static-properties": {**TWO, "order": []}, "feature-order": ["library", "order"]}
    ),
    "static lists all empty": blas({"static-properties": {"library": []}}),
    "static map empty": blas({"static-properties": {}}),
    "static map and order empty": blas({"static-properties": {}, "feature-order": []}),
    "static value repeated": blas({"static-properties": {"library": ["mkl", "mkl"]}}),
    "static spelled": blas({"static-properties": {"library": ["MKL"]}}),
    "optional a text": nvidia({"optional": "yes"}),
    "key at the top": {"more": 1},
    "key of priorities": {"default-priorities": {"more": 1}},
    "key of a provider": nvidia({"more": 1}),
    "no schema": schema(None),
    "schema a number": schema(1),
    "schema of variantlib": schema(SCHEMA_850_VARIANTLIB),
    "schema of 825": schema(SCHEMA_825),
    "schema of 825, no providers": {**schema(SCHEMA_825), "providers": None},
    "schema of a draft": schema("https://variants-schema.wheelnext.dev/v0.0.3.json"),
    "schema 0.2.1": schema("https://variants-schema.wheelnext.dev/peps/850/v0.2.1.json"),
    "schema 2.0.0": schema("https://packaging.python.org/variants/v2.0.0.json"),
    "schema 850/9.0.0": schema("https://variants-schema.wheelnext.dev/peps/850/v9.0.0.json"),
    "no variants": {"variants": None},
    "no cu": {"variants": {"cu": None}},
    "two of one set": {"variants": {"cv": BASE["variants"]["cu"]}},
}

# A merge patch cannot write null itself.
NULLS: Final = (
    ("providers",),
    ("providers", "nvidia", "plugin-api"),
    ("providers", "nvidia", "static-properties"),
    ("providers", "blas", "requires"),
    ("providers", "blas", "feature-order"),
    ("providers", "blas", "builtin"),
    ("providers", "blas", "optional"),
    ("variants", "cu"),
    ("default-priorities", "namespace"),
)


def changed(*names: str) -> Json:
    """Return the base with some of the changes, by name."""
    document: Json = copy.deepcopy(BASE)
    for name in names:
        document = merge_patch(document, CHANGES[name])
    return document


def with_null(path: tuple[str, ...]) -> Json:
    """Return the base with ``null`` at a path."""
    document: Json = copy.deepcopy(BASE)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = None
    return document


def made_up(source: Random) -> Json:
    """Return a document with up to three changes, now and then with a ``null``."""
    document = changed(*source.sample(sorted(CHANGES), source.randint(1, 3)))
    if source.random() < 0.1:
        place: Any = document
        *path, last = source.choice(NULLS)
        for step in path:
            place = place.get(step) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[last] = None
    return document
