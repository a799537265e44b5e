"""Folders, metadata files, wheels and index pages give the same release."""

from __future__ import annotations

import hashlib
import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.explain.installed import find_installed, read_installed
from nvidia_variant_provider.tools.releases.source import read_release
from tests.tools.explain.releases import build, metadata_of, write_release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIANTS = {"cu130": build("13.0", "90_real"), "cu126": build("12.0", "70_real"), "null": {}}
JSON_TYPE = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_release(wheels, VARIANTS)
    return wheels


def test_a_folder_is_read(folder: Path) -> None:
    release = read_release(str(folder))

    assert (release.name, release.version, release.listed) == ("demo", "1.2", True)
    assert release.metadata == metadata_of(VARIANTS)
    assert sorted(wheel.label for wheel in release.wheels or ()) == ["", "cu126", "cu130", "null"]


def test_a_folder_without_the_file_is_read_from_its_wheels(tmp_path: Path) -> None:
    write_release(tmp_path, VARIANTS, listed=False)
    release = read_release(str(tmp_path))

    assert (release.metadata, release.listed) == (metadata_of(VARIANTS), False)


def test_a_metadata_file_brings_the_wheels_beside_it(folder: Path) -> None:
    (folder / "demo-1.2.1-variants.json").write_text("not read")
    release = read_release(str(folder / "demo-1.2-variants.json"))

    assert (release.version, len(release.wheels or ())) == ("1.2", 4)


def test_a_lone_metadata_file_is_enough(folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "demo-1.2-variants.json"
    alone.write_bytes((folder / "demo-1.2-variants.json").read_bytes())
    release = read_release(str(alone))

    assert (release.wheels, release.labels) == (None, ("cu126", "cu130", "null"))


def test_a_wheel_is_read_alone(folder: Path) -> None:
    release = read_release(str(folder / "demo-1.2-py3-none-any-cu130.whl"))

    assert (release.labels, len(release.wheels or ())) == (("cu130",), 1)


def test_the_newest_release_is_taken_unless_one_is_named(folder: Path) -> None:
    write_release(folder, VARIANTS, version="1.10")

    assert read_release(str(folder)).version == "1.10"
    assert read_release(str(folder), "demo==1.2").version == "1.2"
    assert read_release(str(folder), "Demo<1.5").version == "1.2"


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("other", "no wheel of other"),
        ("demo==9", "no wheel of demo==9"),
        ("demo ==", "expected a requirement"),
    ],
)
def test_a_package_that_is_not_there_says_so(folder: Path, package: str, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        read_release(str(folder), package)


def test_several_packages_have_to_be_named(folder: Path) -> None:
    (folder / "other-1.0-py3-none-any.whl").write_bytes(b"")

    with pytest.raises(InvalidValueError, match="several packages, name one: demo, other"):
        read_release(str(folder))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nothing-here", None, "no such file"),
        ("notes.txt", b"", "expected a folder of wheels"),
        ("demo-1.2-py3-none-any-x.whl", b"no zip", "not a zip"),
        ("demo-1.2-py3-none-any-x.whl", b"PK\x05\x06" + bytes(18), "seen no such folder"),
        ("demo-1.2-py3-none.whl", b"", "not a wheel's file name"),
        ("demo-1.2-variants.json", b"[1", "JSON"),
        ("demo-1.2-variants.json", b"[" * 100_000, "JSON"),
        ("demo-1.2-variants.json", b'{"a": 1, "a": 2}', "every key only once"),
        ("demo-1.2-variants.json", b"\xff\xfe", "JSON document in UTF-8"),
    ],
)
def test_what_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    try:
        trouble = read_release(str(path)).trouble
    except InvalidValueError as error:
        trouble = str(error)

    assert words in trouble


