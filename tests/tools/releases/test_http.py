"""Servers that are slow, false or curious: a clear error, in time, without credentials."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.simple_index import read_index
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = b'<a href="demo-1.0-py3-none-any.whl">demo-1.0-py3-none-any.whl</a>'


@contextlib.contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """Run a server that reads each request and leaves the rest to ``answer``."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        asked.append(connection.recv(1 << 16))
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(20)


def says(*lines: bytes, body: bytes = b"") -> Callable[[socket.socket], None]:
    """Return what sends a fixed answer."""
    return lambda connection: connection.sendall(b"\r\n".join((*lines, b"", body)))


def ok(body: bytes, *headers: bytes) -> Callable[[socket.socket], None]:
    length = b"Content-Length: %d" % len(body)
    return says(b"HTTP/1.1 200 OK", b"Content-Type: text/html", length, *headers, body=body)


MANY = [b"X-%d: y" % number for number in range(150)]
FALSE = {
    "shorter": (
        says(b"HTTP/1.1 200 OK", b"Content-Type: text/html", b"Content-Length: 9999", body=PAGE),
        f"ended after {len(PAGE)} bytes of 9999",
    ),
    "no-status": (says(b"hello"), "hello"),
    "many-headers": (ok(PAGE, *MANY), "more than 100 headers"),
    "another-packing": (ok(PAGE, b"Content-Encoding: br"), "packed as 'br'"),
    "false-gzip": (ok(PAGE, b"Content-Encoding: gzip"), "incorrect header"),
    "cut-gzip": (ok(gzip.compress(PAGE)[:-9], b"Content-Encoding: gzip"), "in the middle of"),
    "ftp": (says(b"HTTP/1.1 302 Found", b"Location: ftp://127.0.0.1/x"), "redirects to ftp://"),
    "file": (says(b"HTTP/1.1 302 Found", b"Location: file:///etc/passwd"), "is not allowed"),
    "silent": (lambda _: None, "closed connection without response"),
    "refused": (says(b"HTTP/1.1 403 Forbidden", b"Content-Length: 0"), "403 Forbidden"),
}


@pytest.mark.parametrize(("answer", "words"), FALSE.values(), ids=FALSE)
def test_a_false_answer_is_an_error_without_the_credentials(
    answer: Callable[[socket.socket], None], words: str
) -> None:
    with serving(answer) as (host, _), pytest.raises(InvalidValueError) as caught:
        read_index(f"http://user:secret@{host}/simple/demo/", None)

    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_page_is_asked_for_packed_and_read() -> None:
    with serving(ok(gzip.compress(PAGE), b"Content-Encoding: gzip")) as (host, asked):
        listing = read_index(f"http://{host}/simple/demo/", None)

    assert b"\r\naccept-encoding: gzip\r\n" in asked[0].lower()
    assert listing.release(None).version == "1.0"


def test_what_unpacks_beyond_the_limit_is_left() -> None:
    body = gzip.compress(bytes(10_000_000))
    with serving(ok(body, b"Content-Encoding: gzip")) as (host, _), pytest.raises(UpstreamError):
        Fetcher({}).get(f"http://{host}/", "*/*", limit=1_000_000)


