"""Which variant metadata uv reads, beside ours: what we accept, uv must accept.

uv may be more lenient than the specification; where it is, the case says so.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from variantlib.variants_json import VariantsJson

from examples.torch.clients import ClientError, install_with_uv
from examples.torch.wheels import null_wheel, release_metadata, write_wheel
from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.tools.metadata.document import (
    SCHEMA_825,
    SCHEMA_850,
    SCHEMA_850_VARIANTLIB,
)
from nvidia_variant_provider.tools.metadata.model import Provider
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.wheels.name import WheelName

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clients

FORCED = {
    "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.8",
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
}
METADATA = release_metadata(
    {
        "null": {},
        "x": {"nvidia": {"cuda_version_lower_bound": ("12.0",)}, "priority": {"order": ("1",)}},
    },
    static={"priority": Provider(static_properties={"order": ("1", "2")})},
)
LOWER_BOUND = "variants/x/nvidia/cuda_version_lower_bound"
STATIC = "providers/priority/static-properties"


class Change(Enum):
    """What happens to a key."""

    REMOVE = "removed"


def with_change(path: str, value: object) -> str:
    document: dict[str, Any] = json.loads(METADATA.to_json())
    *parents, last = path.split("/")
    place = document
    for step in parents:
        place = place[step]
    if value is Change.REMOVE:
        del place[last]
    else:
        place[last] = value
    return json.dumps(document)


def is_read_by_uv(folder: Path, text: str) -> bool:
    name = null_wheel("p", "1")
    write_wheel(folder, name, METADATA)
    write_wheel(folder, WheelName("p", "1", "", "py3", "none", "any", "x"), METADATA)
    (folder / name.metadata_name).write_text(text, encoding="utf-8")
    try:
        install_with_uv(folder, ["p==1"], FORCED)
    except ClientError as error:
        # Any other failure would make the comparison void.
        if "invalid metadata" not in str(error):
            raise
        return False
    return True


def is_read_by_us(text: str) -> bool:
    try:
        parse_metadata(text.encode(), "p-1-variants.json")
    except MetadataError:
        return False
    return True


READ_BY_BOTH = [
    pytest.param("$schema", SCHEMA_850, id="schema, as uv names it"),
    pytest.param("$schema", SCHEMA_850_VARIANTLIB, id="schema, as variantlib names it"),
    pytest.param("$schema", "https://invented.example/v9.json", id="schema nobody knows"),
    pytest.param(LOWER_BOUND, ["12.0", "11.0"], id="unsorted values"),
    pytest.param("providers/priority/feature-order", ["order"], id="order of one feature"),
    pytest.param("providers/priority", {"builtin": "abi_dependency"}, id="builtin"),
    pytest.param("providers/nvidia/optional", False, id="optional stated as false"),
]

READ_BY_NEITHER = [
    pytest.param("$schema", Change.REMOVE, id="no schema"),
    pytest.param("providers", Change.REMOVE, id="no providers in PEP 850"),
    pytest.param("default-priorities", Change.REMOVE, id="no priorities"),
    pytest.param("providers/nvidia/enable-if", "True", id="key of an older draft"),
    pytest.param("static-properties", {}, id="top-level key of an older draft"),
    pytest.param("invented", 1, id="unknown top-level key"),
    pytest.param("default-priorities/feature", {}, id="unknown priority"),
    pytest.param("providers/priority", {"build-requires": ["x"]}, id="build-time provider"),
    pytest.param(LOWER_BOUND, "12.0", id="text for a list"),
    pytest.param(LOWER_BOUND, [], id="no value"),
    pytest.param(LOWER_BOUND, ["12.0", "12.0"], id="repeated value"),
    pytest.param(LOWER_BOUND, ["12.A"], id="upper case in a value"),
    pytest.param("variants/X", {"priority": {"order": ["1"]}}, id="upper case in a label"),
    pytest.param("variants/x/foo-bar", {"a": ["b"]}, id="dash in a namespace"),
    pytest.param("variants/null", {"priority": {"order": ["1"]}}, id="null with properties"),
    pytest.param("variants/y", {"amd": {"a": ["b"]}}, id="namespace without a provider"),
    pytest.param("default-priorities/namespace", ["nvidia"], id="provider without a priority"),
    pytest.param(
        "default-priorities/namespace", ["nvidia", "priority", "amd"], id="priority of nobody"
    ),
    pytest.param(
        "default-priorities/namespace", ["nvidia", "nvidia", "priority"], id="repeated priority"
    ),
    pytest.param("providers/nvidia/static-properties", {"a": ["b"]}, id="two kinds of provider"),
    pytest.param("providers/nvidia/optional", "yes", id="text for a truth"),
    pytest.param("providers/priority/plugin-api", "a:b", id="plugin of a static provider"),
    pytest.param("providers/priority/feature-order", ["other"], id="order of another feature"),
    pytest.param(STATIC, {"order": ["1"], "b": ["1"]}, id="several features without an order"),
    pytest.param(STATIC, {"order": ["1", "1"]}, id="repeated static value"),
]

READ_BY_UV_ONLY = [
    pytest.param("$schema", SCHEMA_825, id="providers under PEP 825"),
    pytest.param("variants/x/nvidia", {}, id="namespace without features"),
    pytest.param("variants/y", {}, id="second null variant"),
    pytest.param("providers/nvidia/requires", ["a>=,"], id="malformed requirement"),
    pytest.param("providers/nvidia/requires", [], id="no requirement"),
    pytest.param("providers/nvidia/plugin-api", "a b", id="malformed endpoint"),
    pytest.param(STATIC, {}, id="no static property"),
    pytest.param("providers/priority", {"builtin": "invented"}, id="unknown builtin"),
]


@pytest.mark.parametrize(("path", "value"), READ_BY_BOTH)
def test_read_by_us_uv_and_variantlib(tmp_path: Path, path: str, value: object) -> None:
    text = with_change(path, value)

    assert (is_read_by_us(text), is_read_by_uv(tmp_path, text)) == (True, True)
    assert set(VariantsJson(json.loads(text)).variants) == {"null", "x"}


@pytest.mark.parametrize(("path", "value"), READ_BY_NEITHER)
def test_refused_by_us_and_uv(tmp_path: Path, path: str, value: object) -> None:
    text = with_change(path, value)

    assert (is_read_by_us(text), is_read_by_uv(tmp_path, text)) == (False, False)


@pytest.mark.parametrize(("path", "value"), READ_BY_UV_ONLY)
def test_refused_by_us_alone(tmp_path: Path, path: str, value: object) -> None:
    """What the specification forbids and uv lets pass; a packager hears of it from us."""
    text = with_change(path, value)

    assert (is_read_by_us(text), is_read_by_uv(tmp_path, text)) == (False, True)
