"""Who answers for a namespace, and by which rule set."""

from __future__ import annotations

from typing import Final

import pytest

from nvidia_variant_provider import __version__
from nvidia_variant_provider.rules import DEFAULT_RULES
from nvidia_variant_provider.tools.explain.answering import rules_of, unanswered
from nvidia_variant_provider.tools.installers.table import PIP, PROVIDER, UV, Installer
from nvidia_variant_provider.tools.metadata.document import (
    NVIDIA_ENDPOINT,
    NVIDIA_MODULE,
    NVIDIA_PACKAGE,
    NVIDIA_REQUIREMENT,
    SCHEMA_850,
)
from nvidia_variant_provider.tools.metadata.model import Provider, VariantMetadata

OURS: Final = Provider((NVIDIA_REQUIREMENT,), NVIDIA_ENDPOINT)


def metadata(namespace: str = "nvidia", provider: Provider | None = OURS) -> VariantMetadata:
    """Return metadata with one namespace; without a provider the key is missing."""
    providers = None if provider is None else {namespace: provider}
    return VariantMetadata(SCHEMA_850, (namespace,), {}, providers)


@pytest.mark.parametrize(
    "provider",
    [
        OURS,
        Provider((NVIDIA_REQUIREMENT,)),
        Provider((NVIDIA_REQUIREMENT,), NVIDIA_MODULE),
        Provider(("others-first", NVIDIA_REQUIREMENT), NVIDIA_ENDPOINT),
        Provider(static_properties={}),
    ],
)
def test_an_entry_of_this_package_is_answered(provider: Provider) -> None:
    assert unanswered(metadata(provider=provider), PROVIDER) == {}


@pytest.mark.parametrize(
    ("provider", "reason"),
    [
        (None, "the metadata names no provider for it"),
        (Provider(builtin="cuda"), "the installer answers itself (cuda)"),
        (
            Provider((NVIDIA_REQUIREMENT,), "other:Plugin"),
            f"its 'plugin-api' is not {NVIDIA_ENDPOINT}, and asking anything else fails",
        ),
        (
            Provider(("others-first", NVIDIA_REQUIREMENT)),
            "without a 'plugin-api' the first of 'requires' is asked: others-first",
        ),
        (
            Provider((f"{NVIDIA_PACKAGE}>=99",), NVIDIA_ENDPOINT),
            f"'requires' excludes this provider's version {__version__}: {NVIDIA_PACKAGE}>=99",
        ),
        (
            Provider(("other",), NVIDIA_ENDPOINT),
            "'requires' does not name nvidia-variant-provider",
        ),
    ],
)
def test_who_is_not_asked_is_said_with_the_reason(provider: Provider | None, reason: str) -> None:
    assert unanswered(metadata(provider=provider), PROVIDER) == {"nvidia": reason}


def test_an_optional_provider_is_asked_where_it_is_enabled() -> None:
    optional = metadata(provider=Provider((NVIDIA_REQUIREMENT,), NVIDIA_ENDPOINT, optional=True))
    reason = "an optional provider is asked only where the user enables it"

    assert unanswered(optional, PROVIDER) == {"nvidia": reason}
    assert unanswered(optional, PROVIDER, ["nvidia"]) == {}


def test_a_provider_of_others_is_not_asked_here() -> None:
    reason = "another provider answers for it, which is not asked here"

    assert unanswered(metadata("amd"), PROVIDER) == {"amd": reason}


@pytest.mark.parametrize(
    ("plugin_api", "rules"),
    [
        (None, DEFAULT_RULES),
        (NVIDIA_ENDPOINT, DEFAULT_RULES),
        (NVIDIA_ENDPOINT.replace(":", " : "), DEFAULT_RULES),
        ("other:Plugin", DEFAULT_RULES),
        (f"{NVIDIA_ENDPOINT}V0", 0),
    ],
)
def test_the_endpoint_that_is_asked_decides_the_rule_set(
    plugin_api: str | None, rules: int
) -> None:
    assert rules_of(metadata(provider=Provider((), plugin_api)), PROVIDER) == rules


@pytest.mark.parametrize(("installer", "rules"), [(PROVIDER, 1), (UV, 0), (PIP, 1)])
def test_without_an_entry_the_installer_decides_the_rule_set(
    installer: Installer, rules: int
) -> None:
    assert rules_of(metadata(provider=None), installer) == rules
