"""The formats by their URL, and what is written."""

from __future__ import annotations

import itertools
import json

import pytest

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.tools.convert.document import TARGETS, convert
from nvidia_variant_provider.tools.metadata.document import (
    SCHEMA_825,
    SCHEMA_850,
    SCHEMA_850_VARIANTLIB,
)
from nvidia_variant_provider.tools.metadata.readers import UV
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.metadata.schemas import (
    SCHEMAS,
    Schema,
    Specification,
    Standing,
    schema_of,
    standing_of,
)
from nvidia_variant_provider.tools.metadata.union import union
from tests.tools.metadata.documents import BASE, Json, changed

ROOT = "https://variants-schema.wheelnext.dev"
FINAL = "https://packaging.python.org/variants"
# As it may look once there is a final version; the other row has an unusual minor number.
LATER = (*SCHEMAS, Schema(f"{FINAL}/v1.2.0.json", "1.2.0", Specification.PEP_850))


@pytest.mark.parametrize(
    ("url", "standing"),
    [
        (SCHEMA_825, Standing.KNOWN),
        (SCHEMA_850, Standing.KNOWN),
        (SCHEMA_850_VARIANTLIB, Standing.KNOWN),
        (f"{ROOT}/", Standing.DRAFT),
        (f"{ROOT}/v0.0.3.json", Standing.DRAFT),
        (f"{ROOT}/peps/850/v0.2.1.json", Standing.UNKNOWN),
        (f"{ROOT}/peps/850/v0.3.0.json", Standing.UNKNOWN),
        (f"{ROOT}/peps/850/v9.0.0.json", Standing.UNKNOWN_MAJOR),
        (f"{FINAL}/v2.0.0.json", Standing.UNKNOWN_MAJOR),
        (f"{FINAL}/v1.2.0.json", Standing.KNOWN),
        (f"{FINAL}/v1.3.0.json", Standing.NEWER_MINOR),
        (f"{FINAL}/v1.2.1.json", Standing.NEWER_MINOR),
        (f"{FINAL}/v1.10.0.json", Standing.NEWER_MINOR),
        (f"{FINAL}/v1.1.0.json", Standing.UNKNOWN_MAJOR),
        ("https://invented.example/v1.3.0.json", Standing.UNKNOWN_MAJOR),
        ("https://invented.example/v9.json", Standing.UNKNOWN),
        ("", Standing.UNKNOWN),
    ],
)
def test_a_url_stands_for_a_version_or_for_none(url: str, standing: Standing) -> None:
    assert standing_of(url, LATER) is standing


def test_a_newer_minor_version_has_the_format_of_its_major_one() -> None:
    assert schema_of(f"{FINAL}/v1.9.0.json", LATER) == LATER[-1]


@pytest.mark.parametrize("name", ["schema 2.0.0", "schema 850/9.0.0", "schema 0.2.1"])
def test_an_unknown_version_is_refused_whoever_else_reads_it(name: str) -> None:
    data = json.dumps(changed(name)).encode()

    assert parse_metadata(data, "x", UV).namespaces == ("nvidia", "blas")
    with pytest.raises(MetadataError, match=r"x: \$schema: seen .* expected a version known here"):
        parse_metadata(data, "x")


@pytest.mark.parametrize("name", ["schema 2.0.0", "schema 850/9.0.0", "schema 0.2.1"])
def test_convert_sets_nothing_back_that_a_newer_tool_wrote(name: str) -> None:
    with pytest.raises(MetadataError, match="a newer one is not set back"):
        convert(changed(name), "x", TARGETS["850"])


def part(label: str, url: str) -> Json:
    return {**BASE, "$schema": url, "variants": {label: BASE["variants"][label]}}


def test_a_union_is_the_same_in_every_order_and_names_the_url_that_is_written() -> None:
    documents = [
        part("cu", SCHEMA_850_VARIANTLIB),
        part("mkl", SCHEMA_850),
        part("null", SCHEMA_850_VARIANTLIB),
    ]
    parts = [(str(index), parse_metadata(json.dumps(it).encode(), "x"))
             for index, it in enumerate(documents)]  # fmt: skip

    found = {union(order).to_json() for order in itertools.permutations(parts)}
    assert found == {parse_metadata(json.dumps(BASE).encode(), "x").to_json()}


@pytest.mark.parametrize(
    "name",
    ["static map empty", "static list empty", "label of an empty namespace", "static optional"],
)
def test_what_an_entry_says_survives_writing(name: str) -> None:
    read = parse_metadata(json.dumps(changed(name)).encode(), "x")

    assert json.loads(read.to_json()) == changed(name)
