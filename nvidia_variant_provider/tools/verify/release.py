"""The checks of a release: what its wheels state must not contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from nvidia_variant_provider.tools.findings.model import Finding, Problem, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.verify.facts import WheelFacts

LABEL: Final = Rule(
    "NV370", Severity.ERROR, "one label with different properties in wheels of a release"
)
PROVIDERS: Final = Rule(
    "NV371", Severity.ERROR, "different providers of a namespace in wheels of a release"
)
RULES: Final = (LABEL, PROVIDERS)


def check_release(wheels: Sequence[WheelFacts]) -> Iterator[Finding]:
    """Compare the wheels of each release with the first one that says something of the matter."""
    variants: dict[tuple[str, str, str], WheelFacts] = {}
    providers: dict[tuple[str, str, str], WheelFacts] = {}
    for facts in wheels:
        release = (canonicalize_name(facts.name.name), facts.name.version)
        first = variants.setdefault((*release, facts.name.label), facts)
        label = facts.name.label
        if facts.metadata.variants[label] != first.metadata.variants[label]:
            text = f"{_difference(facts, first)}; {first.wheel} differs"
            yield Finding(LABEL, Problem(facts.path, label, text))
        for namespace, provider in (facts.metadata.providers or {}).items():
            other = providers.setdefault((*release, namespace), facts)
            if provider != (other.metadata.providers or {})[namespace]:
                text = f"the entry differs from that in {other.wheel}"
                yield Finding(PROVIDERS, Problem(facts.path, namespace, text))


def _difference(facts: WheelFacts, first: WheelFacts) -> str:
    own, other = (_properties(one) for one in (facts, first))
    parts = [("states", own - other), ("does not state", other - own)]
    return ", ".join(f"{word} {' '.join(sorted(found))}" for word, found in parts if found)


def _properties(facts: WheelFacts) -> set[str]:
    return {
        f"{namespace}::{feature}::{value}"
        for namespace, features in facts.metadata.variants[facts.name.label].items()
        for feature, values in features.items()
        for value in values
    }
