"""NV6xx: the properties that variants state, against the providers that answer for them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import CudaVersion, SmArch
from nvidia_variant_provider.rules import catalogue
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH, UPPER_BOUND, bound_values
from nvidia_variant_provider.rules.version0 import OLDEST_CAPABILITY
from nvidia_variant_provider.tools.findings.model import Problem, Severity, Uv
from nvidia_variant_provider.tools.findings.registry import Registry
from nvidia_variant_provider.tools.lint.machine_grid import GENERATIONS, upper_bounds_met
from nvidia_variant_provider.tools.metadata.document import NVIDIA_ENDPOINT, NVIDIA_NAMESPACE
from nvidia_variant_provider.tools.parsed import mapping, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.model import ComputeCapability
    from nvidia_variant_provider.tools.metadata.as_written import Document

PROPERTY: Final[Registry[Document]] = Registry()


@PROPERTY.check("NV601", Severity.ERROR, Uv.SKIPS, "an unknown feature of nvidia")
def check_features(document: Document) -> Iterator[Problem]:
    """Report features of ``nvidia`` that no provider reports, so that no machine fits."""
    for key, features in _nvidia_variants(document):
        for feature in sorted(set(features) - set(_known())):
            message = f"no such feature{_similar(feature, _known())}"
            yield Problem(document.source, f"{key}/{feature}", message)


@PROPERTY.check("NV602", Severity.ERROR, Uv.NONE, "an unknown value")
def check_values(document: Document) -> Iterator[Problem]:
    """Report values of ``nvidia`` that no machine supports."""
    for key, features in _nvidia_variants(document):
        for feature, values in features.items():
            known = _known().get(feature)
            for value in values:
                if known is not None and value not in known:
                    message = f"no provider knows {value!r:.60}{_hint(feature, value)}"
                    yield Problem(document.source, f"{key}/{feature}", message)


@PROPERTY.check("NV603", Severity.WARNING, Uv.SKIPS, "uv offers none of the values")
def check_offered_by_uv(document: Document) -> Iterator[Problem]:
    """Report a feature whose values all are outside uv's own list, though this provider has them.

    uv knows neither suffixes nor capabilities below 5.0, and of PTX only the ``X0``.
    """
    for key, features in _nvidia_variants(document):
        known = [value for value in features.get(SM_ARCH, ()) if value in _known()[SM_ARCH]]
        if known and not any(_uv_offers(SmArch.parse(value)) for value in known):
            message = f"uv offers none of {', '.join(known[:5])}; it ignores this variant"
            yield Problem(document.source, f"{key}/{SM_ARCH}", message)


@PROPERTY.check("NV604", Severity.ERROR, Uv.NONE, "a bound with several values")
def check_single_values(document: Document) -> Iterator[Problem]:
    """Report several values of a feature that has one: variantlib refuses to build such a wheel."""
    single = {feature.name for feature in catalogue() if not feature.multi_value}
    for key, features in _nvidia_variants(document):
        for feature in sorted(single & set(features)):
            if len(features[feature]) > 1:
                message = f"{len(features[feature])} values, expected one"
                yield Problem(document.source, f"{key}/{feature}", message)


@PROPERTY.check("NV605", Severity.ERROR, Uv.SKIPS, "a static provider does not offer the value")
def check_static_values(document: Document) -> Iterator[Problem]:
    """Report features of which the namespace's fixed values include none: nothing ever fits."""
    for label, variant in document.variants.items():
        for namespace, features in variant.items():
            static = mapping(document.providers.get(namespace, {}).get("static-properties"))
            for feature, values in features.items():
                if static and values and not set(values) & set(texts(static.get(feature))):
                    where = f"variants/{label}/{namespace}/{feature}"
                    message = f"providers/{namespace} offers none of {', '.join(values)[:60]}"
                    yield Problem(document.source, where, message)


@PROPERTY.check("NV606", Severity.ERROR, Uv.SKIPS, "no CUDA version is within the bounds")
def check_bounds(document: Document) -> Iterator[Problem]:
    """Report a lower bound that is not below the upper bound, which excludes its own value."""
    for key, features in _nvidia_variants(document):
        lower, upper = _versions(features, LOWER_BOUND), _versions(features, UPPER_BOUND)
        if lower and upper and min(lower) >= max(upper):
            message = f"needs CUDA >= {min(lower)} and < {max(upper)}"
            yield Problem(document.source, key, message)


