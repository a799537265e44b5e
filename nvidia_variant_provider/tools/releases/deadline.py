"""An end to requests that a server draws out: sockets bound the time between two bytes alone.

A server may send its TLS handshake, its headers or the sizes of its chunks a byte at a time, each
within the limit of the socket. Here a timer shuts the connection, in whatever call it is waited on.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

# The deadline of what the thread is waiting for: urllib gives no other way to its connections.
_RUNNING = threading.local()


class Deadline:
    """Shuts the connections that the thread opens within the block once the time is over.

    ``is_over`` tells afterwards whether it did: to the reader a shut connection has just ended.
    The connection that ``before`` watched is watched from the start.
    """

    def __init__(self, seconds: float, before: Deadline | None = None) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self.connection: socket.socket | None = before.connection if before else None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _RUNNING.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        _RUNNING.deadline = None

    def watch(self, opened: socket.socket) -> None:
        """Take note of the connection that is waited on now."""
        with self._lock:
            self.connection = opened
            if self.is_over:
                _shut(opened)

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            if self.connection is not None:
                _shut(self.connection)


def _shut(opened: socket.socket) -> None:
    # The method of a TLS socket would take its keys from under a thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


def _watched(opened: socket.socket) -> socket.socket:
    deadline: Deadline | None = getattr(_RUNNING, "deadline", None)
    if deadline is not None:
        deadline.watch(opened)
    return opened


def _connect(*arguments: Any, **more: Any) -> socket.socket:  # noqa: ANN401 - as create_connection
    return _watched(socket.create_connection(*arguments, **more))


class _WatchedTls(ssl.SSLSocket):
    """A TLS socket that is watched from its handshake on."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is there
        _watched(self)
        super().do_handshake(block)


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self._create_connection = _connect
        super().connect()


class _SecureConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        self._create_connection = _connect
        super().connect()


class HttpHandler(urllib.request.HTTPHandler):
    """Opens connections that a ``Deadline`` of the thread watches."""

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request."""
        return self.do_open(_Connection, req)


class HttpsHandler(urllib.request.HTTPSHandler):
    """Does the same over TLS."""

    def __init__(self, context: ssl.SSLContext) -> None:
        context.sslsocket_class = _WatchedTls
        self._watching = context
        super().__init__(context=context)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request."""
        return self.do_open(_SecureConnection, req, context=self._watching)
