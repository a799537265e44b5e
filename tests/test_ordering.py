from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from variantlib.models.variant import VariantDescription, VariantProperty
from variantlib.resolver.lib import filter_variants
from variantlib.resolver.sorting import sort_variant_properties, sort_variants_descriptions

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.rules import Feature
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL, Preferences, Unmet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvidia_variant_provider.tools.metadata.ordering import Properties

NAMESPACES = ("nvidia", "priority", "amd")
FEATURES = ("lower", "sm_arch", "order")
VALUES = ("1", "2", "3", "12.0", "90_real")

Offers = dict[str, list[Feature]]


def feature(name: str, *values: str) -> Feature:
    return Feature(name, values, multi_value=True)


def some_of(choices: tuple[str, ...], *, least: int = 1) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(choices), unique=True, min_size=least)


@st.composite
def offers(draw: st.DrawFn) -> Offers:
    return {
        namespace: [feature(name, *draw(some_of(VALUES))) for name in draw(some_of(FEATURES))]
        for namespace in draw(some_of(NAMESPACES, least=0))
    }


@st.composite
def variant(draw: st.DrawFn) -> dict[str, dict[str, list[str]]]:
    return {
        namespace: {name: draw(some_of(VALUES)) for name in draw(some_of(FEATURES))}
        for namespace in draw(some_of(NAMESPACES))
    }


variants = st.dictionaries(st.text("abc", min_size=1, max_size=3), variant(), max_size=8)
namespace_orders = st.permutations(NAMESPACES)


def order_of_variantlib(
    stated: Mapping[str, Properties], namespaces: Sequence[str], offered: Offers
) -> tuple[str, ...]:
    """Filter and sort as ``get_variants_by_priority`` does, but for its look at the interpreter's
    packages, which takes longer than everything else."""
    supported = [
        VariantProperty(namespace, found.name, value)
        for namespace, features in offered.items()
        for found in features
        for value in found.values
    ]
    described = [
        VariantDescription(label=label, properties=list(described_properties(properties)))
        for label, properties in stated.items()
    ]
    compatible = list(filter_variants(described, supported, filter_values=True))
    preferred = sort_variant_properties(supported, list(namespaces))
    return tuple(found.label for found in sort_variants_descriptions(compatible, preferred))


def described_properties(properties: Properties) -> Iterator[VariantProperty]:
    for namespace, features in properties.items():
        for name, values in features.items():
            for value in values:
                yield VariantProperty(namespace, name, value)


@settings(deadline=None)
@given(stated=variants, namespaces=namespace_orders, offered=offers())
def test_order_is_that_of_variantlib(
    stated: dict[str, Properties], namespaces: list[str], offered: Offers
) -> None:
    ours = Preferences.build(namespaces, offered).order(stated)

    assert ours == order_of_variantlib(stated, namespaces, offered)


@pytest.mark.parametrize("cases", [500, pytest.param(5000, marks=pytest.mark.deep)])
def test_order_is_that_of_variantlib_in_many_cases(cases: int) -> None:
    """Hypothesis shrinks what it finds but draws slowly; plain numbers reach further."""
    source = Random(850)  # noqa: S311 - repeatable, not secret
    compared = 0
    for _ in range(cases):
        offered = {
            namespace: [feature(name, *few(source, VALUES)) for name in shuffled(source, FEATURES)]
            for namespace in NAMESPACES
        }
        stated: dict[str, Properties] = {
            str(number): {
                namespace: {name: few(source, VALUES) for name in few(source, FEATURES)}
                for namespace in few(source, NAMESPACES)
            }
            for number in range(source.randint(2, 12))
        }
        namespaces = shuffled(source, NAMESPACES)
        ordered = Preferences.build(namespaces, offered).order(stated | {NULL_LABEL: {}})
        compared += len(ordered) > 2
        assert ordered == order_of_variantlib(stated | {NULL_LABEL: {}}, namespaces, offered), (
            stated,
            namespaces,
            offered,
        )
    assert compared > cases * 2 // 3


def shuffled(source: Random, choices: tuple[str, ...]) -> list[str]:
    return source.sample(choices, len(choices))


def few(source: Random, choices: tuple[str, ...]) -> list[str]:
    return source.sample(choices, source.randint(1, len(choices)))


@given(stated=variants, namespaces=namespace_orders, offered=offers())
def test_order_does_not_depend_on_the_order_of_input(
    stated: dict[str, Properties], namespaces: list[str], offered: Offers
) -> None:
    preferences = Preferences.build(namespaces, offered)

    backwards = dict(reversed(stated.items()))

    assert preferences.order(stated) == preferences.order(backwards)


@given(stated=variants, namespaces=namespace_orders, offered=offers())
def test_what_is_not_ordered_has_an_unmet_feature(
    stated: dict[str, Properties], namespaces: list[str], offered: Offers
) -> None:
    preferences = Preferences.build(namespaces, offered)

    ordered = preferences.order(stated)

    assert set(stated) - set(ordered) == {
        label for label, properties in stated.items() if preferences.unmet(properties)
    }


