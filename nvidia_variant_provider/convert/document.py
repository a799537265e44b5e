"""One metadata document, from any draft to PEP 825 or PEP 850; pure.

The drafts: the unversioned root schema (0.0.1), 0.0.2, 0.0.3, and what variantlib 0.2.0 wrote,
the present format under the name of 0.0.3. docs/convert.md lists what becomes of every key.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from nvidia_variant_provider.convert.conditions import may_be_dropped
from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.metadata.document import SCHEMA_825, SCHEMA_850, UV_PROVIDER_VERSION
from nvidia_variant_provider.metadata.model import Specification
from nvidia_variant_provider.metadata.reading import parse_metadata
from nvidia_variant_provider.ordering import NULL_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.metadata.model import VariantMetadata

Json: TypeAlias = dict[str, Any]

NVIDIA: Final = "nvidia"
PACKAGE: Final = "nvidia-variant-provider"
ENDPOINT: Final = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
USUAL_REQUIREMENT: Final = f"{PACKAGE}>={UV_PROVIDER_VERSION},<1.0.0"

TARGETS: Final = {"825": Specification.PEP_825, "850": Specification.PEP_850}


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
    return _Converter(raw, source).run(target)


class _Converter:
    """The document on its way, and the changes made so far."""

    def __init__(self, raw: Mapping[str, Any], source: str) -> None:
        self._document: Json = deepcopy(dict(raw))
        self._source = source
        self._changes: list[Change] = []
        self._renamed: dict[str, str] = {}

    def run(self, target: Specification) -> Conversion:
        self._check_shape()
        self._convert_static()
        for namespace in self._providers:
            self._convert_provider(namespace)
        self._refuse_priorities()
        self._rename_null()
        self._sort_values()
        if target is Specification.PEP_825:
            self._to_825()
        else:
            self._to_850()
        # The reader that all tools share has the last word.
        metadata = parse_metadata(json.dumps(self._document).encode(), self._source)
        return Conversion(metadata, tuple(self._changes), self._renamed)

    @property
    def _providers(self) -> Json:
        providers: Json = self._document.get("providers", {})
        return providers

    @property
    def _priorities(self) -> Json:
        priorities: Json = self._document["default-priorities"]
        return priorities

    def _check_shape(self) -> None:
        """Refuse what is so wrong that no step below could look at it."""
        document = self._document
        self._table("default-priorities", document.get("default-priorities"))
        self._table("providers", document.get("providers", {}))
        for name, provider in self._providers.items():
            self._table(f"providers/{name}", provider)
            self._texts(f"providers/{name}/requires", provider.get("requires", []))
        self._lists("variants", document.get("variants"), depth=3)
        self._lists("static-properties", document.get("static-properties", {}), depth=2)
        for key, depth in (("feature", 1), ("property", 2)):
            self._lists(f"default-priorities/{key}", self._priorities.get(key, {}), depth=depth)

    def _lists(self, key: str, seen: object, *, depth: int) -> None:
        """Expect tables within tables, ``depth`` of them, that end in lists of texts."""
        if depth == 0:
            self._texts(key, seen)
            return
        for name, inner in self._table(key, seen).items():
            self._lists(f"{key}/{name}", inner, depth=depth - 1)

    def _table(self, key: str, seen: object) -> Json:
        if not isinstance(seen, dict):
            raise MetadataError(self._source, key, _short(seen), "an object")
        return seen

    def _texts(self, key: str, seen: object) -> None:
        if not isinstance(seen, list) or not all(isinstance(it, str) for it in seen):
            raise MetadataError(self._source, key, _short(seen), "a list of texts")

    def _change(self, key: str, action: str, reason: str) -> None:
        self._changes.append(Change(key, action, reason))

    def _refuse(self, key: str, seen: object, advice: str) -> ConversionRefusedError:
        return ConversionRefusedError(self._source, key, _short(seen), advice)

    def _convert_static(self) -> None:
        """Give each namespace without a plugin at installation its values where PEP 850 has them.

        0.0.2 kept them under ``default-priorities/property``, 0.0.3 in a table of their own.
        """
        tables = self._document.pop("static-properties", {})
        for namespace, provider in self._providers.items():
            if provider.get("plugin-use") in {"none", "build"} or (
                provider.get("install-time") is False
            ):
                self._make_static(namespace, provider, tables.pop(namespace, None))
        for namespace, values in tables.items():
            if namespace in self._providers:
                advice = "fixed values only for a namespace whose plugin is not asked"
                raise self._refuse(f"static-properties/{namespace}", values, advice)
            self._document.setdefault("providers", {})[namespace] = {"static-properties": values}
            self._change(
                f"static-properties/{namespace}",
                f"moved to providers/{namespace}",
                "PEP 850 keeps fixed values with their provider",
            )
            self._order_features(namespace)

    def _make_static(self, namespace: str, provider: Json, values: Json | None) -> None:
        where = f"providers/{namespace}"
        if values is not None:
            origin = f"static-properties/{namespace}"
        else:
            values = self._priorities.get("property", {}).pop(namespace, None)
            origin = f"default-priorities/property/{namespace}"
        if not values:
            advice = "the values in their order, which the file does not have"
            raise self._refuse(where, provider, advice)
        self._refuse_unlisted(namespace, values)
        for key in ("plugin-use", "install-time", "enable-if", "plugin-api"):
            provider.pop(key, None)
        if requires := provider.pop("requires", []):
            reason = "the plugin was used for building only; pyproject.toml has 'build-requires'"
            self._change(f"{where}/requires", f"removed {requires}", reason)
        provider["static-properties"] = values
        reason = "no plugin answers at installation, so PEP 850 has the values with the provider"
        self._change(origin, f"moved to {where}/static-properties", reason)
        self._order_features(namespace)

    def _refuse_unlisted(self, namespace: str, values: Json) -> None:
        for label, variant in self._document["variants"].items():
            for feature, stated in variant.get(namespace, {}).items():
                if unlisted := set(stated) - set(values.get(feature, ())):
                    key = f"variants/{label}/{namespace}/{feature}"
                    advice = "a value whose place in the order the file tells"
                    raise self._refuse(key, min(unlisted), advice)

    def _order_features(self, namespace: str) -> None:
        """Take the order of several static features from the priorities."""
        features = self._providers[namespace]["static-properties"]
        order = self._priorities.get("feature", {}).pop(namespace, None)
        if len(features) < 2:  # noqa: PLR2004 - one feature needs no order
            return
        if order is None or set(order) != set(features):
            advice = "all static features in default-priorities/feature, as their order counts"
            raise self._refuse(f"default-priorities/feature/{namespace}", order, advice)
        self._providers[namespace]["feature-order"] = order
        self._change(
            f"default-priorities/feature/{namespace}",
            f"moved to providers/{namespace}/feature-order",
            "PEP 850 keeps the order with the values",
        )

    def _convert_provider(self, namespace: str) -> None:
        provider, where = self._providers[namespace], f"providers/{namespace}"
        if (condition := provider.get("enable-if")) is not None:
            if not may_be_dropped(condition):
                advice = "a condition on the platform only, as others cannot be kept: edit it"
                raise self._refuse(f"{where}/enable-if", condition, advice)
            del provider["enable-if"]
            reason = "PEP 850 has no conditions; elsewhere the plugin offers nothing"
            self._change(f"{where}/enable-if", f"removed {condition!r}", reason)
        for key, meaning in (("install-time", True), ("plugin-use", "all")):
            if provider.get(key) == meaning:
                del provider[key]
                reason = "every plugin is asked at installation now"
                self._change(f"{where}/{key}", "removed", reason)
        if "build-requires" in provider:
            del provider["build-requires"]
            reason = "it belongs into pyproject.toml; readers refuse it here"
            self._change(f"{where}/build-requires", "removed", reason)
        if namespace == NVIDIA and provider.get("requires"):
            self._mend_nvidia(provider, where)

    def _mend_nvidia(self, provider: Json, where: str) -> None:
        """Make the entry one that uv answers, where that takes nothing away."""
        widened = [_widened(text) for text in provider["requires"]]
        if widened != provider["requires"]:
            reason = (
                f"uv has its own copy of {UV_PROVIDER_VERSION} and would install the CPU build;"
                " the values mean the same there"
            )
            action = f"{provider['requires'][0]} became {widened[0]}"
            self._change(f"{where}/requires", action, reason)
            provider["requires"] = widened
        endpoint = provider.get("plugin-api")
        tightened = "".join(endpoint.split()) if isinstance(endpoint, str) else ENDPOINT
        if tightened == ENDPOINT != endpoint and [_package(it) for it in widened] == [PACKAGE]:
            provider["plugin-api"] = ENDPOINT
            reason = "uv compares it as a text"
            self._change(f"{where}/plugin-api", f"became {ENDPOINT}", reason)

    def _refuse_priorities(self) -> None:
        """Refuse preferences that a package stated for a plugin: only the plugin has them now."""
        for key in ("feature", "property"):
            for namespace, order in self._priorities.pop(key, {}).items():
                if order:
                    advice = "no order of a plugin's features: remove it if the plugin's will do"
                    where = f"default-priorities/{key}/{namespace}"
                    raise self._refuse(where, order, advice)

    def _rename_null(self) -> None:
        variants: Json = self._document["variants"]
        empty = [label for label, variant in variants.items() if not variant]
        if empty in ([], [NULL_LABEL]):
            return
        if len(empty) > 1:
            advice = f"one variant without properties, whose label is {NULL_LABEL}"
            raise self._refuse("variants", ", ".join(empty), advice)
        (label,) = empty
        if NULL_LABEL in variants:
            raise self._refuse(f"variants/{NULL_LABEL}", variants[NULL_LABEL], "no properties")
        self._document["variants"] = {
            NULL_LABEL if name == label else name: variant for name, variant in variants.items()
        }
        self._renamed[label] = NULL_LABEL
        reason = "the variant without properties has this label now"
        self._change(f"variants/{label}", f"renamed to {NULL_LABEL}", reason)

    def _sort_values(self) -> None:
        unsorted = [
            f"variants/{label}/{namespace}/{feature}"
            for label, variant in self._document["variants"].items()
            for namespace, features in variant.items()
            for feature, values in features.items()
            if values != sorted(values)
        ]
        if unsorted:
            more = f" and in {len(unsorted) - 1} more lists" if len(unsorted) > 1 else ""
            reason = "the format wants it, so that equal metadata is equal text"
            self._change(unsorted[0], f"values sorted{more}", reason)

    def _to_825(self) -> None:
        for namespace, provider in self._providers.items():
            if "static-properties" in provider or "builtin" in provider:
                advice = "plugins only, as PEP 825 has no place for values: convert to 850"
                raise self._refuse(f"providers/{namespace}", provider, advice)
        if self._document.pop("providers", None) is not None:
            reason = (
                "PEP 825 leaves them to the installer; uv then uses null only, variantlib refuses"
            )
            self._change("providers", "removed", reason)
        self._set_schema(SCHEMA_825)

    def _to_850(self) -> None:
        if "providers" not in self._document:
            namespaces = self._priorities.get("namespace")
            if namespaces != [NVIDIA]:
                advice = f"only {NVIDIA}, the one namespace whose provider is known here"
                raise self._refuse("default-priorities/namespace", namespaces, advice)
            self._document["providers"] = {
                NVIDIA: {"requires": [USUAL_REQUIREMENT], "plugin-api": ENDPOINT}
            }
            reason = "PEP 850 names who answers; uv uses no variant otherwise"
            self._change(f"providers/{NVIDIA}", f"added {USUAL_REQUIREMENT}", reason)
        self._set_schema(SCHEMA_850)

    def _set_schema(self, wanted: str) -> None:
        before = self._document.get("$schema")
        if before != wanted:
            self._document["$schema"] = wanted
            self._change("$schema", f"{_short(before)} became {wanted}", "the format of this file")


def _package(text: str) -> str:
    """Return the normalised name of a plain requirement; "" for one with more than versions."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return ""
    more = requirement.extras or requirement.marker or requirement.url
    return "" if more else canonicalize_name(requirement.name)


def _widened(text: str) -> str:
    """Return the requirement with a lower bound that admits uv's copy, if only that is amiss."""
    if _package(text) != PACKAGE:
        return text
    bounds = list(Requirement(text).specifier)
    lower = [it for it in bounds if it.operator == ">=" and Version(it.version) > _UV_VERSION]
    others = [it for it in bounds if it not in lower]
    if not lower or not all(it.contains(UV_PROVIDER_VERSION) for it in others):
        return text
    # Specifiers have no order of their own: the lower bound first, as people write it.
    return PACKAGE + ",".join([f">={UV_PROVIDER_VERSION}", *sorted(str(it) for it in others)])


_UV_VERSION: Final = Version(UV_PROVIDER_VERSION)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_SHOWN: Final = 60
