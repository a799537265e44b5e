from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.convert.document import TARGETS, Conversion, convert
from nvidia_variant_provider.tools.convert.draft import ConversionRefusedError
from nvidia_variant_provider.tools.convert.plugins import may_be_dropped
from nvidia_variant_provider.tools.metadata.document import SCHEMA_825, SCHEMA_850
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from tests.tools.convert.drafts import Json, torch_28, torch_29, torch_210
from tests.tools.lint.releases import merge_patch, read_base

if TYPE_CHECKING:
    from collections.abc import Callable

TO_850, TO_825 = TARGETS["850"], TARGETS["825"]


def converted(document: Json, target: str = "850") -> Conversion:
    return convert(document, "x.json", TARGETS[target])


def result(document: Json, target: str = "850") -> Json:
    parsed: Json = json.loads(converted(document, target).metadata.to_json())
    return parsed


@pytest.mark.parametrize("draft", [torch_28, torch_29, torch_210])
def test_properties_are_kept(draft: Callable[[], Json]) -> None:
    before = draft()
    after = result(before)

    old = {label if variant else "null": variant for label, variant in before["variants"].items()}
    for variant in old.values():
        for features in variant.values():
            features.update({feature: sorted(values) for feature, values in features.items()})
    assert after["variants"] == old
    assert after["default-priorities"]["namespace"] == before["default-priorities"]["namespace"]


def test_the_providers_of_torch_210() -> None:
    after = result(torch_210())

    assert after["providers"]["nvidia"] == read_base()["index"]["providers"]["nvidia"]
    assert after["providers"]["priority"] == {"static-properties": {"order": ["1", "2", "3"]}}
    assert after["providers"]["amd"] == {
        "plugin-api": "amd_variant_provider.plugin:AMDVariantPlugin",
        "requires": ["amd-variant-provider>=0.0.2,<1.0.0"],
    }


@pytest.mark.parametrize("draft", [torch_28, torch_29, torch_210])
def test_every_change_has_a_reason_and_a_second_conversion_has_none(
    draft: Callable[[], Json],
) -> None:
    first = converted(draft())
    second = converted(json.loads(first.metadata.to_json()))

    assert all(it.key and it.action and it.reason for it in first.changes)
    assert (second.changes, second.metadata) == ((), first.metadata)


def test_what_variantlib_020_wrote_differs_in_the_schema_only() -> None:
    before = read_base()["index"]
    for variant in before["variants"].values():
        for features in variant.values():
            features["sm_arch"].sort()
    change = converted(before | {"$schema": "https://variants-schema.wheelnext.dev/v0.0.3.json"})

    assert [it.key for it in change.changes] == ["$schema"]
    assert change.metadata == parse_metadata(json.dumps(before).encode(), "x")


def test_the_document_that_is_converted_stays_as_it_is() -> None:
    before = torch_29()
    kept = deepcopy(before)
    converted(before)

    assert before == kept


def nvidia_entry(requires: str, **more: object) -> Json:
    document: Json = read_base()["index"]
    document["providers"]["nvidia"] |= {"requires": [requires], **more}
    return document


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("nvidia-variant-provider>=0.0.2,<1.0.0",
                     "nvidia-variant-provider>=0.0.1,<1.0.0", id="torch 2.9"),
        pytest.param("nvidia_variant_provider >= 0.0.2", "nvidia-variant-provider>=0.0.1",
                     id="other spelling"),
        pytest.param("nvidia-variant-provider==0.0.2", "nvidia-variant-provider==0.0.2", id="pin"),
        pytest.param("nvidia-variant-provider>=0.0.2,!=0.0.1",
                     "nvidia-variant-provider>=0.0.2,!=0.0.1", id="excluded on purpose"),
        pytest.param("nvidia-variant-provider[x]>=0.0.2", "nvidia-variant-provider[x]>=0.0.2",
                     id="extra"),
        pytest.param("nvidia-variant-provider>=0.0.2; os_name == 'nt'",
                     "nvidia-variant-provider>=0.0.2; os_name == 'nt'", id="marker"),
        pytest.param("other-provider>=0.0.2", "other-provider>=0.0.2", id="other package"),
    ],
)  # fmt: skip
def test_only_a_lower_bound_is_widened(before: str, after: str) -> None:
    assert result(nvidia_entry(before))["providers"]["nvidia"]["requires"] == [after]


@pytest.mark.parametrize("endpoint", [None, "nvidia_variant_provider.plugin : NvidiaVariantPlugin"])
def test_the_endpoint_is_spelled_out(endpoint: str | None) -> None:
    document = nvidia_entry("nvidia-variant-provider>=0.0.1")
    document["providers"]["nvidia"].pop("plugin-api")
    if endpoint:
        document["providers"]["nvidia"]["plugin-api"] = endpoint

    entry = result(document)["providers"]["nvidia"]
    assert entry["plugin-api"] == "nvidia_variant_provider.plugin:NvidiaVariantPlugin"


def test_the_endpoint_of_another_package_is_left_alone() -> None:
    document = nvidia_entry("other-provider>=0.0.1")
    document["providers"]["nvidia"].pop("plugin-api")

    assert "plugin-api" not in result(document)["providers"]["nvidia"]


@pytest.mark.parametrize(
    ("condition", "dropped"),
    [
        ("platform_system == 'Linux'", True),
        ("sys_platform != 'darwin' and (os_name == 'nt' or platform_machine in 'x86_64')", True),
        ("python_version >= '3.11'", False),
        ("platform_system == 'Linux' and extra == 'gpu'", False),
        ("platform_system == 'python_version'", True),
        ("no marker", False),
        ("", False),
        (None, False),
        (1, False),
    ],
)
def test_conditions_on_the_platform_may_be_dropped(condition: object, dropped: bool) -> None:  # noqa: FBT001
    assert may_be_dropped(condition) is dropped


