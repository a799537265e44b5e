"""Wheels of an index, read in parts: what is asked for, and what ends as fault or as unread."""

from __future__ import annotations

import os
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.explain.results import ORDINARY
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.installers.table import PROVIDER, UV
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.remote_wheel import read_remote_wheel
from nvidia_variant_provider.tools.releases.source import read_release
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from nvidia_variant_provider.tools.wheels.name import WheelName
from tests.tools.lint.releases import read_base, write_release
from tests.wheel_maker import METADATA, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOPPER = parse_target("h100@580").machine()
BEST = "demo-1.0-py3-none-manylinux_2_28_x86_64-cuda13.0.whl"
NAME = "demo-1.0-py3-none-any-null.whl"


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, with ranges or without."""

    def __init__(self, *args: object, sent: list[int], ranges: bool, **more: object) -> None:
        self.sent, self.ranges = sent, ranges
        super().__init__(*args, **more)  # type: ignore[arg-type]  # handed on as they came

    def do_GET(self) -> None:
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not (wanted and self.ranges and os.path.isfile(self.translate_path(self.path))):
            super().do_GET()
            return
        with open(self.translate_path(self.path), "rb") as file:
            data = file.read()
        start = int(wanted[1]) if wanted[1] else max(0, len(data) - int(wanted[2]))
        end = min(len(data), int(wanted[2]) + 1 if wanted[1] else len(data))
        self.sent.append(end - start)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        self.wfile.write(data[start:end])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Served:
    """A server and how many bytes each of its parts had."""

    def __init__(self, folder: Path, *, ranges: bool) -> None:
        self.sent: list[int] = []
        handler = partial(Handler, directory=str(folder), sent=self.sent, ranges=ranges)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(params=[True, False], ids=["ranges", "no ranges"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path, ranges=request.param)
    yield found
    found.server.shutdown()
    found.server.server_close()


def read(served: Served, name: str = NAME) -> tuple[bytes, bytes | None, str, str]:
    found = read_remote_wheel(f"{served.url}/{name}", WheelName.parse(name), Fetcher({}))
    return found.metadata, found.variant, found.fault, found.unread


def test_a_large_wheel_is_read_in_few_small_parts(served: Served, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"demo/lib.so": bytes(range(256)) * 40_000}, method=0)
    variant = build_variant("null", {})
    write_variant(wheel, tmp_path, variant)

    assert read(served) == (METADATA, variant.to_json().encode(), "", "")
    # METADATA lies before the large member here, everything else behind it.
    assert len(served.sent) in {0, 2}
    assert sum(served.sent) <= 2 << 20


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"PK", "no end-of-archive record"),
        (b"", "no end-of-archive record"),
        (None, "no such folder"),
    ],
)
def test_what_is_no_wheel_is_a_fault(
    content: bytes | None, fault: str, served: Served, tmp_path: Path
) -> None:
    if content is None:
        from tests.wheel_maker import pack

        content = pack({"demo/__init__.py": b""})
    (tmp_path / NAME).write_bytes(content)

    metadata, variant, found, unread = read(served)
    assert (metadata, variant, unread) == (b"", None, "")
    assert fault in found


def test_what_does_not_answer_is_unread(served: Served) -> None:
    metadata, variant, fault, unread = read(served)

    assert (metadata, variant, fault) == (b"", None, "")
    assert unread.startswith(f"{served.url}/{NAME}: 404 ")


def test_a_large_file_of_a_server_without_parts_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0" * 2000)
    server = Served(tmp_path, ranges=False)

    with pytest.raises(UpstreamError, match="2000 bytes, and the server gives no parts"):
        Fetcher({}).get_part(f"{server.url}/x", "0-9", 1000)
    assert Fetcher({}).get_part(f"{server.url}/x", "0-9", 2000).size == 2000
    server.server.shutdown()
    server.server.server_close()


def page_of(folder: Path, served: Served) -> str:
    page = folder / "simple" / "demo"
    page.mkdir(parents=True)
    links = "".join(f'<a href="/{it.name}">{it.name}</a>' for it in sorted(folder.glob("demo-*")))
    (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}")
    return f"{served.url}/simple/"


def test_wheels_of_an_index_without_the_file_are_read_for_the_provider(
    served: Served, tmp_path: Path
) -> None:
    write_release(tmp_path, {**read_base(), "index": None})
    found = explain(read_release(page_of(tmp_path, served), "demo"), HOPPER)

    assert (found.view(PROVIDER).winner, found.view(UV).winner) == ("cuda13.0", ORDINARY)
    assert "uv sees no variant without a demo-1.0-variants.json" in found.warnings[0]


def test_a_selected_wheel_that_cannot_be_read_is_named_as_not_judged(
    served: Served, tmp_path: Path
) -> None:
    write_release(tmp_path, read_base())
    address = page_of(tmp_path, served)
    (tmp_path / BEST).unlink()
    found = explain(read_release(address, "demo"), HOPPER)

    assert found.view(UV).winner == "cuda13.0"
    assert f"not judged: {BEST}: {served.url}/{BEST}: 404 File not found" in found.warnings
