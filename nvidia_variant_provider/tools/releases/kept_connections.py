"""Connections that are kept for the next request: urllib opens one for each.

To a far index a connection over TLS takes three times as long as the request itself, and a view
asks for a page of every project that an installer resolves.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import weakref
from typing import TYPE_CHECKING, Final
from urllib.error import URLError

if TYPE_CHECKING:
    import urllib.request
    from collections.abc import Callable

_MOST: Final = 16


class KeptConnections:
    """Connections by host that have brought a complete answer; at most 16 a host."""

    def __init__(self) -> None:
        self._idle: dict[str, list[http.client.HTTPConnection]] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)

    def send(
        self,
        request: urllib.request.Request,
        connect: Callable[[str], http.client.HTTPConnection],
        reuse: Callable[[http.client.HTTPConnection], None],
    ) -> http.client.HTTPResponse:
        """Send a request and return its answer, still to be read; raises ``URLError``.

        ``connect`` makes a connection to a host, and ``reuse`` is told of one that is used again. A
        server may have ended that in the meantime: the request is then sent by another.
        """
        while (kept := self._take(request.host)) is not None:
            reuse(kept)
            try:
                return self._sent(request, kept)
            except (ConnectionError, ssl.SSLError):
                kept.close()
        connection = connect(request.host)
        try:
            return self._sent(request, connection)
        except OSError as error:
            raise URLError(error) from error

    def _sent(
        self, request: urllib.request.Request, connection: http.client.HTTPConnection
    ) -> http.client.HTTPResponse:
        headers = {**request.headers, **request.unredirected_hdrs}
        connection.response_class = _Answer
        try:
            connection.request(request.get_method(), request.selector, headers=headers)
            answer = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        assert isinstance(answer, _Answer)  # noqa: S101 - the class that was set
        answer.url = request.full_url
        answer.give_back = lambda is_complete: self._give(
            request.host, connection, is_complete=is_complete
        )
        # What urllib's handlers of errors read.
        answer.msg = answer.reason  # type: ignore[assignment]  # as urllib sets it
        return answer

    def _take(self, host: str) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle.get(host)
            return idle.pop() if idle else None

    def _give(
        self, host: str, connection: http.client.HTTPConnection, *, is_complete: bool
    ) -> None:
        with self._lock:
            idle = self._idle.setdefault(host, [])
            if is_complete and connection.sock is not None and len(idle) < _MOST:
                idle.append(connection)
                return
        connection.close()


class _Answer(http.client.HTTPResponse):
    """An answer that gives its connection back when it is closed."""

    give_back: Callable[[bool], None] | None = None

    def close(self) -> None:
        """Close the answer; whatever was not read of it ends with its connection."""
        is_complete = (self.isclosed() or self.length == 0) and not self.will_close
        super().close()
        give_back, self.give_back = self.give_back, None
        if give_back is not None:
            give_back(is_complete)


def _close_all(idle: dict[str, list[http.client.HTTPConnection]]) -> None:
    for connections in idle.values():
        for connection in connections:
            connection.close()
