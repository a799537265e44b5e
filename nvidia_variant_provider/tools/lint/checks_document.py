"""NV1xx: the form of a document. Everything here makes the strict readers refuse the file."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.findings.model import Problem, Severity, Uv
from nvidia_variant_provider.tools.findings.registry import Registry
from nvidia_variant_provider.tools.metadata.as_written import Broken, Document, Kind
from nvidia_variant_provider.tools.metadata.document import (
    SCHEMA_825,
    SCHEMA_850,
)
from nvidia_variant_provider.tools.metadata.markers import (
    WHO_REFUSES_MARKERS,
    fault_of_marker,
    has_marker,
)
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from nvidia_variant_provider.tools.metadata.schemas import Standing, standing_of
from nvidia_variant_provider.tools.metadata.strict import PRIORITY_KEYS, PROVIDER_KEYS, TOP_KEYS
from nvidia_variant_provider.tools.parsed import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT: Final[Registry[Document]] = Registry()

_DRAFT_TOP: Final = frozenset({"static-properties"})
_DRAFT_PROVIDER: Final = frozenset({"enable-if", "install-time", "plugin-use"})
_DRAFT_PRIORITIES: Final = frozenset({"feature", "property"})

_NAME: Final = re.compile(r"[a-z0-9_]+")
_VALUE: Final = re.compile(r"[a-z0-9_.]+")
_SHOWN: Final = 60

_PROVIDER_TYPES: Final[dict[str, type]] = {
    "requires": list,
    "build-requires": list,
    "plugin-api": str,
    "static-properties": dict,
    "feature-order": list,
    "builtin": str,
    "optional": bool,
}


@DOCUMENT.check("NV101", Severity.ERROR, Uv.REFUSES, "the file is not a JSON object in UTF-8")
def check_syntax(document: Document) -> Iterator[Problem]:
    """Report what cannot be parsed; no other check can look at such a file."""
    if document.broken is Broken.SYNTAX:
        form = "a table [variant]" if document.kind is Kind.PYPROJECT else "a JSON object in UTF-8"
        yield Problem(document.source, "", f"expected {form}: {document.reason}")


@DOCUMENT.check("NV102", Severity.ERROR, Uv.REFUSES, "a key is repeated")
def check_repeated_keys(document: Document) -> Iterator[Problem]:
    """Report the first repeated key: readers differ in which of the two they take."""
    if document.broken is Broken.REPEATED:
        yield Problem(document.source, document.reason, "the key is there more than once")


@DOCUMENT.check("NV103", Severity.ERROR, Uv.REFUSES, "$schema is missing")
def check_schema_present(document: Document) -> Iterator[Problem]:
    """Report a document that does not say which format it is in."""
    if document.kind is not Kind.PYPROJECT and document.schema is None:
        yield Problem(document.source, "$schema", f"no $schema, expected {SCHEMA_850}")


@DOCUMENT.check("NV104", Severity.WARNING, Uv.NONE, "$schema is of a draft")
def check_schema_current(document: Document) -> Iterator[Problem]:
    """Report a ``$schema`` that was replaced."""
    if document.schema is not None and standing_of(document.schema) is Standing.DRAFT:
        seen = _short(document.schema)
        yield Problem(document.source, "$schema", f"seen {seen}, expected {SCHEMA_850}")


@DOCUMENT.check("NV105", Severity.ERROR, Uv.REFUSES, "an unknown key")
def check_unknown_keys(document: Document) -> Iterator[Problem]:
    """Report keys that are neither current nor of a draft."""
    for path, known, draft in _levels(document):
        for key in sorted(set(_at(document, path)) - known - draft):
            yield Problem(document.source, "/".join((*path, key)), "no such key")


@DOCUMENT.check("NV106", Severity.ERROR, Uv.REFUSES, "a key of an older draft")
def check_draft_keys(document: Document) -> Iterator[Problem]:
    """Report keys that were dropped: both current clients refuse the whole file for one."""
    for path, _, draft in _levels(document):
        for key in sorted(set(_at(document, path)) & draft):
            where = "/".join((*path, key))
            yield Problem(document.source, where, f"{key} is of an older draft; see 'convert'")


@DOCUMENT.check("NV107", Severity.ERROR, Uv.REFUSES, "a key is missing or has the wrong type")
def check_shape(document: Document) -> Iterator[Problem]:
    """Report required keys that are absent and values that are not of the type they should be."""
    required = ["default-priorities"]
    if document.kind is not Kind.PYPROJECT:
        required.append("variants")
    for key in required:
        if not isinstance(document.raw.get(key), dict):
            yield _mistyped(document, key, document.raw.get(key), dict)
    if not isinstance(mapping(document.raw.get("default-priorities")).get("namespace"), list):
        seen = mapping(document.raw.get("default-priorities")).get("namespace")
        yield _mistyped(document, "default-priorities/namespace", seen, list)
    if not isinstance(document.raw.get("providers", {}), dict):
        yield _mistyped(document, "providers", document.raw["providers"], dict)
    yield from _provider_shapes(document)
    yield from _variant_shapes(document)


@DOCUMENT.check(
    "NV108", Severity.ERROR, Uv.REFUSES, "a name or value has characters that are not allowed"
)
def check_spelling(document: Document) -> Iterator[Problem]:
    """Report labels, namespaces, features and values with characters that are not allowed."""
    for key, text, form in _named(document):
        if not form.fullmatch(text):
            message = f"seen {_short(text)}, expected {form.pattern}"
            yield Problem(document.source, key, message)


@DOCUMENT.check("NV109", Severity.ERROR, Uv.REFUSES, "a list is empty or repeats an entry")
def check_lists(document: Document) -> Iterator[Problem]:
    """Report lists that must hold something, each thing once."""
    lists = {"default-priorities/namespace": document.namespaces}
    for label, variant in document.variants.items():
        for namespace, features in variant.items():
            for feature, values in features.items():
                lists[f"variants/{label}/{namespace}/{feature}"] = values
    for key, values in lists.items():
        if not values and _is_written(document, key):
            yield Problem(document.source, key, "the list is empty")
        for value in sorted(text for text, count in Counter(values).items() if count > 1):
            yield Problem(document.source, key, f"{_short(value)} is there more than once")


@DOCUMENT.check("NV110", Severity.NOTE, Uv.NONE, "values are not sorted")
def check_sorted(document: Document) -> Iterator[Problem]:
    """Report values out of order: the format wants them sorted, readers do not mind."""
    for label, variant in document.variants.items():
        for namespace, features in variant.items():
            for feature, values in features.items():
                if list(values) != sorted(values):
                    key = f"variants/{label}/{namespace}/{feature}"
                    yield Problem(document.source, key, "the format requires sorted values")


@DOCUMENT.check("NV111", Severity.ERROR, Uv.REFUSES, "the null variant states properties")
def check_null(document: Document) -> Iterator[Problem]:
    """Report properties under the label that stands for none."""
    if document.variants.get(NULL_LABEL):
        message = f"{NULL_LABEL} is the label without properties"
        yield Problem(document.source, f"variants/{NULL_LABEL}", message)


@DOCUMENT.check("NV112", Severity.ERROR, Uv.NONE, "a label without properties")
def check_without_properties(document: Document) -> Iterator[Problem]:
    """Report labels other than null that state nothing: such a wheel fits every machine.

    The schemas allow it and uv installs such a wheel; variantlib refuses the whole file.
    """
    for label, variant in document.variants.items():
        if label == NULL_LABEL or not isinstance(_at(document, ("variants",)).get(label), dict):
            continue
        where = f"variants/{label}"
        if not variant:
            message = f"no properties; the variant without any has the label {NULL_LABEL}"
            yield Problem(document.source, where, message)
        for namespace, features in variant.items():
            if not features:
                yield Problem(document.source, f"{where}/{namespace}", "no features")


@DOCUMENT.check("NV113", Severity.ERROR, Uv.NONE, "providers under the schema of PEP 825")
def check_providers_of_825(document: Document) -> Iterator[Problem]:
    """Report provider entries in a file whose format has none."""
    if document.schema == SCHEMA_825 and "providers" in document.raw:
        message = f"the schema of PEP 825 has no providers; expected {SCHEMA_850}"
        yield Problem(document.source, "providers", message)


@DOCUMENT.check("NV114", Severity.ERROR, Uv.NONE, "a project's requirement has a variant marker")
def check_project_markers(document: Document) -> Iterator[Problem]:
    """Report variant markers in pyproject.toml: every wheel built from it is refused."""
    source = document.source.removesuffix("[variant]")
    for key, text in document.requirements:
        if has_marker(text):
            yield Problem(source, key, f"{text:.90}: {WHO_REFUSES_MARKERS}")
        elif fault := fault_of_marker(text):
            yield Problem(source, key, fault)


@DOCUMENT.check("NV115", Severity.ERROR, Uv.NONE, "an unsupported version of the format")
def check_schema_supported(document: Document) -> Iterator[Problem]:
    """Report a ``$schema`` whose format a reader may not guess at; uv does not look at it."""
    standing = Standing.KNOWN if document.schema is None else standing_of(document.schema)
    if standing in {Standing.UNKNOWN_MAJOR, Standing.UNKNOWN}:
        seen = _short(str(document.schema))
        message = f"{standing.value}: {seen}; expected {SCHEMA_850}"
        yield Problem(document.source, "$schema", message)


def _named(document: Document) -> Iterator[tuple[str, str, re.Pattern[str]]]:
    """Yield every name and value with the key it is under and the form it must have."""
    for namespace in document.namespaces:
        yield "default-priorities/namespace", namespace, _NAME
    for namespace in document.providers:
        yield "providers", namespace, _NAME
    for label, variant in document.variants.items():
        yield "variants", label, _VALUE
        for namespace, features in variant.items():
            yield f"variants/{label}", namespace, _NAME
            for feature, values in features.items():
                where = f"variants/{label}/{namespace}"
                yield where, feature, _NAME
                for value in values:
                    yield f"{where}/{feature}", value, _VALUE


def _levels(
    document: Document,
) -> Iterator[tuple[tuple[str, ...], frozenset[str], frozenset[str]]]:
    """Yield every object with fixed keys: its path, the keys it may have, those it once had."""
    pyproject = document.kind is Kind.PYPROJECT
    top = TOP_KEYS - {"$schema", "variants"} if pyproject else TOP_KEYS
    yield (), top, _DRAFT_TOP
    yield ("default-priorities",), PRIORITY_KEYS, _DRAFT_PRIORITIES
    provider = PROVIDER_KEYS | {"build-requires"} if pyproject else PROVIDER_KEYS
    for name in document.providers:
        yield ("providers", name), provider, _DRAFT_PROVIDER


def _at(document: Document, path: tuple[str, ...]) -> dict[str, object]:
    value = document.raw
    for step in path:
        value = mapping(value.get(step))
    return dict(value)


def _is_written(document: Document, key: str) -> bool:
    """Tell whether the list is there as a list of texts; NV107 has the rest."""
    *path, last = key.split("/")
    value = _at(document, tuple(path)).get(last)
    return isinstance(value, list) and not value


def _provider_shapes(document: Document) -> Iterator[Problem]:
    for name, entry in mapping(document.raw.get("providers")).items():
        if not isinstance(entry, dict):
            yield _mistyped(document, f"providers/{name}", entry, dict)
    for name, provider in document.providers.items():
        for key, expected in _PROVIDER_TYPES.items():
            where = f"providers/{name}/{key}"
            if key in provider and not isinstance(provider[key], expected):
                yield _mistyped(document, where, provider[key], expected)
            elif expected is list and key in provider:
                yield from _entries(document, where, provider[key])
        for feature, values in mapping(provider.get("static-properties")).items():
            yield from _entries(document, f"providers/{name}/static-properties/{feature}", values)
    namespaces = mapping(document.raw.get("default-priorities")).get("namespace")
    if isinstance(namespaces, list):
        yield from _entries(document, "default-priorities/namespace", namespaces)


def _variant_shapes(document: Document) -> Iterator[Problem]:
    for label, variant in mapping(document.raw.get("variants")).items():
        if not isinstance(variant, dict):
            yield _mistyped(document, f"variants/{label}", variant, dict)
        for namespace, features in mapping(variant).items():
            where = f"variants/{label}/{namespace}"
            if not isinstance(features, dict):
                yield _mistyped(document, where, features, dict)
            for feature, values in mapping(features).items():
                yield from _entries(document, f"{where}/{feature}", values)


def _entries(document: Document, where: str, values: object) -> Iterator[Problem]:
    if not isinstance(values, list):
        yield _mistyped(document, where, values, list)
    elif mistyped := [value for value in values if not isinstance(value, str)]:
        yield _mistyped(document, where, mistyped[0], str)


_TYPES: Final = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}


def _mistyped(document: Document, key: str, seen: object, expected: type) -> Problem:
    shown = "nothing" if seen is None else _short(json.dumps(seen, default=str))
    return Problem(document.source, key, f"seen {shown}, expected {_TYPES[expected]}")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
