"""Requests to the configured indexes: whole answers, parts and streams, within limits.

Credentials go to the host they were configured for, and are not sent along when it redirects to
another. No error and no log shows them.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
import urllib.request
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.bodies import (
    check_length,
    gathered,
    read_whole,
    unpacked,
)
from nvidia_variant_provider.tools.releases.deadline import Deadline, HttpHandler, HttpsHandler
from nvidia_variant_provider.tools.releases.logins import (
    Login,
    Logins,
    origin_of,
    redacted,
    split_login,
)
from nvidia_variant_provider.tools.releases.name_lookup import Resolver
from nvidia_variant_provider.tools.releases.network_settings import Certificates, Proxies, Tls
from nvidia_variant_provider.tools.releases.upstream_error import (
    REFUSED_LOGIN,
    LoginWantedError,
    UpstreamError,
    cut_short,
    no_answer,
    too_late,
    unusable,
    words_of,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from nvidia_variant_provider.tools.releases.keyring import Keyring

MAX_PAGE: Final = 64 * 1024 * 1024
# pip gives the view itself 15 s.
_IDLE_S: Final = 12.0
_TOTAL_S: Final = 60.0
_UNAUTHORIZED: Final = 401
_AGENT: Final = "nvidia-variant-provider (view)"
_PART: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: its body, type, and the address it came from in the end.

    ``cache_control`` is the header of that name, "" without one.
    """

    body: bytes
    content_type: str
    url: str
    cache_control: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file: its bytes, where they begin, and how many the whole file has."""

    body: bytes
    start: int
    size: int


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects; credentials stay with the host and the scheme they are for."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in {"http", "https"}:
            fp.close()
            raise unusable(req.full_url, f"redirects to {redacted(newurl)[:200]}", code)
        clean, _ = _split(newurl)
        new = super().redirect_request(req, fp, code, msg, headers, clean)
        if new is not None and origin_of(clean) != origin_of(req.full_url):
            new.headers.pop("Authorization", None)
        return new


class Fetcher:
    """Gets pages and files of indexes, as the installer that is served would."""

    def __init__(
        self,
        environ: Mapping[str, str],
        tls: Tls | None = None,
        proxy: str = "",
        total_s: float = _TOTAL_S,
        resolver: Resolver | None = None,
        keyring: Keyring | None = None,
        store: str = "",
    ) -> None:
        """Take the settings of an installer: its certificates (else the environment's), a proxy.

        ``total_s`` is how long a whole page may take, however steadily its bytes come, and of a
        file that is streamed its headers and each piece. ``resolver`` looks up hosts; ``keyring``,
        and uv's ``store``, have credentials for those that want some. Raises ``InvalidValueError``
        for a file of certificates that cannot be read.
        """
        self._total_s = total_s
        self._logins = Logins(environ, keyring, store)
        self._resolver = resolver or Resolver()
        self._proxies = Proxies(environ, proxy)
        self._certificates = Certificates(tls or Tls(environ.get("SSL_CERT_FILE", "")))
        self._openers: dict[bool, urllib.request.OpenerDirector] = {}
        self._waiting: dict[Deadline, str] = {}
        self._is_closed = False
        # Whose connection goes on being read.
        self._deadlines: WeakKeyDictionary[http.client.HTTPResponse, Deadline] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def remember(self, url: str) -> str:
        """Keep the credentials of an address for its host; return the address without them.

        Raises ``InvalidValueError`` for what is no address.
        """
        return self._logins.remember(url)

    def needs_login(self, url: str) -> bool:
        """Tell whether requests to an address carry credentials."""
        return self._logins.are_needed(url)

    def waiting(self) -> list[tuple[str, float]]:
        """Return the addresses that have not answered yet, each with its seconds so far."""
        with self._lock:
            waiting = list(self._waiting.items())
        return [
            (redacted(url), self._total_s - deadline.left_s)
            for deadline, url in waiting
            if not deadline.is_over
        ]

    def close(self) -> None:
        """End all requests that are under way; there are no more after this."""
        with self._lock:
            self._is_closed = True
            waiting = list(self._waiting)
        for deadline in waiting:
            deadline.end()
        self._logins.close()

    def get(self, url: str, accept: str, limit: int = MAX_PAGE) -> Answer:
        """Return the whole answer; raises ``UpstreamError``."""
        with (
            self._in_time(url),
            self._opened(url, {"Accept": accept, "Accept-Encoding": "gzip"}) as answer,
        ):
            body = read_whole(answer, url, limit)
            kind = answer.headers.get("Content-Type", "")
            packing = answer.headers.get("Content-Encoding", "").strip().lower()
            keep = answer.headers.get("Cache-Control", "")
            return Answer(unpacked(body, packing, limit, url), kind, answer.geturl(), keep)

    def get_part(self, url: str, wanted: str, limit: int) -> Part:
        """Return the bytes of a range, such as ``0-99`` or ``-100`` for the last ones.

        A server that gives no parts sends the whole file, which counts if it is within the limit.
        Raises ``UpstreamError``.
        """
        headers = {"Range": f"bytes={wanted}", "Accept-Encoding": "identity"}
        with self._in_time(url), self._opened(url, headers) as answer:
            stated = _PART.fullmatch(answer.headers.get("Content-Range", ""))
            length = answer.headers.get("Content-Length", "")
            if stated is None and length.isdecimal() and int(length) > limit:
                words = f"{redacted(url)}: {length} bytes, and the server gives no parts"
                raise UpstreamError(words)
            body = read_whole(answer, url, limit)
            if stated is None:
                return Part(body, 0, len(body))
            start, end, size = map(int, stated.groups())
            if len(body) != end - start + 1:
                raise cut_short(url, f"ended after {len(body)} bytes of {end - start + 1}")
            return Part(body, start, size)

    @contextlib.contextmanager
    def _in_time(self, url: str, before: Deadline | None = None) -> Iterator[Deadline]:
        """Bound what is waited for in the block; raises ``UpstreamError`` when it was too long.

        ``before`` is the deadline of the request, whose connection goes on being read.
        """
        with Deadline(self._total_s, before) as deadline:
            with self._lock:
                if self._is_closed:
                    raise UpstreamError(f"{redacted(url)}: not asked, as the command has ended")
                self._waiting[deadline] = url
            try:
                yield deadline
            except UpstreamError as error:
                if deadline.is_over or not deadline.left_s:
                    raise too_late(url, self._total_s) from error
                raise
            finally:
                with self._lock:
                    del self._waiting[deadline]
            if deadline.is_over:
                raise too_late(url, self._total_s)

    @contextlib.contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        """Give the pieces of a large file; raises ``UpstreamError``, also if it is cut short."""
        with self.open(url, {"Accept-Encoding": "identity"}) as answer:
            yield self.pieces(answer, url)

    def open(
        self, url: str, headers: Mapping[str, str], method: str = "GET"
    ) -> http.client.HTTPResponse:
        """Send a request and return the answer, still to be read; raises ``UpstreamError``."""
        with self._in_time(url) as deadline:
            answer = self._opened(url, headers, method)
        self._deadlines[answer] = deadline
        return answer

    def pieces(self, answer: http.client.HTTPResponse, url: str) -> Iterator[bytes]:
        """Yield the body of an answer of ``open``, each piece in time; raises ``UpstreamError``."""
        before, size = self._deadlines[answer], 0
        while True:
            with self._in_time(url, before):
                piece = gathered(answer, url)
            if not piece:
                break
            size += len(piece)
            yield piece
        check_length(answer, size, url)

    def _opened(
        self, url: str, headers: Mapping[str, str], method: str = "GET"
    ) -> http.client.HTTPResponse:
        clean, stated = _split(url)
        if urlsplit(url).scheme not in {"http", "https"}:
            raise UpstreamError(f"{redacted(url)[:200]}: expected an http or https address")
        login = stated or self._logins.of(clean)
        try:
            return self._sent(clean, headers, method, login)
        except LoginWantedError:
            kept = self._logins.of_keyring(clean, login)
            if kept is None:
                raise
            return self._sent(clean, headers, method, kept)

    def _sent(
        self, clean: str, headers: Mapping[str, str], method: str, login: Login | None
    ) -> http.client.HTTPResponse:
        request = urllib.request.Request(  # noqa: S310 - checked above
            clean, headers={"User-Agent": _AGENT, **headers}, method=method
        )
        if login is not None:
            request.add_header("Authorization", login.header)
        opener = self._opener(is_direct=self._proxies.are_bypassed(clean))
        try:
            answer = opener.open(request, timeout=_IDLE_S)
        except HTTPError as error:
            with error:
                # Another host that a redirect leads to gets no credentials of this one.
                is_ours = origin_of(error.geturl()) == origin_of(clean)
                # A loop of redirects has a reason of several lines.
                words = f"{clean}: {error.code} {words_of(error)}"
                if not is_ours:
                    words += f" (from {origin_of(error.geturl())[1]}, where it redirects to)"
                hint = REFUSED_LOGIN if login and error.code == _UNAUTHORIZED else ""
                wants_login = error.code == _UNAUTHORIZED and is_ours
                kind = LoginWantedError if wants_login else UpstreamError
                raise kind(words, error.code, hint) from None
        except (URLError, OSError, ValueError, http.client.HTTPException) as error:
            raise no_answer(clean, error, self._proxies.of(clean)) from None
        assert isinstance(answer, http.client.HTTPResponse)  # noqa: S101 - for the type checker
        return answer

    def _opener(self, *, is_direct: bool) -> urllib.request.OpenerDirector:
        with self._lock:
            if is_direct not in self._openers:
                self._openers[is_direct] = urllib.request.build_opener(
                    urllib.request.ProxyHandler({} if is_direct else self._proxies.by_scheme),
                    HttpHandler(self._resolver),
                    HttpsHandler(self._certificates.context, self._resolver),
                    _Redirects(),
                )
            return self._openers[is_direct]

    def prepare(self) -> ssl.SSLContext:
        """Read the certificates, which takes a while; raises ``InvalidValueError``.

        Whoever calls this before the first request has that answered sooner.
        """
        return self._certificates.context()


def _split(url: str) -> tuple[str, Login | None]:
    """Return an address without its credentials, and those; raises ``UpstreamError``."""
    try:
        return split_login(url)
    except InvalidValueError as error:
        raise UpstreamError(str(error)) from error
