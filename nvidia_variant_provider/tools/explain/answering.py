"""Which namespaces of a release nobody answers for, under this provider and under uv."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.installers.table import UV
from nvidia_variant_provider.tools.metadata.document import (
    NVIDIA_ENDPOINT,
    NVIDIA_NAMESPACE,
    NVIDIA_PACKAGE,
)
from nvidia_variant_provider.tools.metadata.uv import uv_skips

if TYPE_CHECKING:
    from collections.abc import Collection

    from nvidia_variant_provider.tools.installers.table import Installer
    from nvidia_variant_provider.tools.metadata.model import Provider, VariantMetadata


_NOT_ENABLED: Final = "an optional provider is asked only where the user enables it"


def unanswered(
    metadata: VariantMetadata, installer: Installer, enabled: Collection[str] = ()
) -> dict[str, str]:
    """Return the namespaces that nobody answers for, with the reason.

    ``enabled`` are those whose optional provider the user enabled.
    """
    found = {}
    for namespace in metadata.namespaces:
        provider = (metadata.providers or {}).get(namespace)
        if provider is None:
            found[namespace] = "the metadata names no provider for it"
        elif provider.optional and namespace not in enabled:
            found[namespace] = _NOT_ENABLED
        elif provider.is_static:
            continue
        elif namespace == NVIDIA_NAMESPACE:
            skipped = uv_skips(provider) if installer is UV else _we_are_skipped(provider)
            if skipped:
                found[namespace] = skipped
        else:
            found[namespace] = "another provider answers for it, which is not asked here"
    return found


def _we_are_skipped(provider: Provider) -> str:
    """Say why an installer that runs plugins would not get an answer; empty if it would."""
    if provider.builtin:
        return f"the installer answers itself ({provider.builtin})"
    if provider.plugin_api != NVIDIA_ENDPOINT:
        return f"its 'plugin-api' is not {NVIDIA_ENDPOINT}, and asking anything else fails"
    for text in provider.requires:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) == NVIDIA_PACKAGE:
            if not requirement.specifier.contains(__version__, prereleases=True):
                return f"'requires' excludes this provider's version {__version__}: {text}"
            return ""
    return "'requires' does not name nvidia-variant-provider"
