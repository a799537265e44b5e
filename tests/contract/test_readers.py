"""The readers of variant metadata against the programs whose reading they repeat.

Documents of every kind are put beside wheels and installed from, over folders and over HTTP; what
the real installer takes is compared with what ``explain`` predicts.
"""

from __future__ import annotations

import copy
import json
import re
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

import pytest
from variantlib.api import get_variants_by_priority
from variantlib.variants_json import VariantsJson

from nvidia_variant_provider.errors import MetadataError
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.index.pages import project_html
from nvidia_variant_provider.tools.installers.table import UV
from nvidia_variant_provider.tools.metadata.readers import PEP, VARIANTLIB
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.releases.source import read_release
from tests.tools.lint.releases import carried, read_base, write_wheel
from tests.tools.lint.serving import serve
from tests.tools.lint.uv import uv_install
from tests.tools.metadata.documents import CHANGES, NULLS, Json, changed, made_up, with_null

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clients

HOPPER = {
    "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0",
    "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
}
MACHINE = parse_target("h100@580").machine()
TAGS = "demo-1.0-py3-none-any"
INDEX = "demo-1.0-variants.json"


def publish(folder: Path, document: Json, *, listed: bool = True) -> Path:
    """Write a wheel for each label, one without, and the document unless it is to be absent."""
    folder.mkdir(parents=True)
    labels = document.get("variants") or {}
    for label in labels:
        variant = carried(read_base()["index"], "null") | {"variants": {label: {}}}
        write_wheel(folder / f"{TAGS}-{label}.whl", variant)
    write_wheel(folder / f"{TAGS}.whl", None)
    if listed:
        (folder / INDEX).write_text(json.dumps(document))
    return folder


def serve_page(folder: Path) -> Path:
    """Write the project's page beside its files."""
    files = {it.name: it.read_bytes() for it in sorted(folder.iterdir())}
    listed = [
        PageFile(name, f"../../{name}", sha256(data).hexdigest()) for name, data in files.items()
    ]
    page = folder / "simple" / "demo"
    page.mkdir(parents=True)
    (page / "index.html").write_text(project_html("demo", listed))
    return folder


def prefers(label: str | None) -> str:
    return {None: "refused", "": ORDINARY}.get(label, str(label))


def predicted(source: str) -> str:
    return explain(read_release(source, "demo==1.0"), MACHINE).view(UV).winner or "refused"


@pytest.mark.parametrize("name", CHANGES)
def test_uv_installs_what_its_reader_predicts(name: str, tmp_path: Path) -> None:
    folder = publish(tmp_path / "release", changed(name))
    done = uv_install(HOPPER, "--find-links", str(folder), "--no-index", "demo")

    assert predicted(str(folder)) == prefers(done.label), done.stderr


@pytest.mark.parametrize("path", NULLS, ids="/".join)
def test_uv_takes_null_where_its_reader_does(path: tuple[str, ...], tmp_path: Path) -> None:
    folder = publish(tmp_path / "release", with_null(path))
    done = uv_install(HOPPER, "--find-links", str(folder), "--no-index", "demo")

    assert predicted(str(folder)) == prefers(done.label), done.stderr


def disagreements(folder: Path, count: int, seed: int) -> list[tuple[str, str, str]]:
    """Return the made-up documents that uv and its reader do not agree on, over folder and HTTP."""
    source = Random(seed)  # noqa: S311 - no secret: the same cases in every run
    wrong = []
    for number in range(count):
        document = made_up(source)
        place = publish(folder / str(number), document, listed=source.random() < 0.9)
        if number % 3:
            links = ("--find-links", str(place), "--no-index", "demo")
            expected, done = predicted(str(place)), uv_install(HOPPER, *links)
        else:
            with serve(serve_page(place)) as server:
                address = f"{server.url}/simple/"
                expected = predicted(address)
                done = uv_install(HOPPER, "--index-url", address, "demo")
        if expected != prefers(done.label):
            wrong.append((json.dumps(document), expected, prefers(done.label)))
    return wrong