@PROPERTY.check("NV607", Severity.WARNING, Uv.NONE, "architectures without a lower bound")
def check_has_lower_bound(document: Document) -> Iterator[Problem]:
    """Report device code without the CUDA version it needs: old drivers get it too."""
    for key, features in _nvidia_variants(document):
        if SM_ARCH in features and LOWER_BOUND not in features:
            message = f"{SM_ARCH} without {LOWER_BOUND}: every driver counts as new enough"
            yield Problem(document.source, key, message)


@PROPERTY.check("NV608", Severity.WARNING, Uv.NONE, "an upper bound that newer drivers do not need")
def check_upper_bound(document: Document) -> Iterator[Problem]:
    """Report upper bounds that shut out drivers which run the variant's cubins.

    A driver runs code of every older CUDA, for as long as it supports the GPU.
    """
    for key, features in _nvidia_variants(document):
        uppers = set(features.get(UPPER_BOUND, ())) & _known()[UPPER_BOUND]
        archs = [
            SmArch.parse(value) for value in features.get(SM_ARCH, ()) if value in _known()[SM_ARCH]
        ]
        shut_out = [
            generation
            for generation in GENERATIONS
            if uppers
            and not uppers & upper_bounds_met(generation)
            and any(_runs_on(arch, generation.capability) for arch in archs)
        ]
        if shut_out:
            newest = shut_out[-1]
            product = f" ({newest.product})" if newest.product else ""
            message = (
                f"< {', '.join(sorted(uppers))} shuts out newer drivers, which run its code on"
                f" {newest.capability}{product}; they get another build, or the CPU build"
            )
            yield Problem(document.source, f"{key}/{UPPER_BOUND}", message)


def _runs_on(arch: SmArch, capability: ComputeCapability) -> bool:
    """Tell whether a plain cubin runs on a capability: the same major, and not a lesser minor."""
    own = arch.capability
    return (
        not arch.virtual
        and not arch.suffix
        and own.major == capability.major
        and own.minor <= capability.minor
    )


@cache
def _known() -> Mapping[str, frozenset[str]]:
    return {feature.name: frozenset(feature.values) for feature in catalogue()}


def _nvidia_variants(
    document: Document,
) -> Iterator[tuple[str, Mapping[str, tuple[str, ...]]]]:
    """Yield the path and the features of each variant whose ``nvidia`` this provider answers."""
    provider = document.providers.get(NVIDIA_NAMESPACE, {})
    if (
        provider.get("plugin-api", NVIDIA_ENDPOINT) != NVIDIA_ENDPOINT
        or "static-properties" in provider
    ):
        return
    for label, variant in document.variants.items():
        if NVIDIA_NAMESPACE in variant:
            yield f"variants/{label}/{NVIDIA_NAMESPACE}", variant[NVIDIA_NAMESPACE]


def _uv_offers(arch: SmArch) -> bool:
    plain = not arch.suffix and arch.capability >= OLDEST_CAPABILITY
    return plain and (arch.capability.minor == 0 or not arch.virtual)


def _versions(features: Mapping[str, tuple[str, ...]], feature: str) -> list[CudaVersion]:
    known = frozenset(bound_values())
    return [CudaVersion.parse(value) for value in features.get(feature, ()) if value in known]


def _hint(feature: str, value: str) -> str:
    if feature == SM_ARCH:
        target = value.removeprefix("sm_").removeprefix("compute_").replace(".", "")
        for candidate in (f"{target}_real", f"{target}_virtual"):
            if _is_arch(candidate) and candidate in _known()[SM_ARCH]:
                kind = "virtual" if value.startswith("compute_") else "real"
                return f"; perhaps {target}_{kind}"
    return _similar(value, _known()[feature])


def _is_arch(text: str) -> bool:
    try:
        SmArch.parse(text)
    except InvalidValueError:
        return False
    return True


def _similar(text: str, known: Mapping[str, object] | frozenset[str]) -> str:
    import difflib

    close = difflib.get_close_matches(text[:60], sorted(known), n=1, cutoff=0.7)
    return f"; perhaps {close[0]}" if close else ""
