"""Namespaces that no plugin answers for at installation: their values, where PEP 850 has them.

Draft 0.0.2 kept the values under ``default-priorities/property``, 0.0.3 in a table of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.convert.draft import Draft, Json


def convert_static(draft: Draft) -> None:
    """Give each such namespace its values; refuses those whose order the file does not tell."""
    tables = draft.document.pop("static-properties", {})
    for namespace, provider in draft.providers.items():
        if _is_static(provider):
            _make_static(draft, namespace, provider, tables.pop(namespace, None))
    for namespace, values in tables.items():
        if namespace in draft.providers:
            advice = "fixed values only for a namespace whose plugin is not asked"
            raise draft.refuse(f"static-properties/{namespace}", values, advice)
        draft.document.setdefault("providers", {})[namespace] = {"static-properties": values}
        draft.change(
            f"static-properties/{namespace}",
            f"moved to providers/{namespace}",
            "PEP 850 keeps fixed values with their provider",
        )
        _order_features(draft, namespace)


def _is_static(provider: Json) -> bool:
    """Tell whether a draft says that no plugin is asked at installation."""
    without = provider.get("plugin-use") in ("none", "build")
    return without or provider.get("install-time") is False


def _make_static(draft: Draft, namespace: str, provider: Json, values: Json | None) -> None:
    where = f"providers/{namespace}"
    if values is not None:
        origin = f"static-properties/{namespace}"
    else:
        values = draft.priorities.get("property", {}).pop(namespace, None)
        origin = f"default-priorities/property/{namespace}"
    if not values and draft.is_project and provider.get("requires"):
        _ask_at_build(draft, where, provider)
        return
    if not values:
        advice = "the values in their order, which the file does not have"
        raise draft.refuse(where, provider, advice)
    _refuse_unlisted(draft, namespace, values)
    for key in ("plugin-use", "install-time", "enable-if"):
        provider.pop(key, None)
    _retire_plugin(draft, where, provider)
    provider["static-properties"] = values
    reason = "no plugin answers at installation, so PEP 850 has the values with the provider"
    draft.change(origin, f"moved to {where}/static-properties", reason)
    _order_features(draft, namespace)


def _retire_plugin(draft: Draft, where: str, provider: Json) -> None:
    """Take away the plugin, which was for building: values and a plugin exclude each other."""
    provider.pop("plugin-api", None)
    for key in ("requires", "build-requires"):
        if requires := provider.pop(key, []):
            reason = "the plugin was for building, and the values are stated: one of both"
            draft.change(f"{where}/{key}", f"removed {requires}", reason)


def _ask_at_build(draft: Draft, where: str, provider: Json) -> None:
    """Keep the plugin of a project that states no values: it supplies them when it is built."""
    for key in ("plugin-use", "install-time", "enable-if"):
        provider.pop(key, None)
    provider["build-requires"] = provider.pop("requires")
    reason = "the plugin is asked when the wheel is built, and not at installation"
    draft.change(f"{where}/requires", f"became build-requires of {where}", reason)


def _refuse_unlisted(draft: Draft, namespace: str, values: Json) -> None:
    for label, variant in draft.variants.items():
        for feature, stated in variant.get(namespace, {}).items():
            if unlisted := set(stated) - set(values.get(feature, ())):
                key = f"variants/{label}/{namespace}/{feature}"
                advice = "a value whose place in the order the file tells"
                raise draft.refuse(key, min(unlisted), advice)


def _order_features(draft: Draft, namespace: str) -> None:
    """Take the order of several static features from the priorities."""
    features = draft.providers[namespace]["static-properties"]
    order = draft.priorities.get("feature", {}).pop(namespace, None)
    if len(features) < 2:  # noqa: PLR2004 - one feature needs no order
        return
    if order is None or set(order) != set(features):
        advice = "all static features in default-priorities/feature, as their order counts"
        raise draft.refuse(f"default-priorities/feature/{namespace}", order, advice)
    draft.providers[namespace]["feature-order"] = order
    draft.change(
        f"default-priorities/feature/{namespace}",
        f"moved to providers/{namespace}/feature-order",
        "PEP 850 keeps the order with the values",
    )