def trickle(start: bytes) -> Callable[[socket.socket], None]:
    """Return what sends a start at once, and then a byte now and then, for ever."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b"1")
            time.sleep(0.02)

    return answer


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DRAWN_OUT = {
    "status": b"",
    "header": b"HTTP/1.1 200 OK\r\nX-Slow: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "chunk-size": CHUNKED,
    "chunk-extension": CHUNKED + b"1; x=",
}


@pytest.mark.parametrize("start", DRAWN_OUT.values(), ids=DRAWN_OUT)
def test_an_answer_of_a_byte_at_a_time_is_given_up(start: bytes) -> None:
    with serving(trickle(start)) as (host, _), pytest.raises(UpstreamError) as caught:
        Fetcher({}, total_s=0.3).get(f"http://{host}/", "*/*")

    assert str(caught.value) == f"http://{host}/: not complete after 0.3 s"


@pytest.mark.parametrize("start", [DRAWN_OUT["header"], DRAWN_OUT["chunk-extension"]])
def test_a_file_of_a_byte_at_a_time_is_given_up(start: bytes) -> None:
    fetcher = Fetcher({}, total_s=0.3)

    with (
        serving(trickle(start)) as (host, _),
        pytest.raises(UpstreamError, match=r"not complete after 0\.3 s"),
        fetcher.stream(f"http://{host}/") as pieces,
    ):
        list(pieces)


def test_a_redirect_takes_no_new_time() -> None:
    def circle(connection: socket.socket) -> None:
        time.sleep(0.1)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /%f\r\n\r\n" % time.monotonic())

    with serving(circle) as (host, asked), pytest.raises(UpstreamError, match="not complete"):
        Fetcher({}, total_s=0.3).get(f"http://{host}/", "*/*")

    assert len(asked) < 10


@pytest.mark.parametrize("secure", [False, True], ids=["tunnel", "handshake"])
def test_what_comes_before_the_headers_is_given_up(secure: bool) -> None:  # noqa: FBT001 - a case
    proxy = "" if secure else "http://{}"
    # The start of a TLS record of 16 KB, which never gets whole.
    start = b"\x16\x03\x03\x40\x00" if secure else b"HTTP/1.1 200 OK\r\nX: "

    with serving(trickle(start)) as (host, _), pytest.raises(UpstreamError) as caught:
        Fetcher({}, proxy=proxy.format(host), total_s=0.3).get(f"https://{host}/", "*/*")

    assert str(caught.value) == f"https://{host}/: not complete after 0.3 s"


def test_what_comes_steadily_and_in_time_is_read() -> None:
    def steady(connection: socket.socket) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc":
            connection.sendall(bytes([byte]))

    with serving(steady) as (host, _):
        answer = Fetcher({}).get(f"http://{host}/", "*/*")

    assert answer.body == b"abc"


def test_credentials_go_to_their_host_alone() -> None:
    with serving(ok(PAGE)) as (other, asked_there):
        moved = says(b"HTTP/1.1 302 Found", f"Location: http://{other}/simple/demo/".encode())
        with serving(moved) as (host, asked):
            read_index(f"http://user:secret@{host}/simple/demo/", None)

    assert b"Authorization: Basic dXNlcjpzZWNyZXQ=" in asked[0]
    assert b"Authorization" not in asked_there[0]


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://host:port/", "http://127.0.0.1:99999/", "http://a b/"]
)
def test_a_bad_address_is_an_error_of_the_address(url: str) -> None:
    with pytest.raises(InvalidValueError):
        read_index(url, None)


def test_the_credentials_in_an_address_are_sent_to_it_and_not_shown() -> None:
    refused = says(b"HTTP/1.1 403 Forbidden", b"Content-Length: 0")
    with serving(refused) as (host, asked), pytest.raises(UpstreamError) as caught:
        Fetcher({}).get(f"http://user:secret@{host}/x", "*/*")

    assert b"Authorization: Basic dXNlcjpzZWNyZXQ=" in asked[0]
    assert str(caught.value) == f"http://{host}/x: 403 Forbidden"


def test_credentials_in_a_redirect_are_neither_sent_nor_shown() -> None:
    with serving(ok(PAGE)) as (other, asked_there):
        location = f"Location: http://user:secret@{other}/x".encode()
        with serving(says(b"HTTP/1.1 302 Found", location)) as (host, _):
            answer = Fetcher({}).get(f"http://{host}/x", "*/*")

    assert answer.url == f"http://{other}/x"
    assert b"Authorization" not in asked_there[0]


def test_redirects_in_a_circle_end() -> None:
    circle = says(b"HTTP/1.1 302 Found", b"Location: /again")
    with serving(circle) as (host, asked), pytest.raises(InvalidValueError, match="302"):
        read_index(f"http://{host}/simple/demo/", None)

    assert len(asked) < 30


def on_one_connection(
    *answers: Callable[[socket.socket], None],
) -> tuple[Callable[[socket.socket], None], list[bytes]]:
    """Return what answers several requests of one connection, and the requests after the first."""
    later: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        answers[0](connection)
        for following in answers[1:]:
            later.append(connection.recv(1 << 16))
            following(connection)

    return answer, later


def test_the_next_request_takes_the_same_connection() -> None:
    answer, later = on_one_connection(ok(PAGE), ok(b"second"))
    with serving(answer) as (host, asked):
        fetcher = Fetcher({})
        bodies = [fetcher.get(f"http://{host}/{name}", "*/*").body for name in ("a", "b")]

    assert bodies == [PAGE, b"second"]
    assert (len(asked), [request.partition(b" HTTP")[0] for request in later]) == (1, [b"GET /b"])


def test_a_kept_connection_that_the_server_has_ended_is_replaced() -> None:
    with serving(ok(PAGE)) as (host, asked):
        fetcher = Fetcher({})
        bodies = [fetcher.get(f"http://{host}/{number}", "*/*").body for number in range(3)]

    assert (bodies, len(asked)) == ([PAGE] * 3, 3)


def test_a_kept_connection_is_watched_again() -> None:
    answer, _ = on_one_connection(ok(PAGE), lambda _: time.sleep(3))
    with serving(answer) as (host, _asked):
        fetcher = Fetcher({}, total_s=0.3)
        fetcher.get(f"http://{host}/a", "*/*")

        with pytest.raises(UpstreamError, match=r"not complete after 0\.3 s"):
            fetcher.get(f"http://{host}/b", "*/*")


def test_what_was_not_read_to_its_end_is_not_taken_for_the_next_answer() -> None:
    with serving(ok(b"x" * 1000)) as (host, asked):
        fetcher = Fetcher({})
        with pytest.raises(UpstreamError, match="more than 10 bytes"):
            fetcher.get(f"http://{host}/a", "*/*", limit=10)
        body = fetcher.get(f"http://{host}/b", "*/*").body

    assert (body, len(asked)) == (b"x" * 1000, 2)