def test_files_that_are_no_wheels_are_passed_over(folder: Path) -> None:
    for name in ("README", "demo-1.2-py3.whl", "-variants.json", "demo-x-variants.json"):
        (folder / name).write_bytes(b"x")

    assert read_release(str(folder)).version == "1.2"


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="no wheel"):
        read_release(str(tmp_path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_a_damaged_wheel_is_read_or_refused(folder: Path, data: st.DataObject) -> None:
    path = folder / "demo-1.2-py3-none-any-cu130.whl"
    whole = path.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    damaged = folder.parent / path.name
    value = data.draw(st.integers(0, 255))
    damaged.write_bytes(whole[:position] + bytes([value]) + whole[position + 1 :])
    try:
        release = read_release(str(damaged))
        outcome = (release.metadata is not None, bool(release.trouble))
    except InvalidValueError as error:
        outcome = (False, str(damaged) in str(error))

    assert outcome in {(True, False), (False, True)}


class _Index(BaseHTTPRequestHandler):
    """A simple index of one folder; ``style`` is how its pages look."""

    def __init__(self, folder: Path, style: str, *rest: object) -> None:
        self.folder, self.style = folder, style
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.path == "/simple/demo/":
            self._page()
            return
        file = self.folder / self.path.rpartition("/")[2]
        if self.path.startswith("/files/") and file.is_file():
            self._answer(file.read_bytes(), "application/octet-stream")
        else:
            self.send_error(404)

    def _page(self) -> None:
        files = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        if self.style == "wrong-hash":
            hashes = dict.fromkeys(hashes, "0" * 64)
        if self.style == "json":
            listed = [
                {"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": hashes[name]}}
                for name in files
            ]
            self._answer(json.dumps({"files": listed}).encode(), JSON_TYPE)
            return
        if self.style == "local-files":
            links = [f'<a href="file://{self.folder}/{name}">{name}</a>' for name in files]
        else:
            links = [f'<a href="/files/{it}#sha256={hashes[it]}">{it}</a>' for it in files]
        self._answer(
            f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode(), "text/html"
        )

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def index(folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Index, folder, request.param))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("index", ["json", "html"], indirect=True)
def test_an_index_gives_the_same_release_as_the_folder(index: str, folder: Path) -> None:
    there = read_release(str(folder))

    for release in (read_release(index, "demo"), read_release(f"{index}/demo/")):
        assert (release.metadata, release.wheels) == (there.metadata, there.wheels)


@pytest.mark.parametrize("index", ["wrong-hash"], indirect=True)
def test_metadata_with_another_hash_is_not_used(index: str) -> None:
    assert "sha256 0000" in read_release(index, "demo").trouble


@pytest.mark.parametrize("index", ["local-files"], indirect=True)
def test_a_page_cannot_make_us_read_local_files(index: str) -> None:
    with pytest.raises(InvalidValueError, match="expected an http or https address"):
        read_release(index, "demo")


@pytest.mark.parametrize("index", ["json"], indirect=True)
def test_a_package_that_the_index_lacks_is_a_clear_error(index: str) -> None:
    with pytest.raises(InvalidValueError, match="404"):
        read_release(index, "other")


def test_an_index_that_does_not_answer_is_a_clear_error() -> None:
    with pytest.raises(InvalidValueError, match=r"http://127\.0\.0\.1:9/: .*refused"):
        read_release("http://127.0.0.1:9/")


def test_other_schemes_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="expected an http or https address"):
        read_release("ftp://127.0.0.1/")


def unpack(folder: Path, label: str, site: Path) -> None:
    import zipfile

    suffix = f"-{label}" if label else ""
    with zipfile.ZipFile(folder / f"demo-1.2-py3-none-any{suffix}.whl") as archive:
        archive.extractall(site)


def test_an_installed_variant_is_found(folder: Path, tmp_path: Path) -> None:
    unpack(folder, "cu126", tmp_path / "site")

    assert read_installed(find_installed("Demo", [str(tmp_path / "site")])).labels == ("cu126",)


def test_an_installed_wheel_without_a_label_has_no_variant(folder: Path, tmp_path: Path) -> None:
    unpack(folder, "", tmp_path / "site")
    release = read_installed(find_installed("demo", [str(tmp_path / "site")]))

    assert (release.metadata, release.labels) == (None, ())


def test_what_is_not_installed_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="demo: not installed here"):
        find_installed("demo", [str(tmp_path)])


def test_a_damaged_installed_file_says_so(folder: Path, tmp_path: Path) -> None:
    unpack(folder, "cu126", tmp_path)
    (tmp_path / "demo-1.2.dist-info" / "variant.json").write_text("{")

    with pytest.raises(InvalidValueError, match=r"variant\.json"):
        read_installed(find_installed("demo", [str(tmp_path)]))
