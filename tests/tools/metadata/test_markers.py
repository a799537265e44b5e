"""Variant markers: read, and answered for a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.metadata.markers import fault_of_marker, has_marker, parse_marked

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.metadata.ordering import Properties

CUDA = {"nvidia": {"sm_arch": ("80_real", "90_real"), "cuda_version_lower_bound": ("12.0",)}}


def left_of(text: str) -> str | None:
    """Return what the label ``cu`` leaves of a requirement that has a variant marker."""
    marked = parse_marked(text)
    assert marked is not None
    return marked.evaluate("cu", CUDA)


@pytest.mark.parametrize(
    ("marker", "answers"),
    [
        pytest.param("variant_label == 'cu'", (True, False, False), id="equal"),
        pytest.param("'cu' == variant_label", (True, False, False), id="equal, reversed"),
        pytest.param("variant_label != 'cu'", (False, True, True), id="not equal"),
        pytest.param("variant_label == ''", (False, False, True), id="the wheel without a label"),
        pytest.param("variant_label != 'null'", (True, False, True), id="any other"),
        pytest.param("variant_label in 'cu null'", (True, True, True), id="part of a text"),
        pytest.param("variant_label not in 'null'", (True, False, False), id="not part of it"),
        pytest.param("'u' in variant_label", (True, True, False), id="a text within the label"),
        pytest.param("'u' not in variant_label", (False, False, True), id="not within it"),
        pytest.param("'nvidia' in variant_namespaces", (True, False, False), id="namespace"),
        pytest.param("'nvidia' not in variant_namespaces", (False, True, True), id="no namespace"),
        pytest.param("'nvidia::sm_arch' in variant_features", (True, False, False), id="feature"),
        pytest.param("'nvidia' in variant_features", (False, False, False), id="too short"),
        pytest.param("'nvidia :: cuda_version_lower_bound :: 12.0' in variant_properties",
                     (True, False, False), id="property"),
        pytest.param('"nvidia::cuda_version_lower_bound ::12.0" not in variant_properties',
                     (False, True, True), id="blanks do not count"),
        pytest.param("'nvidia :: sm_arch :: 75_real' in variant_properties",
                     (False, False, False), id="a value that is not stated"),
        pytest.param("variant_label == 'cu' or variant_label == 'null'",
                     (True, True, False), id="or"),
        pytest.param("variant_label != 'cu' and variant_label != 'null'",
                     (False, False, True), id="and"),
        pytest.param("variant_label == 'cu' or variant_label == 'x' and variant_label == 'null'",
                     (True, False, False), id="and binds closer"),
        pytest.param("(variant_label == 'cu' or variant_label == 'x') and 'nvidia' in "
                     "variant_namespaces", (True, False, False), id="parentheses"),
    ],
)  # fmt: skip
def test_a_marker_is_answered_for_each_label(marker: str, answers: tuple[bool, ...]) -> None:
    labels: tuple[tuple[str, Properties], ...] = (("cu", CUDA), ("null", {}), ("", {}))
    marked = parse_marked(f"six; {marker}")
    assert marked is not None

    left = tuple(marked.evaluate(label, properties) for label, properties in labels)
    assert left == tuple("six" if it else None for it in answers)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("six>=1; sys_platform == 'linux' and variant_label == 'cu'",
                     "six>=1; sys_platform == 'linux'", id="and true"),
        pytest.param("six; sys_platform == 'linux' and variant_label == 'null'", None,
                     id="and false"),
        pytest.param("six; python_version < '3.9' or variant_label == 'cu'", "six", id="or true"),
        pytest.param("six; python_version<'3.9' or variant_label == 'null'",
                     "six; python_version < '3.9'", id="or false"),
        pytest.param("six[a,b] (>1,<2); extra == 'gpu' and variant_label == 'cu'",
                     "six[a,b] (>1,<2); extra == 'gpu'", id="extra"),
        pytest.param("six; variant_label == 'cu' and (os_name == 'nt' or os_name == 'posix') "
                     "and python_version > '3'",
                     "six; (os_name == 'nt' or os_name == 'posix') and python_version > '3'",
                     id="parentheses stay"),
        pytest.param("six @ https://x.example/a;b.whl ; variant_label == 'cu' and os_name == 'nt'",
                     "six @ https://x.example/a;b.whl ; os_name == 'nt'", id="address"),
        pytest.param("six; 'nvidia :: sm_arch :: 90_real' in variant_properties or "
                     "variant_label == 'cu'", "six", id="the label decides for the machine"),
    ],
)  # fmt: skip
def test_the_environment_is_left_to_the_installer(text: str, left: str | None) -> None:
    assert left_of(text) == left


def test_what_the_machine_decides_is_refused() -> None:
    text = "six; 'nvidia :: sm_arch :: 90_real' in variant_properties"

    with pytest.raises(InvalidValueError, match="cu has several values of this feature"):
        left_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "six",
        "six>=1",
        "six; sys_platform == 'variant_label'",
        "six @ https://x.example/variant_label",
    ],
)
def test_other_requirements_have_no_variant_marker(text: str) -> None:
    assert (parse_marked(text), has_marker(text), fault_of_marker(text)) == (None, False, "")


@pytest.mark.parametrize(
    ("marker", "fault"),
    [
        pytest.param("variant_label", "ends within a comparison", id="alone"),
        pytest.param("variant_label > 'a'", "variant_label >: expected ==", id="no order"),
        pytest.param("variant_label == sys_platform", "expected a text in quotes", id="variable"),
        pytest.param("variant_label == variant_label", "expected a text in quotes", id="itself"),
        pytest.param("variant_labels == 'a'", "no variable variant_labels", id="unknown"),
        pytest.param("variant_features == 'a'", "is a set", id="set compared"),
        pytest.param("variant_features in 'a'", "is a set", id="set on the left"),
        pytest.param("(variant_label == 'a'", "not closed", id="parenthesis"),
        pytest.param("variant_label == 'a' variant_label", "expected 'and'", id="no operator"),
        pytest.param("variant_label == 'a", "cannot be read from", id="quote"),
        pytest.param(
            "variant_label == 'a' and os_name = 'nt'", "not a comparison", id="environment"
        ),
        pytest.param("(" * 300 + "variant_label == 'a'", "more than 50 parentheses", id="deep"),
    ],
)
def test_a_malformed_marker_is_explained(marker: str, fault: str) -> None:
    assert fault in fault_of_marker(f"six; {marker}")
    assert not has_marker(f"six; {marker}")


def test_what_stands_before_the_marker_must_be_a_requirement() -> None:
    assert "not a requirement: 'six>>1'" in fault_of_marker("six>>1; variant_label == 'a'")


LEAVES = st.sampled_from(
    ["variant_label == 'cu'", "variant_label != 'cu'", "'nvidia' in variant_namespaces",
     "sys_platform == 'linux'", "python_version < '3.9'"]
)  # fmt: skip
MARKERS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda left, word, right: f"({left}) {word} ({right})",
        inner,
        st.sampled_from(["and", "or"]),
        inner,
    ),
    max_leaves=8,
)
ENVIRONMENTS = st.fixed_dictionaries(
    {"sys_platform": st.sampled_from(["linux", "win32"]), "python_version": st.just("3.12")}
)


@given(marker=MARKERS, environment=ENVIRONMENTS, label=st.sampled_from(["cu", "null", ""]))
def test_what_is_left_says_what_the_whole_would_have_said(
    marker: str, environment: dict[str, str], label: str
) -> None:
    marked = parse_marked(f"six; {marker} and variant_label in 'cu null'")
    assert marked is not None
    is_cuda = label == "cu"
    whole = (
        marker.replace("variant_label == 'cu'", str(is_cuda))
        .replace("variant_label != 'cu'", str(not is_cuda))
        .replace("'nvidia' in variant_namespaces", str(is_cuda))
        .replace("sys_platform == 'linux'", str(environment["sys_platform"] == "linux"))
        .replace("python_version < '3.9'", "False")
    )

    left = marked.evaluate(label, CUDA if is_cuda else {})
    applies = left is not None
    if left is not None and (rest := Requirement(left).marker):
        applies = rest.evaluate({**environment, "extra": ""})
    assert applies == eval(whole)  # noqa: S307 - True, False, and, or, parentheses
