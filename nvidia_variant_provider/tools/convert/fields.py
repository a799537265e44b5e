"""The ``Variant-*`` fields of METADATA, in which variantlib 0.0.1 kept what variant.json has now.

Read from the wheels that variantlib 0.0.1.post1 writes: ``Variant-property: a :: b :: c`` and
``Variant-hash`` (the label), ``Variant-requires`` and the like with ``namespace:`` before the
value, and priorities in one line each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import MetadataError

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.convert.draft import Json

# A field with its folded lines.
_FIELD: Final = re.compile(rb"(?mi)^(Variant-[A-Za-z-]+):([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)\r?\n")
_BODY: Final = re.compile(rb"\r?\n\r?\n")
_PRIORITIES: Final = re.compile(r"variant-default-(namespace|feature|property)-priorities")
_OF_PROVIDER: Final = {
    "variant-requires": "requires",
    "variant-enable-if": "enable-if",
    "variant-plugin-api": "plugin-api",
}
_PARTS: Final = 3


def split_fields(metadata: bytes) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """Return METADATA without these fields, and the fields: lower-case name and value."""
    match = _BODY.search(metadata)
    # The last line of the header ends where the blank line begins.
    end = match.start() + len(match[0]) // 2 if match else len(metadata)
    head, body = metadata[:end], metadata[end:]
    fields = tuple(
        (match[1].decode("ascii").lower(), " ".join(match[2].decode("utf-8", "replace").split()))
        for match in _FIELD.finditer(head)
    )
    return _FIELD.sub(b"", head) + body, fields


def to_draft(fields: tuple[tuple[str, str], ...], source: str, label: str) -> Json:
    """Return the document that the fields amount to, in the draft of 0.0.1.

    Raises ``MetadataError`` for a field that is not of its form, and for the hash of another
    label than the wheel's.
    """
    document: Json = {"default-priorities": {}, "providers": {}, "variants": {label: {}}}
    for name, value in fields:
        if name == "variant-property":
            namespace, feature, stated = _split(source, name, value)
            features = document["variants"][label].setdefault(namespace, {})
            features.setdefault(feature, []).append(stated)
        elif name == "variant-hash":
            if value != label:
                raise MetadataError(source, name, value, f"{label}, the label of the file name")
        elif match := _PRIORITIES.fullmatch(name):
            listed = [part.strip() for part in value.split(",") if part.strip()]
            document["default-priorities"][match[1]] = listed
        elif key := _OF_PROVIDER.get(name):
            _add_to_provider(document["providers"], key, *_of_namespace(source, name, value))
        else:
            raise MetadataError(source, name, value, "a field that variantlib 0.0.1 wrote")
    return document


def _add_to_provider(providers: Json, key: str, namespace: str, value: str) -> None:
    provider = providers.setdefault(namespace, {})
    if key == "requires":
        provider.setdefault(key, []).append(value)
    else:
        provider[key] = value


def _of_namespace(source: str, name: str, value: str) -> tuple[str, str]:
    namespace, colon, rest = value.partition(":")
    if not colon:
        raise MetadataError(source, name, value, "a namespace, a colon and the value")
    return namespace.strip(), rest.strip()


def _split(source: str, name: str, value: str) -> list[str]:
    steps = [part.strip() for part in value.split("::")]
    if len(steps) != _PARTS:
        raise MetadataError(source, name, value, "namespace :: feature :: value")
    return steps
