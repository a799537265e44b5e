"""Files of an index with a password, which the server hands on; and its end while it does."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest

from tests.tools.serve.server import Server, serving_views

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals end the server")
BODY = bytes(range(256)) * 4096
WHEEL = "big-1.0-py3-none-any.whl"
PAGE = (
    f'{{"meta": {{"api-version": "1.1"}}, "name": "big", "files": [{{"filename": "{WHEEL}", '
    f'"url": "/files/{WHEEL}", "hashes": {{}}, "size": {len(BODY)}}}]}}'
).encode()


@dataclass(slots=True)
class Index:
    """An index with a password. Of files it sends a half, and the rest when ``rest`` is set.

    ``more`` is what comes after the body, where its length is not announced.
    """

    address: str = ""
    rest: threading.Event = field(default_factory=threading.Event)
    more: bytes = b""


class _Handler(BaseHTTPRequestHandler):
    index: Index
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if not self.headers.get("Authorization"):
            self._head(401, 0)
        elif self.path == "/simple/big/":
            self._head(200, len(PAGE), "application/vnd.pypi.simple.v1+json")
            self.wfile.write(PAGE)
        elif self.headers.get("If-None-Match") == '"tag"':
            self._head(304, None)
        else:
            self._file()

    def _file(self) -> None:
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        body = BODY[int(match[1]) : int(match[2]) + 1] if match else BODY + self.index.more
        self.close_connection = bool(self.index.more)
        self._head(206 if match else 200, None if self.index.more else len(body))
        if self.command == "GET":
            with contextlib.suppress(OSError):
                self.wfile.write(body[: len(body) // 2])
                self.index.rest.wait(20)
                self.wfile.write(body[len(body) // 2 :])

    def _head(self, status: int, length: int | None, kind: str = "") -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "ETag": '"tag"', "Content-Length": length}
        for name, value in headers.items():
            if value not in {"", None}:
                self.send_header(name, str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def handing_on(folder: Path) -> Iterator[tuple[Server, Index]]:
    index = Index()

    class Handler(_Handler):
        pass

    Handler.index = index
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as upstream:
        upstream.daemon_threads = True
        threading.Thread(target=upstream.serve_forever, args=(0.02,), daemon=True).start()
        index.address = f"http://user:secret@127.0.0.1:{upstream.server_address[1]}"
        with serving_views(folder, index.address) as server:
            yield server, index
        upstream.shutdown()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Index]]:
    with handing_on(tmp_path_factory.mktemp("serve")) as (server, index):
        yield server, index


def file_of(server: Server) -> str:
    page = "/h100@580/simple/big/"
    (entry,) = json.loads(server.ask(page)[2])["files"]
    return urljoin(page, str(entry["url"]))


def test_a_file_is_handed_on_with_its_length_and_in_parts(running: tuple[Server, Index]) -> None:
    server, index = running
    index.rest.set()
    path = file_of(server)
    status, headers, body = server.ask(path)
    part = server.ask(path, {"Range": "bytes=10-19"})
    head = server.ask(path, method="HEAD")

    assert (status, int(headers["content-length"]), body) == (200, len(BODY), BODY)
    assert (part[0], part[2]) == (206, BODY[10:20])
    assert (head[0], int(head[1]["content-length"]), head[2]) == (200, len(BODY), b"")


def test_a_file_that_a_client_has_is_not_sent_again(running: tuple[Server, Index]) -> None:
    server, _ = running
    status, _, body = server.ask(file_of(server), {"If-None-Match": '"tag"'})

    assert (status, body) == (304, b"")


def test_a_file_without_a_length_ends_where_its_page_says(running: tuple[Server, Index]) -> None:
    server, index = running
    path = file_of(server)
    index.rest.set()
    index.more = b"more"
    try:
        with pytest.raises(http.client.IncompleteRead):
            server.ask(path)
    finally:
        index.more = b""


def test_a_download_that_is_under_way_is_finished_when_the_server_ends(tmp_path: Path) -> None:
    with handing_on(tmp_path) as (server, index):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", file_of(server))
            answer = connection.getresponse()
            first = answer.read(1000)
            server.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(OSError):
                # No new client is answered from here on.
                while server.ask("/healthz"):
                    pass
            index.rest.set()
            body = first + answer.read()
        server.process.communicate(timeout=30)

    assert body == BODY
    assert server.process.returncode == -signal.SIGTERM
