from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from variantlib.variants_json import VariantsJson

from nvidia_variant_provider.errors import InvalidValueError, MetadataError
from nvidia_variant_provider.tools.metadata.document import (
    SCHEMA_825,
    SCHEMA_850,
    SCHEMA_850_VARIANTLIB,
)
from nvidia_variant_provider.tools.metadata.model import (
    Provider,
    VariantMetadata,
)
from nvidia_variant_provider.tools.metadata.reading import (
    MAX_BYTES,
    parse_metadata,
    parse_wheel_metadata,
)
from nvidia_variant_provider.tools.metadata.schemas import Specification
from nvidia_variant_provider.tools.metadata.union import union
from nvidia_variant_provider.tools.metadata.uv import uv_skips
from nvidia_variant_provider.tools.wheels.name import WheelName

ENDPOINT = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
NVIDIA = Provider(requires=("nvidia-variant-provider>=0.0.1,<1.0.0",), plugin_api=ENDPOINT)
PRIORITY = Provider(static_properties={"order": ("1", "2", "3")})


def metadata(**changes: Any) -> VariantMetadata:  # noqa: ANN401 - any field of the model
    fields: dict[str, Any] = {
        "schema_url": SCHEMA_850,
        "namespaces": ("nvidia", "priority"),
        "providers": {"nvidia": NVIDIA, "priority": PRIORITY},
        "variants": {
            "null": {},
            "cuda13.0": {
                "nvidia": {
                    "cuda_version_lower_bound": ("13.0",),
                    "sm_arch": ("100_real", "90_real"),
                },
                "priority": {"order": ("1",)},
            },
        },
    }
    return VariantMetadata(**(fields | changes))


def document() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(metadata().to_json())
    return parsed


def parsed(changed: dict[str, Any]) -> VariantMetadata:
    return parse_metadata(json.dumps(changed).encode(), "torch-variants.json")


def test_round_trip() -> None:
    assert parse_metadata(metadata().to_json().encode(), "x") == metadata()


def test_serialisation_is_canonical() -> None:
    shuffled = document()
    shuffled["variants"] = dict(reversed(shuffled["variants"].items()))
    shuffled["variants"]["cuda13.0"]["nvidia"]["sm_arch"].reverse()
    shuffled["providers"]["nvidia"]["optional"] = False

    assert parsed(shuffled).to_json() == metadata().to_json()


names = st.text("abcxyz019_", min_size=1, max_size=6)
values = st.text("abcxyz019_.", min_size=1, max_size=6)
features = st.dictionaries(
    names, st.lists(values, min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=3
)


@st.composite
def any_metadata(draw: st.DrawFn) -> VariantMetadata:
    static = draw(features)
    providers = {"nvidia": NVIDIA, "static": Provider(
        static_properties=static, feature_order=tuple(draw(st.permutations(list(static))))
    )}  # fmt: skip
    variant = st.dictionaries(st.sampled_from(sorted(providers)), features, min_size=1)
    labels = values.filter(lambda label: label != "null")
    return metadata(
        namespaces=tuple(draw(st.permutations(sorted(providers)))),
        providers=providers,
        variants={"null": {}, **draw(st.dictionaries(labels, variant, max_size=3))},
    )


@given(made=any_metadata())
def test_variantlib_reads_the_same_and_writes_the_same_text(made: VariantMetadata) -> None:
    theirs = VariantsJson(json.loads(made.to_json()))

    assert theirs.to_str() + "\n" == made.to_json().replace(SCHEMA_850, SCHEMA_850_VARIANTLIB)


@given(made=any_metadata())
def test_what_variantlib_writes_is_read_back(made: VariantMetadata) -> None:
    theirs = VariantsJson(json.loads(made.to_json())).to_str()

    read = parse_metadata(theirs.encode(), "x")

    assert read == replace(made, schema_url=SCHEMA_850_VARIANTLIB)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param(SCHEMA_850, Specification.PEP_850, id="uv's name"),
        pytest.param(SCHEMA_850_VARIANTLIB, Specification.PEP_850, id="variantlib's name"),
    ],
)
def test_schema_names_the_specification(url: str, expected: Specification) -> None:
    assert parsed(document() | {"$schema": url}).specification is expected


def test_pep_825_has_no_providers() -> None:
    without = {key: value for key, value in document().items() if key != "providers"}

    read = parsed(without | {"$schema": SCHEMA_825})

    assert (read.specification, read.providers) == (Specification.PEP_825, None)


def changed(path: str, value: object) -> dict[str, Any]:
    whole = document()
    *parents, last = path.split("/")
    place = whole
    for step in parents:
        place = place[step]
    place[last] = value
    return whole


