"""The static index: what is written, and that the real uv and pip install from it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import clean_environment
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli.main import main
from nvidia_variant_provider.tools.index.plan import plan_index
from nvidia_variant_provider.tools.index.releases import FaultyFolderError
from nvidia_variant_provider.tools.lint.engine import lint
from nvidia_variant_provider.tools.metadata.reading import parse_metadata
from tests.tools.lint.releases import (
    Json,
    carried,
    merge_patch,
    read_base,
    write_release,
    write_wheel,
)
from tests.tools.lint.serving import serve
from tests.tools.lint.uv import uv_install

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "demo-1.0-py3-none-manylinux_2_28_x86_64.whl"
WHEEL = "demo-1.0-py3-none-manylinux_2_28_x86_64-cuda13.0.whl"
JSON = "demo-1.0-variants.json"


def release(folder: Path, patch: Json | None = None) -> Path:
    """Write the release of docs/lint.md without its metadata file."""
    write_release(folder, merge_patch(read_base(), patch or {}))
    (folder / JSON).unlink(missing_ok=True)
    return folder


def machine(cuda: str, capability: str) -> dict[str, str]:
    return {
        "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": cuda,
        "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": capability,
    }


def names(folder: Path) -> set[str]:
    return {str(it.relative_to(folder)) for it in folder.rglob("*") if it.is_file()}


class Anchors(HTMLParser):
    """The attributes and the text of every link of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str | None], str]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append((dict(attrs), ""))
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._inside:
            attributes, text = self.found[-1]
            self.found[-1] = (attributes, text + data)


