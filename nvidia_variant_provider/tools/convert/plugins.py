"""Namespaces that a plugin answers for: conditions and uses of the drafts, and the entry of uv."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from nvidia_variant_provider.tools.metadata.document import (
    NVIDIA_ENDPOINT,
    NVIDIA_NAMESPACE,
    NVIDIA_PACKAGE,
    UV_PROVIDER_VERSION,
)

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.convert.draft import Draft, Json

_UV_VERSION: Final = Version(UV_PROVIDER_VERSION)

# On a platform that a condition excludes, the provider's plugin finds no device and offers
# nothing, so the outcome is the same. Of other variables, the Python version say, that is not so.
_PLATFORM: Final = frozenset({"platform_system", "sys_platform", "os_name", "platform_machine"})
_VARIABLE: Final = re.compile(r"[a-z_]+")
_OPERATORS: Final = frozenset({"and", "or", "in", "not"})


def convert_plugins(draft: Draft) -> None:
    """Convert the entry of every namespace; refuses conditions that mean more than a platform."""
    for namespace, provider in draft.providers.items():
        where = f"providers/{namespace}"
        _drop_condition(draft, where, provider)
        _drop_use(draft, where, provider)
        if "build-requires" in provider and not draft.is_project:
            del provider["build-requires"]
            reason = "it belongs into pyproject.toml; readers refuse it here"
            draft.change(f"{where}/build-requires", "removed", reason)
        if namespace == NVIDIA_NAMESPACE and provider.get("requires"):
            _mend_nvidia(draft, where, provider)


def refuse_priorities(draft: Draft) -> None:
    """Refuse preferences that a package stated for a plugin: only the plugin has them now."""
    for key in ("feature", "property"):
        for namespace, order in draft.priorities.pop(key, {}).items():
            if order:
                advice = "no order of a plugin's features: remove it if the plugin's will do"
                where = f"default-priorities/{key}/{namespace}"
                raise draft.refuse(where, order, advice)


def may_be_dropped(condition: object) -> bool:
    """Tell whether an ``enable-if``, a PEP 508 marker, speaks of the platform only."""
    if not isinstance(condition, str):
        return False
    try:
        text = str(Marker(condition))
    except InvalidMarker:
        return False
    # What is quoted is a value; the rest is variables and operators.
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", " ", text)
    return set(_VARIABLE.findall(bare)) - _OPERATORS <= _PLATFORM


def _drop_condition(draft: Draft, where: str, provider: Json) -> None:
    condition = provider.get("enable-if")
    if condition is None:
        return
    if not may_be_dropped(condition):
        advice = "a condition on the platform only, as others cannot be kept: edit it"
        raise draft.refuse(f"{where}/enable-if", condition, advice)
    del provider["enable-if"]
    reason = "PEP 850 has no conditions; elsewhere the plugin offers nothing"
    draft.change(f"{where}/enable-if", f"removed {condition!r}", reason)


def _drop_use(draft: Draft, where: str, provider: Json) -> None:
    for key, meaning in (("install-time", True), ("plugin-use", "all")):
        if provider.get(key) == meaning:
            del provider[key]
            draft.change(f"{where}/{key}", "removed", "every plugin is asked at installation now")


def _mend_nvidia(draft: Draft, where: str, provider: Json) -> None:
    """Make the entry one that uv answers, where that takes nothing away."""
    widened = [_widened(text) for text in provider["requires"]]
    if widened != provider["requires"]:
        reason = (
            f"uv has its own copy of {UV_PROVIDER_VERSION} and would install the CPU build;"
            " the values mean the same there"
        )
        action = f"{provider['requires'][0]} became {widened[0]}"
        draft.change(f"{where}/requires", action, reason)
        provider["requires"] = widened
    endpoint = provider.get("plugin-api")
    tightened = "".join(endpoint.split()) if isinstance(endpoint, str) else NVIDIA_ENDPOINT
    is_ours = [_package(requirement) for requirement in widened] == [NVIDIA_PACKAGE]
    if tightened == NVIDIA_ENDPOINT != endpoint and is_ours:
        provider["plugin-api"] = NVIDIA_ENDPOINT
        draft.change(f"{where}/plugin-api", f"became {NVIDIA_ENDPOINT}", "uv compares it as a text")


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
    if _package(text) != NVIDIA_PACKAGE:
        return text
    bounds = list(Requirement(text).specifier)
    lower = [
        bound for bound in bounds if bound.operator == ">=" and Version(bound.version) > _UV_VERSION
    ]
    others = [specifier for specifier in bounds if specifier not in lower]
    if not lower or not all(specifier.contains(UV_PROVIDER_VERSION) for specifier in others):
        return text
    # Specifiers have no order of their own: the lower bound first, as people write it.
    bound = f">={UV_PROVIDER_VERSION}"
    return NVIDIA_PACKAGE + ",".join([bound, *sorted(str(specifier) for specifier in others)])