FILE = "torch-variants.json"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        pytest.param(
            changed("providers/nvidia/enable-if", "platform_system == 'Linux'"),
            "providers/nvidia/enable-if: seen \"platform_system == 'Linux'\", expected no such key",
            id="key of an older draft",
        ),
        pytest.param(
            changed("static-properties", {}), "static-properties: seen {}, expected no such key",
            id="top-level key of an older draft",
        ),
        pytest.param(
            changed("variants/cuda13.0/nvidia/sm_arch", "90_real"),
            'variants/cuda13.0/nvidia/sm_arch: seen "90_real", expected an array',
            id="text for a list",
        ),
        pytest.param(
            changed("variants/cuda13.0/nvidia/sm_arch", []),
            "variants/cuda13.0/nvidia/sm_arch: seen [], expected ",
            id="no value",
        ),
        pytest.param(
            changed("variants/cuda13.0/nvidia/sm_arch", ["90_Real"]),
            'variants/cuda13.0/nvidia/sm_arch/0: seen "90_Real", expected a match of '
            "^[a-z0-9_.]+$",
            id="upper case",
        ),
        pytest.param(
            changed("variants/cuda13.0/nvidia/sm_arch", ["90_real", "90_real"]),
            'variants/cuda13.0/nvidia/sm_arch: seen ["90_real", "90_real"], expected every entry '
            "only once",
            id="repeated value",
        ),
        pytest.param(
            changed("variants/null", {"priority": {"order": ["1"]}}), "'null', which has none",
            id="null with properties",
        ),
        pytest.param(
            changed("variants/x", {"amd": {"gfx_arch": ["gfx1"]}}), "it lacks amd",
            id="namespace without a provider",
        ),
        pytest.param(
            changed("providers/nvidia/requires", ["nvidia-variant-provider>=,"]),
            'requires/0: seen "nvidia-variant-provider>=,", expected a requirement such as ',
            id="requirement",
        ),
        pytest.param(
            changed("providers/nvidia/static-properties", {"a": ["b"]}),
            "exactly one of 'requires', 'static-properties' and 'builtin'",
            id="two kinds of provider",
        ),
        pytest.param(
            changed("providers/priority/plugin-api", "a:b"), "'plugin-api' only together",
            id="plugin of a static provider",
        ),
        pytest.param(
            changed("providers/priority/static-properties", {"a": ["1"], "b": ["1"]}),
            "providers/priority: ",
            id="several static features without an order",
        ),
        pytest.param(
            changed("providers/priority/feature-order", ["other"]), "exactly the features",
            id="order of other features",
        ),
        pytest.param(
            changed("default-priorities", {"namespace": ["nvidia"]}), "the same namespaces",
            id="provider that is not ordered",
        ),
        pytest.param(changed("$schema", SCHEMA_825), "no 'providers'", id="providers in PEP 825"),
        pytest.param(
            {key: value for key, value in document().items() if key != "providers"},
            "'providers' under the schema of PEP 850", id="no providers in PEP 850",
        ),
        pytest.param(
            {key: value for key, value in document().items() if key != "$schema"},
            "$schema: seen nothing, expected this key", id="no schema",
        ),
    ],
)  # fmt: skip
def test_error_names_file_key_seen_and_expected(broken: dict[str, Any], message: str) -> None:
    with pytest.raises(MetadataError) as caught:
        parsed(broken)

    assert str(caught.value).startswith(f"{FILE}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"{", "a JSON document in UTF-8", id="cut off"),
        pytest.param(b"\xff", "a JSON document in UTF-8", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "a JSON document in UTF-8", id="nested without end"),
        pytest.param(b'{"\\ud800": 1}', "a JSON document in UTF-8", id="half a character"),
        pytest.param(b"[]", "an object", id="a list"),
        pytest.param(b'{"a": 1, "a": 2}', "every key only once", id="repeated key"),
        pytest.param(b" " * (MAX_BYTES + 1), f"at most {MAX_BYTES} bytes", id="too large"),
    ],
)
def test_unreadable_document_is_an_error(data: bytes, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        parse_metadata(data, FILE)


@given(data=st.binary(max_size=60))
def test_no_bytes_raise_another_error(data: bytes) -> None:
    with pytest.raises(MetadataError):
        parse_metadata(data, FILE)


def test_wheel_metadata_must_be_of_the_wheels_own_label() -> None:
    own = metadata().of_label("cuda13.0").to_json().encode()

    assert set(parse_wheel_metadata(own, "x", "cuda13.0").variants) == {"cuda13.0"}
    with pytest.raises(MetadataError, match=r"x: variants: seen cuda13.0, expected only cuda12.6"):
        parse_wheel_metadata(own, "x", "cuda12.6")
    with pytest.raises(MetadataError, match=r"only cuda13.0"):
        parse_wheel_metadata(metadata().to_json().encode(), "x", "cuda13.0")


def test_union_of_the_wheels_is_the_release() -> None:
    parts = [(label, metadata().of_label(label)) for label in metadata().variants]

    assert union(parts) == metadata()


def test_union_takes_the_longer_namespace_order() -> None:
    short = metadata(
        namespaces=("nvidia",),
        providers={"nvidia": NVIDIA},
        variants={"a": {"nvidia": {"sm_arch": ("80_real",)}}},
    )

    joined = union([("a.whl", short), ("b.whl", metadata())])

    assert joined.namespaces == ("nvidia", "priority")
    assert set(joined.variants) == {"a", "null", "cuda13.0"}


@pytest.mark.parametrize(
    ("other", "key"),
    [
        pytest.param(
            metadata(variants={"cuda13.0": {"nvidia": {"sm_arch": ("80_real",)}}}),
            "variants/cuda13.0", id="label with another meaning",
        ),
        pytest.param(
            metadata(providers={"nvidia": NVIDIA, "priority": Provider(
                static_properties={"order": ("3", "2", "1")})}),
            "providers/priority", id="another provider",
        ),
        pytest.param(
            metadata(namespaces=("priority", "nvidia")),
            "default-priorities/namespace", id="another order",
        ),
    ],
)  # fmt: skip
def test_union_names_the_wheel_that_disagrees(other: VariantMetadata, key: str) -> None:
    with pytest.raises(MetadataError, match=f"b.whl: {key}: "):
        union([("a.whl", metadata()), ("b.whl", other)])


def test_union_of_nothing_is_an_error() -> None:
    with pytest.raises(MetadataError, match="at least one variant wheel"):
        union([])


def test_static_providers_answer_for_themselves() -> None:
    preferences = metadata().preferences({})

    assert preferences.is_compatible({"priority": {"order": ("2",)}})
    assert not preferences.is_compatible({"priority": {"order": ("4",)}})
    assert not preferences.is_compatible({"nvidia": {"sm_arch": ("90_real",)}})


@pytest.mark.parametrize(
    ("provider", "part"),
    [
        pytest.param(NVIDIA, None, id="the usual entry"),
        pytest.param(Provider(requires=("nvidia-variant-provider",), plugin_api=ENDPOINT), None,
                     id="no specifier"),
        pytest.param(PRIORITY, None, id="static"),
        pytest.param(replace(NVIDIA, optional=True), "optional", id="optional"),
        pytest.param(replace(NVIDIA, plugin_api=None), "plugin-api", id="bare"),
        pytest.param(Provider(requires=("nvidia-variant-provider>=0.0.2",), plugin_api=ENDPOINT),
                     "0.0.1", id="newer"),
        pytest.param(Provider(requires=("other",), plugin_api=ENDPOINT), "requires nv", id="name"),
        pytest.param(Provider(requires=("nvidia-variant-provider[x]",), plugin_api=ENDPOINT),
                     "extras", id="extra"),
        pytest.param(Provider(requires=("nvidia-variant-provider", "y"), plugin_api=ENDPOINT),
                     "exactly one", id="two requirements"),
    ],
)  # fmt: skip
def test_what_uv_skips(provider: Provider, part: str | None) -> None:
    reason = uv_skips(provider)

    assert reason is None if part is None else part in (reason or "")


@pytest.mark.parametrize(
    ("text", "build", "label"),
    [
        pytest.param("torch-2.15.0-cp312-cp312-manylinux_2_28_x86_64.whl", "", "", id="plain"),
        pytest.param(
            "torch-2.10.0-3-cp312-cp312-manylinux_2_28_x86_64.whl", "3", "", id="build tag"
        ),
        pytest.param("torch-2.15.0-cp312-cp312-win_amd64-cuda13.2.whl", "", "cuda13.2", id="label"),
        pytest.param("torch-2.10.0-3-cp312-cp312-win_amd64-null.whl", "3", "null", id="both"),
        pytest.param(
            "torch-2.15.0-cp312-cp312-win_amd64-00000000.whl", "", "00000000", id="digits"
        ),
    ],
)
def test_wheel_name(text: str, build: str, label: str) -> None:
    name = WheelName.parse(text)

    assert (name.build, name.label, str(name)) == (build, label, text)


def test_wheel_name_lists_its_platforms() -> None:
    name = WheelName.parse("a-1-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")

    assert name.platforms == ("manylinux_2_17_x86_64", "manylinux2014_x86_64")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("torch-2.15.0.tar.gz", id="no wheel"),
        pytest.param("torch-2.15.0-cp312-cp312.whl", id="too few"),
        pytest.param("torch-2.15.0-cp312-cp312-any-a-b.whl", id="seven, no build tag"),
        pytest.param("torch-2.15.0-1-cp312-cp312-any-a-b.whl", id="eight"),
        pytest.param("torch-2.15.0-cp312-cp312-any-CUDA.whl", id="upper-case label"),
        pytest.param("torch-2.15.0-cp312-cp312-any-.whl", id="empty label"),
        pytest.param("torch-two-cp312-cp312-any.whl", id="no version"),
    ],
)
def test_not_a_wheel_name(text: str) -> None:
    with pytest.raises(InvalidValueError):
        WheelName.parse(text)