@given(stated=variants, namespaces=namespace_orders, offered=offers())
def test_deciding_property_is_better_than_the_losers(
    stated: dict[str, Properties], namespaces: list[str], offered: Offers
) -> None:
    preferences = Preferences.build(namespaces, offered)
    ordered = preferences.order(stated)

    for winner, loser in pairwise(ordered):
        place = preferences.deciding(stated[winner], stated[loser])
        theirs = preferences.places(stated[loser])
        if place is None:
            assert preferences.places(stated[winner]) == theirs
            assert winner < loser
        else:
            shared = preferences.places(stated[winner])
            index = shared.index(place)
            assert shared[:index] == theirs[:index]
            assert theirs[index : index + 1] == () or place < theirs[index]


MACHINE: Offers = {
    "nvidia": [feature("lower", "13.0", "13", "12.0"), feature("sm_arch", "90_real", "80_real")],
    "priority": [feature("order", "1", "2")],
}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param(
            {"nvidia": {"lower": ["13.0"]}}, {"nvidia": {"lower": ["12.0"]}}, id="value order"
        ),
        pytest.param(
            {"nvidia": {"lower": ["12.0"]}},
            {"nvidia": {"sm_arch": ["90_real"]}},
            id="feature order",
        ),
        pytest.param(
            {"nvidia": {"sm_arch": ["80_real"]}}, {"priority": {"order": ["1"]}}, id="namespaces"
        ),
        pytest.param(
            {"nvidia": {"lower": ["12.0"], "sm_arch": ["80_real"]}},
            {"nvidia": {"lower": ["12.0"]}},
            id="more features on a common start",
        ),
        pytest.param(
            {"nvidia": {"sm_arch": ["80_real", "90_real"]}},
            {"nvidia": {"sm_arch": ["80_real"]}},
            id="best value counts",
        ),
        pytest.param(
            {"nvidia": {"sm_arch": ["70_real", "80_real"]}}, {}, id="one supported value suffices"
        ),
    ],
)
def test_preference(better: Properties, worse: Properties) -> None:
    preferences = Preferences.build(("nvidia", "priority"), MACHINE)

    # The labels would decide the other way round.
    assert preferences.order({"z": better, "a": worse}) == ("z", "a")


def test_label_decides_between_equals() -> None:
    preferences = Preferences.build(("nvidia",), MACHINE)
    same = {"nvidia": {"lower": ["12.0"]}}

    assert preferences.order({"b": same, "a": same}) == ("a", "b")


def test_nothing_decides_between_equals() -> None:
    preferences = Preferences.build(("nvidia",), MACHINE)
    same = {"nvidia": {"lower": ["12.0"]}}

    assert preferences.deciding(same, same) is None


def test_a_feature_that_the_loser_lacks_decides() -> None:
    preferences = Preferences.build(("nvidia",), MACHINE)
    winner = {"nvidia": {"lower": ["12.0"], "sm_arch": ["80_real"]}}

    for loser in ({"nvidia": {"lower": ["12.0"]}}, {}):
        found = preferences.deciding(winner, loser)
        assert found is not None
        assert found.feature == ("sm_arch" if loser else "lower")


def test_preferences_are_shown_by_their_namespaces() -> None:
    assert repr(Preferences.build(("nvidia",), MACHINE)) == "Preferences(namespaces=('nvidia',))"


def test_feature_without_a_supported_value_has_no_place() -> None:
    preferences = Preferences.build(("nvidia",), MACHINE)
    places = preferences.places({"nvidia": {"lower": ["12.0"], "sm_arch": ["75_real"]}})

    assert [(place.feature, place.value) for place in places] == [("lower", "12.0")]


def test_null_comes_after_every_variant_and_the_plain_wheel_last() -> None:
    preferences = Preferences.build(("nvidia",), MACHINE)
    stated: dict[str, Properties] = {NULL_LABEL: {}, "z": {"nvidia": {"lower": ["12.0"]}}}

    assert preferences.order_wheels(stated) == ("z", NULL_LABEL, None)


def test_unmet_names_the_feature_and_its_values() -> None:
    preferences = Preferences.build(("nvidia",), MACHINE)
    stated = {"nvidia": {"lower": ["12.0"], "sm_arch": ["75_real", "100_real"]}}

    assert preferences.unmet(stated) == (Unmet("nvidia", "sm_arch", ("100_real", "75_real")),)


def test_namespace_that_the_package_does_not_list_supports_nothing() -> None:
    preferences = Preferences.build(("priority",), MACHINE)

    assert not preferences.is_compatible({"nvidia": {"lower": ["12.0"]}})


@pytest.mark.parametrize(
    ("namespaces", "offered", "named"),
    [
        pytest.param(("nvidia", "nvidia"), {}, "namespace: 'nvidia'", id="namespace"),
        pytest.param(("n",), {"n": [feature("f", "1")] * 2}, "feature of n: 'f'", id="feature"),
        pytest.param(("n",), {"n": [feature("f", "1", "1")]}, "value of n :: f: '1'", id="value"),
    ],
)
def test_repetition_is_an_error(namespaces: tuple[str, ...], offered: Offers, named: str) -> None:
    with pytest.raises(InvalidValueError, match=named):
        Preferences.build(namespaces, offered)
