"""NV421 to NV426: what the wheels of one release require of packages and of Python."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.findings.model import Problem, Severity, Uv
from nvidia_variant_provider.tools.findings.registry import Registry
from nvidia_variant_provider.tools.lint.checks_release import readable_index
from nvidia_variant_provider.tools.metadata.markers import (
    LABEL,
    WHO_REFUSES_MARKERS,
    fault_of_marker,
    has_marker,
    parse_marked,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.metadata.markers import VariantTest
    from nvidia_variant_provider.tools.metadata.ordering import Properties
    from nvidia_variant_provider.tools.releases.lenient import LenientView, Wheel

REQUIREMENT: Final[Registry[LenientView]] = Registry()


@REQUIREMENT.check("NV421", Severity.ERROR, Uv.REFUSES, "a requirement names an absent label")
def check_label_markers(release: LenientView) -> Iterator[Problem]:
    """Report comparisons of ``variant_label`` that are true for no label of the release."""
    for wheel, test in _untrue(release):
        if test.variable == LABEL:
            yield Problem(wheel.source, "Requires-Dist", f"true for no label here: {test}")


@REQUIREMENT.check("NV422", Severity.ERROR, Uv.REFUSES, "a requirement names an absent property")
def check_property_markers(release: LenientView) -> Iterator[Problem]:
    """Report markers with a namespace, feature or property that no variant of the release has."""
    for wheel, test in _untrue(release):
        if test.variable != LABEL:
            message = f"no variant has {test.value!r:.60} in {test.variable}"
            yield Problem(wheel.source, "Requires-Dist", message)


@REQUIREMENT.check("NV423", Severity.ERROR, Uv.REFUSES, "a requirement with a variant marker")
def check_variant_markers(release: LenientView) -> Iterator[Problem]:
    """Report requirements that no released installer can read, in plain wheels as well."""
    for wheel, text in _requirements(release):
        if has_marker(text):
            yield Problem(wheel.source, "Requires-Dist", f"{text:.90}: {WHO_REFUSES_MARKERS}")


@REQUIREMENT.check("NV424", Severity.ERROR, Uv.REFUSES, "a variant marker that cannot be read")
def check_marker_forms(release: LenientView) -> Iterator[Problem]:
    """Report variant markers that are not of the form that PEP 825 describes."""
    for wheel, text in _requirements(release):
        if fault := fault_of_marker(text):
            yield Problem(wheel.source, "Requires-Dist", fault)


@REQUIREMENT.check(
    "NV425", Severity.WARNING, Uv.NONE, "wheels of a release require different packages"
)
def check_requirements_agree(release: LenientView) -> Iterator[Problem]:
    """Report wheels whose requirements differ though METADATA does not declare them dynamic."""
    for first, wheel in _beside_the_first(release):
        differing = sorted(set(wheel.requires) ^ set(first.requires))
        if differing and not all("requires-dist" in each.dynamic for each in (first, wheel)):
            message = (
                f"{differing[0]:.90}: not in both this wheel and {first.source}, and not declared"
                " Dynamic; resolvers read one METADATA for all"
            )
            yield Problem(wheel.source, "Requires-Dist", message)


@REQUIREMENT.check(
    "NV426", Severity.WARNING, Uv.NONE, "wheels of a release require different Python versions"
)
def check_python_agrees(release: LenientView) -> Iterator[Problem]:
    """Report wheels that differ in Requires-Python: uv refuses the release for the one it took."""
    for first, wheel in _beside_the_first(release):
        if wheel.requires_python != first.requires_python:
            seen, other = (each.requires_python or "nothing" for each in (wheel, first))
            message = f"requires {seen}, {first.source} requires {other}"
            yield Problem(wheel.source, "Requires-Python", message)


def _beside_the_first(release: LenientView) -> Iterator[tuple[Wheel, Wheel]]:
    """Yield each further wheel beside the first one, if the release has variants."""
    if not release.variant_wheels:
        return
    readable = [wheel for wheel in release.wheels if not wheel.reason]
    for wheel in readable[1:]:
        yield readable[0], wheel


def _untrue(release: LenientView) -> Iterator[tuple[Wheel, VariantTest]]:
    """Yield the comparisons, other than ``!=`` and ``not in``, that are true for no label."""
    if not _knows_all_labels(release):
        return
    variants: list[tuple[str, Properties]] = [("", {}), *release.variants.items()]
    for wheel, text in _requirements(release):
        with contextlib.suppress(InvalidValueError):
            marked = parse_marked(text)
            for test in marked.tests if marked else ():
                answers = (test.answer(label, stated) for label, stated in variants)
                if test.operator in {"==", "in"} and not any(
                    answer is not False for answer in answers
                ):
                    yield wheel, test


def _requirements(release: LenientView) -> Iterator[tuple[Wheel, str]]:
    for wheel in release.wheels:
        for text in wheel.requires:
            yield wheel, text


def _knows_all_labels(release: LenientView) -> bool:
    """Tell whether the labels that were read are all that there are."""
    return readable_index(release) is not None or release.whole