def with_static(features: Json, **priorities: object) -> Json:
    """Return draft 0.0.3 with a second namespace without plugin."""
    document = torch_210()
    document["static-properties"]["priority"] = features
    document["default-priorities"] |= priorities
    return document


def test_the_order_of_several_static_features_is_taken_from_the_priorities() -> None:
    document = with_static(
        {"order": ["1", "2", "3"], "more": ["a"]}, feature={"priority": ["order", "more"]}
    )

    assert result(document)["providers"]["priority"]["feature-order"] == ["order", "more"]


def test_static_values_without_a_provider_entry_get_one() -> None:
    document = torch_210()
    del document["providers"]["priority"]

    assert result(document)["providers"]["priority"] == {
        "static-properties": {"order": ["1", "2", "3"]}
    }


def test_build_time_use_becomes_fixed_values() -> None:
    document = torch_29()
    document["providers"]["priority"] = {"plugin-use": "build", "requires": ["some-plugin"]}
    change = converted(document)

    assert "providers/priority/requires" in {it.key for it in change.changes}
    assert result(document)["providers"]["priority"] == {
        "static-properties": {"order": ["1", "2", "3"]}
    }


def test_what_only_builds_need_goes() -> None:
    document = merge_patch(torch_28(), {"providers": {"nvidia": {"build-requires": ["x"]}}})

    assert result(document) == result(torch_28())


def test_an_entry_that_is_no_requirement_is_an_error() -> None:
    with pytest.raises(MetadataError, match="a requirement such as"):
        converted(nvidia_entry("no requirement"))


@pytest.mark.parametrize("patch", [{"install-time": True}, {"plugin-use": "all"}])
def test_a_plugin_asked_at_installation_stays_one(patch: Json) -> None:
    document = merge_patch(torch_28(), {"providers": {"nvidia": patch}})

    assert result(document) == result(torch_28())


@pytest.mark.parametrize(
    ("document", "key"),
    [
        pytest.param(merge_patch(torch_28(), {"providers": {"nvidia": {
            "enable-if": "python_version > '3.9'"}}}), "providers/nvidia/enable-if",
            id="a condition on Python"),
        pytest.param(merge_patch(torch_29(), {"default-priorities": {"property": None}}),
                     "providers/priority", id="no values"),
        pytest.param(merge_patch(torch_29(), {"default-priorities": {"property": {
            "priority": {"order": ["1"]}}}}), "variants/cuda12.6/priority/order",
            id="a value without a place"),
        pytest.param(merge_patch(torch_28(), {"default-priorities": {"feature": {
            "nvidia": ["sm_arch"]}}}), "default-priorities/feature/nvidia",
            id="an order of a plugin's features"),
        pytest.param(merge_patch(torch_28(), {"default-priorities": {"property": {
            "nvidia": {"sm_arch": ["90_real"]}}}}), "default-priorities/property/nvidia",
            id="an order of a plugin's values"),
        pytest.param(with_static({"order": ["1", "2", "3"], "more": ["a"]}),
                     "default-priorities/feature/priority", id="features without an order"),
        pytest.param(merge_patch(torch_210(), {"static-properties": {
            "nvidia": {"sm_arch": ["90_real"]}}}), "static-properties/nvidia",
            id="values next to a plugin"),
        pytest.param(merge_patch(torch_28(), {"variants": {"cpu": {}}}), "variants",
                     id="two variants without properties"),
        pytest.param(merge_patch(torch_28(), {"variants": {"null": {"nvidia": {
            "sm_arch": ["90_real"]}}}}), "variants/null", id="a null with properties"),
        pytest.param({"$schema": SCHEMA_825, "default-priorities": {"namespace": ["amd"]},
                      "variants": {}}, "default-priorities/namespace", id="unknown provider"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(document: Json, key: str) -> None:
    with pytest.raises(ConversionRefusedError) as caught:
        converted(document)

    assert (caught.value.source, caught.value.key) == ("x.json", key)


def test_to_825() -> None:
    before = torch_28()
    after = result(before, "825")

    assert (after["$schema"], "providers" in after) == (SCHEMA_825, False)
    assert result(after)["providers"] == read_base()["index"]["providers"]
    assert result(after)["$schema"] == SCHEMA_850


def test_fixed_values_cannot_go_to_825() -> None:
    with pytest.raises(ConversionRefusedError, match="PEP 825 has no place"):
        converted(torch_210(), "825")


def test_unknown_keys_are_an_error_not_dropped() -> None:
    with pytest.raises(MetadataError, match="no such key"):
        converted(torch_28() | {"comment": "x"})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["nvidia", "priority", "requires", "order", "x"]), inner, max_size=2
    ),
    max_leaves=6,
)  # fmt: skip


@given(
    draft=st.sampled_from([torch_28, torch_29, torch_210]),
    path=st.lists(st.integers(0, 5), min_size=1, max_size=5),
    junk=ANYTHING,
    target=st.sampled_from(["825", "850"]),
)
def test_no_junk_anywhere_stops_it_without_an_error_of_ours(
    draft: Callable[[], Json],
    path: list[int],
    junk: object,
    target: str,
) -> None:
    document = draft()
    place = document
    for step in path[:-1]:
        inner = place[sorted(place)[step % len(place)]]
        if not isinstance(inner, dict) or not inner:
            break
        place = inner
    place[sorted(place)[path[-1] % len(place)]] = junk

    try:
        done = converted(document, target)
    except InvalidValueError:
        return
    assert parse_metadata(done.metadata.to_json().encode(), "x") == done.metadata
