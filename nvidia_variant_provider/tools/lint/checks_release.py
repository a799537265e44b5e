"""NV4xx: the files of one release against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH
from nvidia_variant_provider.tools.files import some
from nvidia_variant_provider.tools.findings.model import Problem, Severity, Uv
from nvidia_variant_provider.tools.findings.registry import Registry
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL
from nvidia_variant_provider.tools.releases.files import ReleaseKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvidia_variant_provider.tools.binaries.report import Requirement
    from nvidia_variant_provider.tools.metadata.as_written import Document
    from nvidia_variant_provider.tools.releases.lenient import LenientView, Wheel

RELEASE: Final[Registry[LenientView]] = Registry()


@RELEASE.check("NV400", Severity.ERROR, Uv.REFUSES, "the wheel cannot be read")
def check_readable(release: LenientView) -> Iterator[Problem]:
    """Report damaged archives and wheels without the members every wheel has."""
    for wheel in release.wheels:
        if wheel.reason:
            yield Problem(wheel.source, "", wheel.reason)


@RELEASE.check("NV401", Severity.ERROR, Uv.SKIPS, "the release has no metadata file")
def check_index_exists(release: LenientView) -> Iterator[Problem]:
    """Report variant wheels without the release's JSON beside them: installers do not see them."""
    if release.whole and release.variant_wheels and release.index is None:
        first = release.variant_wheels[0]
        name = ReleaseKey.of_wheel(first.name).metadata_name
        message = f"{len(release.variant_wheels)} variant wheels and no {name}"
        yield Problem(first.source, "", message)


@RELEASE.check("NV402", Severity.ERROR, Uv.SKIPS, "the metadata file lacks the wheel's label")
def check_label_indexed(release: LenientView) -> Iterator[Problem]:
    """Report wheels that the release's JSON does not describe: installers do not see them."""
    index = readable_index(release)
    for wheel in release.variant_wheels:
        if index is not None and wheel.name.label not in index.variants:
            message = f"{index.source} has no label {wheel.name.label}"
            yield Problem(wheel.source, "", message)


@RELEASE.check("NV403", Severity.WARNING, Uv.SKIPS, "a label without a wheel")
def check_label_has_wheel(release: LenientView) -> Iterator[Problem]:
    """Report labels of the release's JSON for which the folder holds no wheel."""
    index = readable_index(release)
    if index is None or not release.whole or not release.wheels:
        return
    present = {wheel.name.label for wheel in release.wheels}
    for label in sorted(set(index.variants) - present):
        yield Problem(index.source, f"variants/{label}", "no wheel here has this label")


@RELEASE.check("NV404", Severity.ERROR, Uv.NONE, "wheel and metadata file differ in properties")
def check_properties_agree(release: LenientView) -> Iterator[Problem]:
    """Report a wheel whose properties are not those that the release's JSON gives its label."""
    index = readable_index(release)
    for wheel, document in _described(release):
        label = wheel.name.label
        if index is None or label not in index.variants or label not in document.variants:
            continue
        if difference := _difference(document.variants[label], index.variants[label]):
            message = f"{difference}, against {index.source}"
            yield Problem(document.source, f"variants/{label}", message)


@RELEASE.check("NV405", Severity.ERROR, Uv.NONE, "one label, several property sets")
def check_label_means_one_thing(release: LenientView) -> Iterator[Problem]:
    """Report wheels of one label, of several platforms say, that state different properties."""
    first: dict[str, tuple[Wheel, Mapping[str, Mapping[str, tuple[str, ...]]]]] = {}
    for wheel, document in _described(release):
        label = wheel.name.label
        stated = document.variants.get(label)
        if stated is None:
            continue
        other, expected = first.setdefault(label, (wheel, stated))
        if difference := _difference(stated, expected):
            message = f"{difference}, against {other.source}"
            yield Problem(document.source, f"variants/{label}", message)


@RELEASE.check("NV406", Severity.ERROR, Uv.REFUSES, "files of a release differ in providers")
def check_providers_agree(release: LenientView) -> Iterator[Problem]:
    """Report a wheel with other providers or another order of namespaces than the release has.

    The release's JSON is what counts; without one the wheels are compared with the first.
    """
    reference = readable_index(release) or next(
        (document for _, document in _described(release)), None
    )
    for _, document in _described(release):
        if reference is None or document is reference:
            continue
        shorter, longer = sorted((document.namespaces, reference.namespaces), key=len)
        if longer[: len(shorter)] != shorter:
            message = f"seen {list(document.namespaces)}, against {reference.source}"
            yield Problem(document.source, "default-priorities/namespace", message)
        for namespace, provider in document.providers.items():
            if provider != reference.providers.get(namespace, provider):
                message = f"the entry is not that of {reference.source}"
                yield Problem(document.source, f"providers/{namespace}", message)


@RELEASE.check("NV407", Severity.ERROR, Uv.REFUSES, "the wheel does not describe its own label")
def check_own_label(release: LenientView) -> Iterator[Problem]:
    """Report variant wheels without ``variant.json``, and such with another label or several."""
    for wheel in release.variant_wheels:
        if wheel.document is None:
            yield Problem(wheel.source, "", "no variant.json in the wheel's .dist-info")
        elif wheel.document.broken is None and set(wheel.document.variants) != {wheel.name.label}:
            seen = ", ".join(wheel.document.variants)[:60] or "no label"
            message = f"seen {seen}, expected only {wheel.name.label}"
            yield Problem(wheel.document.source, "variants", message)


