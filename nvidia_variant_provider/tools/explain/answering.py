"""Which namespaces of a release nobody answers for, under this provider and under uv."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider import __version__
from nvidia_variant_provider.rules import DEFAULT_RULES
from nvidia_variant_provider.tools.installers.table import PROVIDER, UV
from nvidia_variant_provider.tools.metadata.document import (
    NVIDIA_ENDPOINT,
    NVIDIA_MODULE,
    NVIDIA_NAMESPACE,
    NVIDIA_PACKAGE,
)
from nvidia_variant_provider.tools.metadata.uv import uv_skips

if TYPE_CHECKING:
    from collections.abc import Collection

    from nvidia_variant_provider.tools.installers.table import Installer
    from nvidia_variant_provider.tools.metadata.model import Provider, VariantMetadata


# The endpoints of this package, with the rule set that each follows; without one the package is
# asked itself, as long as it is named first.
ENDPOINTS: Final = {
    NVIDIA_ENDPOINT: DEFAULT_RULES,
    NVIDIA_MODULE: DEFAULT_RULES,
    f"{NVIDIA_ENDPOINT}V0": 0,
}

ANOTHER: Final = "another provider answers for it, which is not asked here"
_NOT_ENABLED: Final = "an optional provider is asked only where the user enables it"


def unanswered(
    metadata: VariantMetadata, installer: Installer, enabled: Collection[str] = ()
) -> dict[str, str]:
    """Return the namespaces that nobody answers for, with the reason.

    ``enabled`` are those whose optional provider the user enabled.
    """
    reasons = {}
    for namespace in metadata.namespaces:
        provider = (metadata.providers or {}).get(namespace)
        if provider is None:
            reasons[namespace] = "the metadata names no provider for it"
        elif provider.optional and namespace not in enabled:
            reasons[namespace] = _NOT_ENABLED
        elif provider.is_static:
            continue
        elif namespace == NVIDIA_NAMESPACE:
            skipped = uv_skips(provider) if installer is UV else _we_are_skipped(provider)
            if skipped:
                reasons[namespace] = skipped
        else:
            reasons[namespace] = ANOTHER
    return reasons


def rules_of(metadata: VariantMetadata, installer: Installer) -> int:
    """Return the rule set that answers for ``nvidia``: the endpoint's, for who asks the plugin."""
    if installer is not PROVIDER:
        return DEFAULT_RULES if installer.rules is None else installer.rules
    provider = (metadata.providers or {}).get(NVIDIA_NAMESPACE)
    named = provider.plugin_api if provider else None
    return ENDPOINTS.get("".join((named or NVIDIA_ENDPOINT).split()), DEFAULT_RULES)


def _we_are_skipped(provider: Provider) -> str:
    """Say why an installer that runs plugins would not get an answer; empty if it would."""
    if provider.builtin:
        return f"the installer answers itself ({provider.builtin})"
    if provider.plugin_api is not None and provider.plugin_api not in ENDPOINTS:
        return f"its 'plugin-api' is not {NVIDIA_ENDPOINT}, and asking anything else fails"
    if provider.plugin_api is None and _project(provider.requires[0]) != NVIDIA_PACKAGE:
        return f"without a 'plugin-api' the first of 'requires' is asked: {provider.requires[0]}"
    for text in provider.requires:
        if _project(text) == NVIDIA_PACKAGE:
            if not Requirement(text).specifier.contains(__version__, prereleases=True):
                return f"'requires' excludes this provider's version {__version__}: {text}"
            return ""
    return "'requires' does not name nvidia-variant-provider"


def _project(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)
