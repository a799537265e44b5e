"""A name server that never answers costs a clear error in time, and a bounded number of threads."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.name_lookup import Resolver
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from tests.tools.releases.test_http import PAGE, ok, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


class Silent:
    """A look-up that nobody answers until the test is over; ``asked`` are the hosts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_over = threading.Event()

    def __call__(self, host: str, port: int, **_: object) -> list[Any]:
        self.asked.append(host)
        self.is_over.wait(60)
        return rows("127.0.0.1", port=port)


@pytest.fixture
def silent() -> Iterator[Silent]:
    look_up = Silent()
    yield look_up
    look_up.is_over.set()


def rows(*addresses: str, port: int = 80) -> list[Any]:
    """Return what the system answers for a host with these addresses."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


def test_a_name_server_that_never_answers_is_given_up(silent: Silent) -> None:
    fetcher = Fetcher({}, resolver=Resolver(silent, longest_s=0.05))

    with pytest.raises(UpstreamError) as caught:
        fetcher.get("http://user:secret@index.example/simple/", "*/*")
    assert str(caught.value) == (
        "http://index.example/simple/: looking up index.example took longer than 0.05 s:"
        " does the name server answer?"
    )


def test_a_lookup_takes_no_more_than_is_left_of_the_request(silent: Silent) -> None:
    with pytest.raises(TimeoutError, match=r"longer than 0\.01 s"):
        Resolver(silent).addresses("index.example", 80, left_s=0.01)


def test_lookups_that_hang_are_few_however_many_are_asked_for(silent: Silent) -> None:
    resolver = Resolver(silent, longest_s=0.01, most=2)

    for number in range(5):
        with pytest.raises(TimeoutError):
            resolver.addresses(f"{number}.example", 80, left_s=60)
    assert silent.asked == ["0.example", "1.example"]


def test_hosts_are_looked_up_again_once_the_name_server_answers(silent: Silent) -> None:
    resolver = Resolver(silent, most=1)
    with pytest.raises(TimeoutError):
        resolver.addresses("index.example", 80, left_s=0.01)
    silent.is_over.set()

    assert resolver.addresses("index.example", 80, left_s=60) == ["127.0.0.1"]


def test_an_unknown_host_is_an_error_in_the_words_of_the_system() -> None:
    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(UpstreamError, match=r"index\.example/: .*Name or service not known"):
        Fetcher({}, resolver=Resolver(unknown)).get("http://index.example/", "*/*")


def test_a_host_without_an_address_is_an_error() -> None:
    with pytest.raises(UpstreamError, match=r"index\.example has no address"):
        Fetcher({}, resolver=Resolver(lambda *_, **__: [])).get("http://index.example/", "*/*")


def test_the_addresses_of_a_host_are_tried_in_turn() -> None:
    both = Resolver(lambda *_, **__: rows("::1", "::1", "127.0.0.1"))

    with serving(ok(PAGE)) as (host, _):
        port = host.partition(":")[2]
        answer = Fetcher({}, resolver=both).get(f"http://index.example:{port}/simple/", "*/*")

    assert answer.body == PAGE


def test_an_address_is_not_looked_up() -> None:
    resolver = Resolver(lambda *_, **__: pytest.fail("looked up"))

    answers = [resolver.addresses(host, 80, left_s=60) for host in ("127.0.0.1", "::1")]

    assert answers == [["127.0.0.1"], ["::1"]]


def test_an_answer_is_shared_by_all_who_connect_to_a_host() -> None:
    asked: list[str] = []

    def look_up(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        return rows("127.0.0.1")

    resolver = Resolver(look_up)

    answers = [resolver.addresses("index.example", 80, left_s=60) for _ in range(3)]

    assert (answers, asked) == ([["127.0.0.1"]] * 3, ["index.example"])