@RELEASE.check("NV408", Severity.WARNING, Uv.NONE, "variant.json in a wheel without a label")
def check_label_in_name(release: LenientView) -> Iterator[Problem]:
    """Report ordinary wheels that carry variant metadata: every machine gets them."""
    for wheel in release.wheels:
        if wheel.document is not None and not wheel.name.label:
            message = "the file name has no label, so this is the wheel for every machine"
            yield Problem(wheel.document.source, "", message)


@RELEASE.check("NV409", Severity.WARNING, Uv.NONE, "nothing for machines without a GPU")
def check_fallback(release: LenientView) -> Iterator[Problem]:
    """Report releases without a null variant and without an ordinary wheel."""
    if not release.whole or not release.variant_wheels:
        return
    if not any(wheel.name.label in {"", NULL_LABEL} for wheel in release.wheels):
        message = f"no wheel with the label {NULL_LABEL} and none without a label"
        yield Problem(release.variant_wheels[0].source, "", message)


@RELEASE.check("NV412", Severity.WARNING, Uv.NONE, "a variant with a local version")
def check_local_versions(release: LenientView) -> Iterator[Problem]:
    """Report variant wheels with a local version, which comes before every label."""
    for wheel in release.variant_wheels:
        if "+" in wheel.name.version:
            message = (
                f"{wheel.name.version}: the greatest local version wins before any label counts,"
                " so builds that differ in it never compete as variants"
            )
            yield Problem(wheel.source, "", message)


@RELEASE.check(
    "NV413", Severity.WARNING, Uv.NONE, "the metadata file lists fewer namespaces than a wheel"
)
def check_namespaces_current(release: LenientView) -> Iterator[Problem]:
    """Report a stale list: what a wheel lists in addition counts for nobody."""
    index = readable_index(release)
    for _, document in _described(release):
        known = index.namespaces if index is not None else document.namespaces
        if len(known) < len(document.namespaces) and document.namespaces[: len(known)] == known:
            lacking = ", ".join(document.namespaces[len(known) :])
            source = index.source if index is not None else ""
            yield Problem(source, "default-priorities/namespace", f"lacks {lacking} of the wheels")


@RELEASE.check("NV414", Severity.WARNING, Uv.NONE, "the null variant requires CUDA's packages")
def check_null_requirements(release: LenientView) -> Iterator[Problem]:
    """Report builds for machines without a GPU that bring gigabytes of CUDA along."""
    for wheel in release.variant_wheels:
        if wheel.name.label != NULL_LABEL:
            continue
        required = [each.package for each in _of_cuda(wheel) if not each.optional]
        if required:
            message = f"requires {some(required)}: is this the build for every machine?"
            yield Problem(wheel.source, "Requires-Dist", message)


@RELEASE.check(
    "NV427",
    Severity.WARNING,
    Uv.NONE,
    "the lower bound repeats the toolkit version, though only cubins are stated",
)
def check_bound_of_cubins(release: LenientView) -> Iterator[Problem]:
    """Report bounds that repeat the toolkit's minor version where only cubins are stated.

    Cubins run on every driver of their CUDA major (minor-version compatibility).
    """
    for wheel, document in _described(release):
        features = document.variants.get(wheel.name.label, {}).get(NVIDIA_NAMESPACE, {})
        archs, bounds = features.get(SM_ARCH, ()), features.get(LOWER_BOUND, ())
        if not archs or not all(arch.endswith("_real") for arch in archs):
            continue
        toolkits = {requirement.cuda for requirement in _of_cuda(wheel)}
        for bound in bounds:
            major, _, minor = bound.partition(".")
            if bound in toolkits and minor not in {"", "0"}:
                message = (
                    f"{bound}, the toolkit that the wheel requires; its cubins run on drivers from"
                    f" CUDA {major}.0 on, which get another build now"
                )
                yield Problem(document.source, f"variants/{wheel.name.label}", message)


def _of_cuda(wheel: Wheel) -> Sequence[Requirement]:
    """Return the packages of CUDA that a wheel requires."""
    # The readers of device code come along, which a release without wheels has no use for.
    from nvidia_variant_provider.tools.binaries.requirements import on_cuda

    return on_cuda(wheel.requires)


def readable_index(release: LenientView) -> Document | None:
    """Return the metadata file of a release, if it has one that can be read."""
    return release.index if release.index is not None and release.index.broken is None else None


def _described(release: LenientView) -> Iterator[tuple[Wheel, Document]]:
    for wheel in release.variant_wheels:
        if wheel.document is not None and wheel.document.broken is None:
            yield wheel, wheel.document


def _difference(
    seen: Mapping[str, Mapping[str, tuple[str, ...]]],
    expected: Mapping[str, Mapping[str, tuple[str, ...]]],
) -> str:
    """Return the first properties that only one of two variants has; "" if they are the same."""
    here, there = _properties(seen), _properties(expected)
    parts = []
    for words, properties in (("in addition", here - there), ("lacking", there - here)):
        if properties:
            more = f" and {len(properties) - 1} more" if len(properties) > 1 else ""
            parts.append(f"{words} {min(properties)}{more}")
    return "; ".join(parts)


def _properties(variant: Mapping[str, Mapping[str, tuple[str, ...]]]) -> set[str]:
    return {
        f"{namespace} :: {feature} :: {value}"
        for namespace, features in variant.items()
        for feature, values in features.items()
        for value in values
    }