def test_uv_and_its_reader_agree_on_made_up_documents(tmp_path: Path) -> None:
    assert disagreements(tmp_path, 60, seed=850) == []


@pytest.mark.deep
def test_uv_and_its_reader_agree_on_thousands_of_documents(tmp_path: Path) -> None:
    assert disagreements(tmp_path, 3000, seed=825) == []


def is_read_by_variantlib(document: Json) -> bool:
    try:
        VariantsJson(copy.deepcopy(document))
    except Exception:  # noqa: BLE001 - it fails in ways of its own on wrong types
        return False
    return True


def is_read(document: Json) -> bool:
    try:
        parse_metadata(json.dumps(document).encode(), INDEX, VARIANTLIB)
    except MetadataError:
        return False
    return True


@pytest.mark.parametrize(
    "document",
    [*map(changed, CHANGES), *map(with_null, NULLS)],
    ids=[*CHANGES, *map("/".join, NULLS)],
)
def test_variantlib_reads_what_its_reader_reads(document: Json) -> None:
    assert is_read(document) == is_read_by_variantlib(document)


def test_variantlib_and_its_reader_agree_on_thousands_of_documents() -> None:
    source = Random(850)  # noqa: S311 - likewise
    documents = [made_up(source) for _ in range(3000)]

    wrong = [it for it in documents if is_read(it) != is_read_by_variantlib(it)]
    assert wrong == []
    assert 300 < sum(map(is_read, documents)) < 2700


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in CHANGES
        if is_read(changed(name))
        and not re.match("builtin|requires|endpoint (odd|empty)|static value", name)
    ],
)
def test_variantlib_orders_as_its_reader_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in HOPPER.items():
        monkeypatch.setenv(variable, value)
    document = changed(name)
    metadata = parse_metadata(json.dumps(document).encode(), INDEX, VARIANTLIB)
    provider = (metadata.providers or {})["nvidia"]
    from nvidia_variant_provider.plugin import NvidiaVariantPlugin

    offers = () if provider.optional else NvidiaVariantPlugin.get_supported_configs()
    preferred = metadata.preferences({"nvidia": offers}, reader=VARIANTLIB)

    found = [it.label for it in get_variants_by_priority(variants_json=document)]
    # It counts the null variant in whether there is such a wheel or not.
    assert list(preferred.order(metadata.variants)) == [
        it for it in found if it in metadata.variants
    ]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        pytest.param("static optional", "cu", id="an optional provider"),
        pytest.param("label without properties", "cu", id="a label without properties"),
        pytest.param("label of an empty namespace", "cu", id="a namespace without features"),
        pytest.param("static list empty", "cu", id="an empty list"),
        pytest.param("static map empty", "cu", id="an empty map"),
        pytest.param("schema of 825, no providers", "null", id="PEP 825"),
    ],
)
def test_what_the_format_allows_is_valid(name: str, label: str, tmp_path: Path) -> None:
    document = changed(name)
    metadata = parse_metadata(json.dumps(document).encode(), INDEX, PEP)
    folder = publish(tmp_path / "release", document)

    assert set(metadata.variants) == set(document["variants"])
    assert predicted(str(folder)) == label


@pytest.mark.parametrize(
    "name",
    [
        "no namespaces", "namespaces empty", "requires empty", "requires empty beside static",
        "order empty", "schema 2.0.0", "schema 850/9.0.0", "schema 0.2.1", "no schema",
        "null with properties", "feature without values", "requires other", "endpoint odd",
        "builtin unknown", "schema of 825", "value repeated", "namespace repeated",
    ],
)  # fmt: skip
def test_what_the_format_forbids_is_not_valid(name: str) -> None:
    with pytest.raises(MetadataError):
        parse_metadata(json.dumps(changed(name)).encode(), INDEX, PEP)
