"""An end to requests that a server draws out: sockets bound the time between two bytes alone.

A server may send its TLS handshake, its headers or the sizes of its chunks a byte at a time, each
within the limit of the socket. Here another thread shuts the connection, in whatever call it is
waited on. Before there is a connection, looking up the host and trying its addresses take what time
is left.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import socket
import ssl
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.releases.kept_connections import KeptConnections
from nvidia_variant_provider.tools.releases.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from nvidia_variant_provider.tools.releases.name_lookup import Resolver

# The deadline of what the thread is waiting for: urllib gives no other way to its connections.
_RUNNING = threading.local()
# A socket takes no limit of 0 s, and the watch ends what is too late.
_LEAST_S: Final = 0.01
_WATCH: Final = Watch()


class Deadline:
    """Shuts the connections that the thread opens within the block once the time is over.

    ``is_over`` tells afterwards whether it did: to the reader a shut connection has just ended.
    The connection that ``before`` watched is watched from the start.
    """

    def __init__(self, seconds: float, before: Deadline | None = None) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self.connection: socket.socket | None = before.connection if before else None
        self.ends_at = time.monotonic() + seconds

    def __enter__(self) -> Self:
        _RUNNING.deadline = self
        _WATCH.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _WATCH.remove(self)
        _RUNNING.deadline = None

    @property
    def left_s(self) -> float:
        """How many seconds are left."""
        return max(0.0, self.ends_at - time.monotonic())

    def watch(self, opened: socket.socket) -> None:
        """Take note of the connection that is waited on now."""
        with self._lock:
            self.connection = opened
            if self.is_over:
                _shut(opened)

    def end(self) -> None:
        """Shut the connection: the time is over."""
        with self._lock:
            self.is_over = True
            if self.connection is not None:
                _shut(self.connection)


def _shut(opened: socket.socket) -> None:
    # The method of a TLS socket would take its keys from under a thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


def _running() -> Deadline | None:
    deadline: Deadline | None = getattr(_RUNNING, "deadline", None)
    return deadline


def _watched(opened: socket.socket) -> socket.socket:
    deadline = _running()
    if deadline is not None:
        deadline.watch(opened)
    return opened


def _connect(
    resolver: Resolver,
    address: tuple[str, int],
    timeout: float,
    source: tuple[str, int] | None = None,
) -> socket.socket:
    """Connect as ``socket.create_connection`` does, with an end to all of it."""
    host, port = address
    deadline = _running()
    failed = OSError(f"{host} has no address")
    for numeric in resolver.addresses(host, port, deadline.left_s if deadline else timeout):
        seconds = min(timeout, deadline.left_s) if deadline else timeout
        try:
            opened = socket.create_connection((numeric, port), max(seconds, _LEAST_S), source)
        except OSError as error:
            failed = error
        else:
            opened.settimeout(timeout)
            return _watched(opened)
    raise failed


class _WatchedTls(ssl.SSLSocket):
    """A TLS socket that is watched from its handshake on."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is there
        _watched(self)
        super().do_handshake(block)


class _Connection(http.client.HTTPConnection):
    def through(self, resolver: Resolver) -> Self:
        self._create_connection = functools.partial(_connect, resolver)
        return self


class _SecureConnection(http.client.HTTPSConnection):
    def through(self, resolver: Resolver) -> Self:
        self._create_connection = functools.partial(_connect, resolver)
        return self


def _watch_again(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        _watched(connection.sock)


class HttpHandler(urllib.request.HTTPHandler):
    """Opens connections that a ``Deadline`` of the thread watches, to hosts of a resolver."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._kept = KeptConnections()
        super().__init__()

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request."""

        def connect(host: str) -> http.client.HTTPConnection:
            return _Connection(host, timeout=req.timeout).through(self._resolver)

        return self._kept.send(req, connect, _watch_again)


class HttpsHandler(urllib.request.HTTPSHandler):
    """Does the same over TLS.

    ``context_of`` a host is asked for each request, and reads certificates for the first.
    """

    def __init__(self, context_of: Callable[[str], ssl.SSLContext], resolver: Resolver) -> None:
        # Not that of the class above, which would read the system's certificates.
        urllib.request.AbstractHTTPHandler.__init__(self)
        self._context_of = context_of
        self._resolver = resolver
        self._kept = KeptConnections()

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request."""
        context = self._context_of(req._tunnel_host or req.host)  # type: ignore[attr-defined]  # noqa: SLF001
        context.sslsocket_class = _WatchedTls

        def connect(host: str, /, **_: object) -> http.client.HTTPConnection:
            connection = _SecureConnection(host, timeout=req.timeout, context=context)
            return connection.through(self._resolver)

        if req._tunnel_host:  # type: ignore[attr-defined]  # noqa: SLF001 - a proxy in between
            return self.do_open(connect, req)
        return self._kept.send(req, connect, _watch_again)