def test_everything_that_installers_ask_for_is_written(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    wheels = names(folder)
    plan_index(folder).write()

    assert names(folder) - wheels == {
        JSON,
        *(f"{it}.metadata" for it in wheels),
        "simple/index.html",
        "simple/index.json",
        "simple/demo/index.html",
        "simple/demo/index.json",
    }


def test_the_metadata_is_that_of_all_wheels(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    plan_index(folder).write()

    expected = parse_metadata(json.dumps(read_base()["index"]).encode(), "x")
    assert parse_metadata((folder / JSON).read_bytes(), JSON) == expected
    assert lint([str(folder)]).findings == ()


def test_html_and_json_list_the_same_files_with_true_hashes(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    plan_index(folder).write()
    page = json.loads((folder / "simple/demo/index.json").read_text())
    anchors = Anchors((folder / "simple/demo/index.html").read_text()).found

    assert page["versions"] == ["1.0"]
    assert [text for _, text in anchors] == [it["filename"] for it in page["files"]]
    for (attributes, _), it in zip(anchors, page["files"], strict=True):
        data = (folder / "simple/demo" / it["url"]).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        assert (it["hashes"], it["size"]) == ({"sha256": digest}, len(data))
        assert attributes["href"] == f"{it['url']}#sha256={digest}"
        core = it.get("core-metadata", {}).get("sha256")
        assert attributes.get("data-core-metadata") == (core and f"sha256={core}")
        if core:
            beside_it = (folder / f"{it['filename']}.metadata").read_bytes()
            assert hashlib.sha256(beside_it).hexdigest() == core


def test_requires_python_and_odd_characters_are_escaped(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    write_wheel(
        folder / "demo-2.0+local.1-py3-none-any.whl", None, ["x\nRequires-Python: >=3.10,<4"]
    )
    plan_index(folder).write()

    text = (folder / "simple/demo/index.html").read_text()
    (attributes,) = [it for it, name in Anchors(text).found if name.startswith("demo-2.0")]
    assert attributes["data-requires-python"] == ">=3.10,<4"
    assert (attributes["href"] or "").startswith(
        "../../demo-2.0%2Blocal.1-py3-none-any.whl#sha256="
    )


def test_a_base_url_stands_before_every_file(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    plan_index(folder, base_url="https://files.example/torch/").write()

    page = json.loads((folder / "simple/demo/index.json").read_text())
    assert {it["url"] for it in page["files"]} == {
        f"https://files.example/torch/{it['filename']}" for it in page["files"]
    }


def test_source_distributions_are_listed_and_other_archives_are_not(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    for name in ("demo-1.0.tar.gz", "backup.tar.gz"):
        with tarfile.open(folder / name, "w:gz"):
            pass
    plan_index(folder).write()

    page = json.loads((folder / "simple/demo/index.json").read_text())
    assert [it["filename"] for it in page["files"] if it["filename"].endswith(".gz")] == [
        "demo-1.0.tar.gz"
    ]


def test_projects_and_versions_are_told_apart(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    document = read_base()["index"]
    for name in ("My.Demo-1.0-py3-none-any-null.whl", "my_demo-1.0.0-py3-none-any-cuda13.0.whl"):
        write_wheel(folder / name, carried(document, name.removesuffix(".whl").split("-")[-1]))
    plan_index(folder).write()

    root = json.loads((folder / "simple/index.json").read_text())
    assert root["projects"] == [{"name": "demo"}, {"name": "my-demo"}]
    metadata = parse_metadata((folder / "my_demo-1.0-variants.json").read_bytes(), "x")
    assert set(metadata.variants) == {"null", "cuda13.0"}


def test_only_some_variants_into_another_folder(tmp_path: Path) -> None:
    folder, mirror = release(tmp_path / "dist"), tmp_path / "mirror"
    plan_index(folder, only={"cuda12.6"}, output=mirror).write()

    assert {it for it in names(mirror) if it.endswith(".whl")} == {
        PLAIN,
        WHEEL.replace("13.0", "12.6"),
    }
    assert set(parse_metadata((mirror / JSON).read_bytes(), JSON).variants) == {"cuda12.6"}
    assert not (folder / JSON).exists()


def test_only_some_variants_in_place_rewrites_the_metadata(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    plan_index(folder).write()
    plan_index(folder, only={"cuda12.6", "null"}).write()

    assert set(parse_metadata((folder / JSON).read_bytes(), JSON).variants) == {"cuda12.6", "null"}
    page = json.loads((folder / "simple/demo/index.json").read_text())
    assert WHEEL not in {it["filename"] for it in page["files"]}


def test_what_an_earlier_run_left_is_cleared(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    write_wheel(folder / "gone-1-py3-none-any.whl", None)
    plan_index(folder).write()
    (folder / "gone-1-py3-none-any.whl").unlink()
    kept = {"Demo-1.0.0-variants.json": False, "other-2-variants.json": True, "simple/x.txt": True}
    for name in kept:
        (folder / name).write_text("{}")
    plan_index(folder).write()

    assert {name: (folder / name).exists() for name in kept} == kept
    assert not (folder / "simple/gone").exists()


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    plan_index(folder).write()
    before = {it: (it.stat().st_mtime_ns, it.stat().st_ino) for it in folder.rglob("*")}
    plan_index(folder).write()

    assert {it: (it.stat().st_mtime_ns, it.stat().st_ino) for it in folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("patch", "part"),
    [
        pytest.param({"wheels": {WHEEL: {"variant": {"variants": {"cuda13.0": None, "x": {
            "nvidia": {"sm_arch": ["90_real"]}}}}}}}, "only cuda13.0", id="other label"),
        pytest.param({"wheels": {WHEEL.replace("x86_64", "aarch64"): {"variant": {"variants": {
            "cuda13.0": {"nvidia": {"sm_arch": ["90_real"]}}}}}}}, "as in the other wheels",
            id="two meanings of a label"),
        pytest.param({"wheels": {WHEEL: "junk"}}, "cut short, or not a zip", id="damaged"),
    ],
)  # fmt: skip
def test_wheels_that_contradict_stop_it_before_anything_is_written(
    patch: Json, part: str, tmp_path: Path
) -> None:
    folder = release(tmp_path / "dist", patch)
    before = names(folder)

    with pytest.raises(InvalidValueError, match=part):
        plan_index(folder)
    assert names(folder) == before


def test_a_variant_wheel_without_metadata_is_an_error(tmp_path: Path) -> None:
    write_wheel(tmp_path / WHEEL, None)

    with pytest.raises(FaultyFolderError, match=r"no variant\.json"):
        plan_index(tmp_path)


def test_every_wheel_that_is_in_the_way_is_named_and_nothing_written(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    names = sorted(it.name for it in folder.glob("*.whl"))
    for name in names[:2]:
        (folder / name).write_bytes(b"cut short")
    write_wheel(folder / "other-1.0-py3-none-any-cu.whl", None)
    before = sorted(folder.iterdir())

    with pytest.raises(FaultyFolderError) as caught:
        plan_index(folder)

    assert [it.partition(": ")[0].rpartition("/")[2] for it in caught.value.faults] == [
        *names[:2],
        "other-1.0-py3-none-any-cu.whl",
    ]
    assert sorted(folder.iterdir()) == before


def test_contradictions_of_several_releases_are_named_at_once(tmp_path: Path) -> None:
    patch = {"variant": {"variants": {"cuda13.0": {"nvidia": {"sm_arch": ["50_real"]}}}}}
    base = read_base()
    for version in ("1.0", "2.0"):
        wheels = {it.replace("1.0", version, 1): details for it, details in base["wheels"].items()}
        best = next(it for it in wheels if it.endswith("-cuda13.0.whl"))
        more = best.replace("manylinux_2_28_x86_64", "win_amd64")
        described = {**base, "index": None, "wheels": {**wheels, more: patch}}
        write_release(tmp_path / "dist", described)

    with pytest.raises(FaultyFolderError) as caught:
        plan_index(tmp_path / "dist")

    assert [("1.0" in it, "2.0" in it) for it in caught.value.faults] == [
        (True, False),
        (False, True),
    ]


def test_a_label_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"'cuda13'; has cuda12\.6, cuda13\.0, null"):
        plan_index(release(tmp_path / "dist"), only={"cuda13"})


def test_where_links_cannot_be_made_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, mirror = release(tmp_path / "dist"), tmp_path / "mirror"

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    for _ in range(2):
        plan_index(folder, output=mirror).write()

    assert (mirror / WHEEL).read_bytes() == (folder / WHEEL).read_bytes()
    assert not (mirror / WHEEL).samefile(folder / WHEEL)


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_folder_without_wheels_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=str(tmp_path)):
        plan_index(tmp_path / name)


@pytest.mark.clients
@pytest.mark.parametrize("as_json", [False, True], ids=["html", "json"])
@pytest.mark.parametrize(
    ("cuda", "capability", "expected"),
    [("13.0", "9.0", "cuda13.0"), ("12.8", "6.1", "cuda12.6"), ("11.8", "9.0", "null")],
)
def test_uv_installs_the_right_build_over_http(
    cuda: str, capability: str, expected: str, *, as_json: bool, tmp_path: Path
) -> None:
    folder = release(tmp_path / "dist")
    plan_index(folder).write()
    with serve(folder, as_json=as_json) as server:
        index_url = ("--index-url", f"{server.url}/simple/")
        done = uv_install(machine(cuda, capability), *index_url, "demo")

    assert done.label == expected, done.stderr
    assert {f"/{JSON}", f"/{WHEEL.replace('cuda13.0', expected)}.metadata"} <= set(server.asked)


@pytest.mark.clients
def test_uv_accepts_the_hashes_that_a_second_run_remembers(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    for path in folder.iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    assert main(["index", str(folder)]) == 0
    (folder / "simple/demo/index.html").unlink()
    assert main(["index", str(folder)]) == 0
    with serve(folder) as server:
        index_url = ("--index-url", f"{server.url}/simple/")
        done = uv_install(machine("13.0", "9.0"), *index_url, "demo")

    assert done.label == "cuda13.0", done.stderr


@pytest.mark.clients
def test_uv_takes_the_ordinary_wheel_where_the_mirror_has_no_build(tmp_path: Path) -> None:
    folder, mirror = release(tmp_path / "dist"), tmp_path / "mirror"
    plan_index(folder, only={"cuda13.0"}, output=mirror).write()
    with serve(mirror) as server:
        index_url = ("--index-url", f"{server.url}/simple/")
        found = [
            uv_install(machine("13.0", capability), *index_url, "demo").label
            for capability in ("9.0", "6.1")
        ]

    assert found == ["cuda13.0", ""]


@pytest.mark.clients
def test_uv_installs_from_another_place_than_the_pages(tmp_path: Path) -> None:
    folder, pages = release(tmp_path / "dist"), tmp_path / "pages"
    with serve(tmp_path) as server:
        plan_index(folder, base_url=f"{server.url}/dist", output=pages).write()
        # What was written beside the pages belongs beside the wheels.
        for path in [it for it in pages.iterdir() if it.is_file()]:
            path.rename(folder / path.name)
        index_url = ("--index-url", f"{server.url}/pages/simple/")
        done = uv_install(machine("13.0", "9.0"), *index_url, "demo")

    assert done.label == "cuda13.0", done.stderr


@pytest.mark.clients
def test_uv_refuses_metadata_that_is_not_what_was_indexed(tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    plan_index(folder).write()
    (folder / JSON).write_text((folder / JSON).read_text() + "\n")
    with serve(folder) as server:
        done = uv_install(machine("13.0", "9.0"), "--index-url", f"{server.url}/simple/", "demo")

    assert done.label is None
    assert "ash mismatch" in done.stderr


@pytest.mark.clients
@pytest.mark.parametrize("as_json", [False, True], ids=["html", "json"])
def test_pip_installs_the_ordinary_wheel_over_http(*, as_json: bool, tmp_path: Path) -> None:
    folder = release(tmp_path / "dist")
    write_wheel(folder / "demo-1.0-py3-none-any.whl", None)
    plan_index(folder).write()
    environment = {it: text for it, text in clean_environment().items() if it[:4] != "PIP_"}
    with serve(folder, as_json=as_json) as server:
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--index-url",
             f"{server.url}/simple/", "--target", str(tmp_path / "target"), "demo"],
            env=environment | {"PIP_CONFIG_FILE": os.devnull},
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip

    assert (tmp_path / "target/demo/__init__.py").read_text() == "build = ''\n"
    assert any(it.endswith(".whl.metadata") for it in server.asked)
