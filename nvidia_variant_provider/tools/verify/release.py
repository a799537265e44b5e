"""The checks of a release: what its wheels state must not contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from nvidia_variant_provider.tools.findings.model import Finding, Problem, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.verify.wheel import ExaminedWheel

LABEL: Final = Rule(
    "NV370", Severity.ERROR, "one label with different properties in wheels of a release"
)
PROVIDERS: Final = Rule(
    "NV371", Severity.ERROR, "different providers of a namespace in wheels of a release"
)
RULES: Final = (LABEL, PROVIDERS)


def check_release(wheels: Sequence[ExaminedWheel]) -> Iterator[Finding]:
    """Compare the wheels of each release with the first one that says something of the matter."""
    variants: dict[tuple[str, str, str], ExaminedWheel] = {}
    providers: dict[tuple[str, str, str], ExaminedWheel] = {}
    for wheel in wheels:
        release = (canonicalize_name(wheel.name.name), wheel.name.version)
        first = variants.setdefault((*release, wheel.name.label), wheel)
        label = wheel.name.label
        if wheel.properties != first.properties:
            text = f"{_difference(wheel, first)}; {first.file_name} differs"
            yield Finding(LABEL, Problem(wheel.path, label, text))
        for namespace, provider in (wheel.metadata.providers or {}).items():
            other = providers.setdefault((*release, namespace), wheel)
            if provider != (other.metadata.providers or {})[namespace]:
                text = f"the entry differs from that in {other.file_name}"
                yield Finding(PROVIDERS, Problem(wheel.path, namespace, text))


def _difference(wheel: ExaminedWheel, first: ExaminedWheel) -> str:
    own, other = _properties(wheel), _properties(first)
    parts = [("states", own - other), ("does not state", other - own)]
    return ", ".join(
        f"{word} {' '.join(sorted(properties))}" for word, properties in parts if properties
    )


def _properties(wheel: ExaminedWheel) -> set[str]:
    return {
        f"{namespace}::{feature}::{value}"
        for namespace, features in wheel.properties.items()
        for feature, values in features.items()
        for value in values
    }
