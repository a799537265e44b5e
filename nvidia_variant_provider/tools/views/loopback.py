"""The view on 127.0.0.1, for as long as a command runs.

Who does not know the secret in the address gets nothing: another user of the machine must not
download with this user's credentials. docs/security.md has the threat model.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 - the first connection would wait for it
import hmac
import os
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.releases.upstream_error import (
    UpstreamError,
    changed_since,
    hint_of_file,
)
from nvidia_variant_provider.tools.views.answers import NOT_MODIFIED, status_of
from nvidia_variant_provider.tools.views.place import HOST
from nvidia_variant_provider.tools.views.rendering import JSON, entity_tag, is_known, prefers_json
from nvidia_variant_provider.tools.views.upstream import local_path

if TYPE_CHECKING:
    import http.client
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.tools.views.answers import Page, Served
    from nvidia_variant_provider.tools.views.model import Shown
    from nvidia_variant_provider.tools.views.place import Place
    from nvidia_variant_provider.tools.views.service import ViewService

_IDLE_S: Final = 30.0
_STEP: Final = 1 << 20
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_PASSED_ON: Final = ("Range", "If-None-Match", "If-Range", "If-Modified-Since")
_PASSED_BACK: Final = (
    "Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified", "Content-Type",
)  # fmt: skip
_METADATA: Final = ".metadata"


class Loopback(ThreadingHTTPServer):
    """Serves one view at its place; a thread a connection."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, service: ViewService, place: Place) -> None:
        """Take over the socket of the place."""
        super().__init__((HOST, place.port), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = place.listener
        self.service = service
        self.prefix = place.prefix
        self.url = place.url
        self.files_url = f"{place.url.removesuffix('simple/')}files/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: stderr is the child's, and a client that hung up is no fault."""

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Serve while the block runs."""
        thread = threading.Thread(target=self.serve, daemon=True)
        thread.start()
        try:
            yield self.url
        finally:
            self.shutdown()
            self.server_close()

    def serve(self) -> None:
        """Serve until ``shutdown`` is called."""
        self.serve_forever(poll_interval=0.05)


class _Handler(BaseHTTPRequestHandler):
    server: Loopback
    protocol_version = "HTTP/1.1"
    server_version = "nvidia-variant-provider"
    sys_version = ""
    timeout = _IDLE_S
    # Headers and a short page leave as one packet.
    wbufsize = 1 << 16

    def setup(self) -> None:
        super().setup()
        # Headers and body are two writes: waiting for an acknowledgement between them takes 40 ms.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # noqa: FBT003

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: the streams are the child's."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if not self._is_known(path):
            self._error(404, "not found")
            return
        words = path.removeprefix(self.server.prefix).split("/")
        with contextlib.suppress(ConnectionError):
            try:
                self._route(words)
            except UpstreamError as error:
                self._failed(error)
            except (ConnectionError, TimeoutError):
                raise
            except Exception as error:  # noqa: BLE001 - said to the person, whatever it is
                self._fault(500, f"{words[-1]}: unexpected {type(error).__name__}: {error}")

    def _is_known(self, path: str) -> bool:
        host = self.headers.get("Host", "")
        port = self.server.server_address[1]
        prefix = path[: len(self.server.prefix)].encode("utf-8", "replace")
        return host in {f"{HOST}:{port}", f"localhost:{port}"} and hmac.compare_digest(
            prefix, self.server.prefix.encode()
        )

    def _route(self, words: list[str]) -> None:
        kind, *rest = words
        if kind == "simple" and len(rest) in {1, 2} and rest[0]:
            self._page(self.server.service.page(rest[0], self.server.files_url))
        elif kind == "simple":
            self._body(b'{"meta": {"api-version": "1.0"}, "projects": []}', JSON)
        elif kind == "files" and len(rest) == 2:  # noqa: PLR2004 - key and name
            self._file(*rest)
        else:
            self._error(404, "not found")

    def _page(self, page: Page) -> None:
        wants_json = prefers_json(self.headers.get("Accept", ""))
        own = page.take_own() if wants_json and self.command == "GET" else b""
        if own:
            self._body(own, JSON, page.cache_control)
        elif page.moved:
            self.send_response(302)
            self.send_header("Location", page.moved)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif page.reason:
            self._error(page.status, page.reason)
        elif wants_json:
            self._body(page.body(as_json=True), JSON)
        else:
            self._body(page.body(as_json=False), "text/html; charset=utf-8")

    def _file(self, key: str, name: str) -> None:
        wants_metadata = name.endswith(_METADATA)
        plain = name.removesuffix(_METADATA)
        served = self.server.service.file(key)
        if served is None:
            # An installer that remembers a page of an earlier run asks for its files at once.
            self.server.service.page(plain.partition("-")[0], self.server.files_url)
            served = self.server.service.file(key)
        if served is None or served.shown.name != plain:
            self._error(404, "no such file in this view")
        elif served.is_upstream_s:
            self._send(served.shown, served.shown.file.url + (_METADATA if wants_metadata else ""))
        elif not wants_metadata:
            self._baked(served)
        elif served.baked is not None:
            self._body(served.baked.metadata, "text/plain; charset=utf-8")
        else:
            self._error(404, "this wheel has its metadata inside only")

    def _baked(self, served: Served) -> None:
        bakery = self.server.service.bakery
        try:
            kept = bakery.wheel(served.shown, served.properties) if bakery else None
        except (InvalidValueError, OSError) as error:
            self._fault(status_of(error), f"{served.shown.name}: {error}")
            return
        if kept is None:
            self._error(404, "no such file in this view")
        else:
            self._local(str(kept.path))

    def _send(self, shown: Shown, url: str) -> None:
        if urlsplit(url).scheme == "file":
            self._local(local_path(url))
        elif self.server.service.upstream.fetcher.needs_login(shown.file.url):
            self._relay(url, shown.file.size if url == shown.file.url else None)
        else:
            self.send_response(302)
            self.send_header("Location", url)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _relay(self, url: str, most: int | None) -> None:
        """Hand a file on from an index that wants credentials, which the client has not.

        ``most`` is how large it may be, as stated by the page: where the answer states nothing, one
        without an end would fill the client's disk.
        """
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        headers["Accept-Encoding"] = "identity"
        try:
            answer = self.server.service.upstream.fetcher.open(url, headers, self.command)
        except UpstreamError as error:
            if error.status == NOT_MODIFIED:
                self.send_response(NOT_MODIFIED)
                self.end_headers()
            else:
                self._failed(error)
            return
        with answer:
            self.send_response(answer.status)
            for name in _PASSED_BACK:
                if answer.headers.get(name):
                    self.send_header(name, answer.headers[name])
            is_bounded = bool(answer.headers.get("Content-Length"))
            self.close_connection = self.close_connection or not is_bounded
            self.end_headers()
            if self.command != "HEAD":
                self._copy(answer, url, None if is_bounded else most)

    def _copy(self, answer: http.client.HTTPResponse, url: str, most: int | None) -> None:
        size = 0
        try:
            for piece in self.server.service.upstream.fetcher.pieces(answer, url):
                size += len(piece)
                if most is not None and size > most:
                    raise changed_since(url, "more bytes")
                self.wfile.write(piece)
                # What comes slowly is not kept until there is more: installers give up after 15 s.
                self.wfile.flush()
        except UpstreamError as error:
            # Cut short: the client sees fewer bytes than were announced.
            self.close_connection = True
            self.server.service.warn(str(error), error.hint)
        except OSError:
            # The client has hung up.
            self.close_connection = True

    def _local(self, path: str) -> None:
        try:
            with open(path, "rb") as file:
                self._part(file, os.fstat(file.fileno()).st_size)
        except OSError:
            self._error(404, "no such file")

    def _part(self, file: IO[bytes], size: int) -> None:
        wanted = _wanted_range(self.headers.get("Range", ""), size)
        start, end = wanted or (0, size)
        self.send_response(206 if wanted else 200)
        headers: Mapping[str, str] = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(end - start),
            "Accept-Ranges": "bytes",
            **({"Content-Range": f"bytes {start}-{end - 1}/{size}"} if wanted else {}),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        file.seek(start)
        left = end - start
        while left and (piece := file.read(min(left, _STEP))):
            self.wfile.write(piece)
            left -= len(piece)
        self.close_connection = self.close_connection or bool(left)

    def _body(self, body: bytes, kind: str, cache_control: str = "") -> None:
        tag = entity_tag(body)
        has_it = is_known(self.headers.get("If-None-Match", ""), tag)
        self.send_response(304 if has_it else 200)
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", cache_control or "no-cache")
        self.send_header("Vary", "Accept")
        if not has_it:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and not has_it:
            self.wfile.write(body)

    def _failed(self, error: UpstreamError) -> None:
        """Refuse a file that the index has a fault with."""
        self._fault(status_of(error), str(error), hint_of_file(error))

    def _fault(self, status: int, reason: str, hint: str = "") -> None:
        """Refuse, and have it said after the installer, too: not all print the status line."""
        self.server.service.warn(reason, hint)
        self._error(status, reason)

    def _error(self, status: int, reason: str) -> None:
        line = "".join(
            sign if sign.isprintable() and sign.isascii() else "?" for sign in redacted(reason)
        )
        body = f"{line}\n".encode()
        self.send_response(status, line[:400])
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _wanted_range(header: str, size: int) -> tuple[int, int] | None:
    """Return start and end of one range of bytes; ``None`` for the whole file."""
    match = _RANGE.fullmatch(header)
    if match is None or not size or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    start, end = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
    return (start, end) if start < end else None
