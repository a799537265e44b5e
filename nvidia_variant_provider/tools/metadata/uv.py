"""The form of a provider entry that uv answers for; any other it passes over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider.tools.metadata.document import (
    NVIDIA_ENDPOINT,
    NVIDIA_PACKAGE,
    UV_PROVIDER_VERSION,
)

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.metadata.model import Provider


def uv_skips(provider: Provider) -> str | None:
    """Tell why uv would not answer for the namespace ``nvidia``; ``None`` if it does.

    uv runs no plugin. It has its own copy of this provider's version 0.0.1 and uses it only for
    an entry of a certain form; otherwise every variant that needs the namespace is passed over
    without a word and the CPU build is installed.
    """
    if provider.is_static or provider.builtin:
        return None
    if len(provider.requires) != 1:
        return "uv requires exactly one entry in 'requires'"
    try:
        requirement = Requirement(provider.requires[0])
    except InvalidRequirement:
        return "uv cannot read the entry in 'requires'"
    checks = (
        (provider.optional, "uv does not use an optional provider"),
        (canonicalize_name(requirement.name) != NVIDIA_PACKAGE, f"uv requires {NVIDIA_PACKAGE}"),
        (bool(requirement.extras or requirement.marker or requirement.url),
         "uv accepts no extras, marker or URL in 'requires'"),
        (UV_PROVIDER_VERSION not in requirement.specifier,
         f"uv's copy is version {UV_PROVIDER_VERSION}, which 'requires' excludes"),
        (provider.plugin_api != NVIDIA_ENDPOINT,
         f"uv requires the 'plugin-api' {NVIDIA_ENDPOINT}, to the letter"),
    )  # fmt: skip
    return next((reason for failed, reason in checks if failed), None)
