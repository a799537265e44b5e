"""A static file server on loopback, as plain as any, that remembers what was asked for."""

from __future__ import annotations

import contextlib
import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON_TYPE = "application/vnd.pypi.simple.v1+json"


class Served(NamedTuple):
    """A running server: its address, and the paths it was asked for so far."""

    url: str
    asked: list[str]


class _Handler(SimpleHTTPRequestHandler):
    asked: list[str]
    as_json: bool

    def __init__(self, *args: object, asked: list[str], as_json: bool, **more: object) -> None:
        self.asked, self.as_json = asked, as_json
        super().__init__(*args, **more)  # type: ignore[arg-type]  # handed on as they came

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.as_json and self.path.endswith("/") and JSON_TYPE in self.headers["Accept"]:
            self._send_page()
        else:
            super().do_GET()

    def _send_page(self) -> None:
        data = Path(self.translate_path(self.path), "index.json").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", JSON_TYPE)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing: the list of paths says it all."""


@contextlib.contextmanager
def serve(folder: Path, *, as_json: bool = False) -> Iterator[Served]:
    """Serve a folder; with ``as_json`` a folder's page is its ``index.json`` for who accepts it."""
    asked: list[str] = []
    handler = functools.partial(_Handler, directory=str(folder), asked=asked, as_json=as_json)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Served(f"http://127.0.0.1:{server.server_address[1]}", asked)
        finally:
            server.shutdown()
            thread.join()
