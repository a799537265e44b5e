"""METADATA of wheels on a server, read by ranges."""

from __future__ import annotations

import functools
import io
import re
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.releases.simple_index import IndexPage

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "torch-2.14.1-cp313-cp313-manylinux_2_28_x86_64.whl"
METADATA = b"Metadata-Version: 2.1\nName: torch\nVersion: 2.14.1\n"


class _Handler(BaseHTTPRequestHandler):
    """Serves one file by ranges; with ``cut`` each answer ends early, as a broken server's does."""

    def __init__(
        self, *args: object, data: bytes, sent: list[int], cut: int, **more: object
    ) -> None:
        self.data, self.sent, self.cut = data, sent, cut
        super().__init__(*args, **more)  # type: ignore[arg-type]  # handed on as they came

    def do_GET(self) -> None:
        found = re.fullmatch(r"bytes=(\d*)-(\d+)", self.headers.get("Range", ""))
        assert found
        size = len(self.data)
        start = int(found[1]) if found[1] else max(0, size - int(found[2]))
        end = min(int(found[2]), size - 1) if found[1] else size - 1
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.end_headers()
        piece = self.data[start : end + 1]
        self.sent.append(len(piece))
        self.wfile.write(piece[: len(piece) - self.cut])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(data: bytes, cut: int = 0) -> Iterator[tuple[PageFile, list[int]]]:
    """Serve a wheel; gives it as a page lists it, and the sizes of the answers so far."""
    sent: list[int] = []
    handler = functools.partial(_Handler, data=data, sent=sent, cut=cut)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # Stopping waits for the next look at the flag.
        loop = functools.partial(server.serve_forever, poll_interval=0.01)
        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        yield PageFile(NAME, f"http://127.0.0.1:{server.server_port}/{NAME}"), sent
        server.shutdown()
        thread.join()


def wheel(members: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return whole.getvalue()


INFO = {f"torch-2.14.1.dist-info/{it}": b"" for it in ("WHEEL", "RECORD")}


@pytest.mark.parametrize("at_the_end", [True, False])
def test_a_small_part_of_a_large_wheel_is_read(*, at_the_end: bool) -> None:
    library = {"torch/lib/libtorch_cuda.so": bytes(8 << 20)}
    metadata = {"torch-2.14.1.dist-info/METADATA": METADATA, **INFO}
    data = wheel({**library, **metadata} if at_the_end else {**metadata, **library})
    with served(data) as (file, sent):
        found = IndexPage("", {file.name: file}, Fetcher({})).read_core(file.name)

    assert found == METADATA
    assert sum(sent) <= 2 << 20


@pytest.mark.parametrize(
    ("data", "cut", "words"),
    [
        (b"no archive" * 10, 0, "no end-of-archive record"),
        (wheel({"x": b""}), 0, "dist-info"),
        (wheel({"torch-2.14.1.dist-info/METADATA": METADATA}), 0, "WHEEL"),
        (wheel({"torch-2.14.1.dist-info/METADATA": METADATA, **INFO}), 5, "ended after"),
        (
            wheel({"torch-2.14.1.dist-info/METADATA": bytes((4 << 20) + 1), **INFO}),
            0,
            "METADATA: 4194305 bytes, expected at most 4194304",
        ),
        (
            wheel(
                {
                    "torch-2.14.1.dist-info/METADATA": METADATA,
                    "torch-2.14.1.dist-info/METADATB": b"",
                }
                | INFO
            ).replace(b"METADATB", b"METADATA"),
            0,
            "two members have the name 'torch-2.14.1.dist-info/METADATA'",
        ),
    ],
    ids=["no archive", "no dist-info", "no WHEEL", "cut short", "too large", "there twice"],
)
def test_what_is_no_wheel_is_refused(data: bytes, cut: int, words: str) -> None:
    with (
        served(data, cut) as (file, _),
        pytest.raises(InvalidValueError, match=re.escape(words)),
    ):
        IndexPage("", {file.name: file}, Fetcher({})).read_core(file.name)
