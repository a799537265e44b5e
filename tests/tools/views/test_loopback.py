"""The loopback server and the upstream: faults, credentials, limits."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.logins import redacted
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.views.background import Background
from nvidia_variant_provider.tools.views.loopback import Loopback
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.place import open_place, place_of
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import JSON, StandIn, cuda_index, main_index, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PASSWORD = "hunter2"  # noqa: S105 - of the test's own server
WHEEL = "demo-1.0-py3-none-any.whl"


class Answer:
    """An answer with its status line."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.reason = answer.status, answer.reason
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        self.body = answer.read()


def ask(url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=120)) as connection:
        connection.request(method, parts.path, headers={"Accept": JSON, **(headers or {})})
        return Answer(connection.getresponse())


@contextlib.contextmanager
def view(
    *indexes: str,
    cuda: str = "",
    environ: Mapping[str, str] | None = None,
    target: str = "h100@580",
    require_gpu: bool = False,
) -> Iterator[tuple[str, ViewService]]:
    upstream = Upstream(Fetcher(environ or {}), indexes)
    families = [CudaFamily(upstream.fetcher, cuda, frozenset({"torch"}))] if cuda else []
    wanted = Wanted(machine(target))
    service = ViewService(upstream, lambda: wanted, families, require_gpu=require_gpu)
    with Loopback(service, open_place("token")).running() as url:
        yield url, service


@pytest.mark.parametrize(
    "path", ["/", "/simple/torch/", "/other/simple/torch/", "/token/files/a/b"]
)
def test_nothing_is_answered_without_the_token(path: str) -> None:
    with view("http://127.0.0.1:9/") as (url, _):
        port = urlsplit(url).netloc

        assert ask(f"http://{port}{path}").status == 404


def test_a_page_of_another_name_for_this_machine_gets_nothing() -> None:
    with view("http://127.0.0.1:9/") as (url, _):
        assert ask(f"{url}torch/", {"Host": "evil.example"}).status == 404


@pytest.mark.parametrize(
    "name", ["file:", "file:secrets", "%252e%252e", "a%3Fb", "a%23b", "http:a"]
)
def test_a_name_of_no_project_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / WHEEL).write_text(PASSWORD)
    monkeypatch.chdir(tmp_path)
    index = main_index()
    with index.serving() as main, view(f"{main}/simple/") as (url, _):
        found = ask(f"{url}{name}/")

    assert (found.status, index.asked) == (404, [])


def test_an_index_of_one_s_own_has_builds_of_cuda_too() -> None:
    with (
        main_index().serving() as main,
        view(f"{main}/simple/", target="v100@580", require_gpu=True) as (url, _),
    ):
        answer = ask(f"{url}torch/")

    assert answer.status == 410
    assert answer.reason == (
        "no build for this GPU: cu132 (2.15.0): no device code for 7.0: the build has"
        " 75 80 86 90 100 120; cu130 (2.13.0 to 2.14.1): no device code for 7.0: the build has"
        " 75 80 86 90 100 120"
    )


def test_a_file_of_this_machine_that_an_index_links_is_not_served(tmp_path: Path) -> None:
    secret = tmp_path / WHEEL
    secret.write_text(PASSWORD)
    linked = secret.with_name(WHEEL.replace("1.0", "1.0+cu126"))
    links = f'<a href="file://{secret}">{WHEEL}</a><a href="{linked.as_uri()}">{linked.name}</a>'
    index = StandIn(
        bodies={"/simple/demo/": ("text/html", f"{links}<a href=x-1.zip>x</a>".encode())}
    )
    with index.serving() as main, view(f"{main}/simple/", f"{main}/simple/") as (url, _):
        files = json.loads(ask(f"{url}demo/").body)["files"]

    assert [file["url"] for file in files] == [f"{main}/simple/demo/x-1.zip"]


def test_other_projects_are_the_upstream_s() -> None:
    index = main_index()
    with index.serving() as main, view(f"{main}/simple/") as (url, _):
        found = ask(f"{url}numpy/")

    assert (found.status, found.headers["location"]) == (302, f"{main}/simple/numpy/")


def test_a_page_that_means_the_same_elsewhere_is_handed_on_once() -> None:
    entry = {"filename": WHEEL, "url": f"https://files.example/{WHEEL}", "provenance": "kept"}
    body = json.dumps({"meta": {}, "name": "demo", "files": [entry]}).encode()
    headers = {"Content-Type": JSON, "Cache-Control": "max-age=600"}
    index = StandIn(answers={"/simple/demo/": (200, headers, body)})
    with index.serving() as main, view(f"{main}/simple/") as (url, _):
        as_html = ask(f"{url}demo/", {"Accept": "text/html"}).status
        first, second = (ask(f"{url}demo/") for _ in range(2))

    assert (as_html, first.status, first.body, second.status) == (302, 200, body, 302)
    assert first.headers["cache-control"] == "max-age=600"
    assert index.asked == ["/simple/demo/"]


@pytest.mark.parametrize(
    ("status", "words"), [(401, "401"), (403, "403"), (500, "500"), (404, "no project demo")]
)
def test_what_the_upstream_refuses_is_said_in_the_status_line(status: int, words: str) -> None:
    index = StandIn(missing=status)
    with index.serving() as main, view(f"{main}/simple/") as (url, _):
        found = ask(f"{url}demo/")

    assert found.status == {404: 404, 500: 502}.get(status, 424)
    assert words in found.reason


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b"{"),
        (JSON, b'{"files": 3}'),
        (JSON, b'{"files": [{"filename": 1}]}'),
        (JSON, b"[" * 100_000),
        ("text/html", b'<a href="http://[">x</a>'),
    ],
    ids=["cut", "number", "no address", "deep", "bad address"],
)
def test_a_malformed_page_is_an_error_that_names_it(kind: str, body: bytes) -> None:
    index = StandIn(bodies={"/simple/demo/": (kind, body)})
    with index.serving() as main, view(f"{main}/simple/") as (url, _):
        found = ask(f"{url}demo/")

    assert (found.status, f"{main}/simple/demo/" in found.reason) == (424, True)


def test_a_page_without_an_end_is_cut_off_at_the_limit() -> None:
    with endless() as address, pytest.raises(UpstreamError, match="more than 1000000 bytes"):
        Fetcher({}).get(address, "*/*", limit=1_000_000)


@contextlib.contextmanager
def endless() -> Iterator[str]:
    """Serve bytes without an end."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.recv(10_000)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
                    while True:
                        connection.sendall(b"x" * 65_536)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def demo(login: str = "") -> StandIn:
    index = StandIn(login=login)
    index.add_page("/simple/", "demo", {WHEEL: make_wheel(WHEEL)})
    return index


@pytest.mark.parametrize("netrc", [True, False], ids=["netrc", "address"])
def test_credentials_are_used_for_pages_and_files_and_shown_to_nobody(
    tmp_path: Path,
    netrc: bool,  # noqa: FBT001 - a parameter
) -> None:
    index = demo(f"me:{PASSWORD}")
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    with index.serving() as main:
        address = main if netrc else main.replace("//", f"//me:{PASSWORD}@")
        environ = {"HOME": str(tmp_path) if netrc else "/nowhere"}
        with view(f"{address}/simple/", environ=environ) as (url, _):
            page = ask(f"{url}demo/")
            (entry,) = json.loads(page.body)["files"]
            wheel = ask(entry["url"])
            part = ask(entry["url"], {"Range": "bytes=-10"})
            sidecar = ask(f"{entry['url']}.metadata")

    assert (wheel.status, wheel.body) == (200, make_wheel(WHEEL))
    assert (part.status, part.body) == (206, make_wheel(WHEEL)[-10:])
    assert sidecar.body.startswith(b"Metadata-Version")
    assert PASSWORD not in page.body.decode()


def test_a_file_that_an_installer_has_is_not_sent_again() -> None:
    index = demo(f"me:{PASSWORD}")
    index.answers[f"/files/{WHEEL}"] = (304, {}, b"")
    with index.serving() as main:
        address = main.replace("//", f"//me:{PASSWORD}@")
        with view(f"{address}/simple/") as (url, service):
            (entry,) = json.loads(ask(f"{url}demo/").body)["files"]
            answer = ask(entry["url"], {"If-None-Match": '"tag"'})

    assert (answer.status, answer.body, list(service.log.warnings)) == (304, b"", [])


def test_credentials_do_not_follow_to_another_host() -> None:
    other = StandIn()
    other.add_page("/simple/", "demo", {WHEEL: make_wheel(WHEEL)})
    with other.serving() as elsewhere, demo(f"me:{PASSWORD}").serving() as main:
        moved = StandIn(
            answers={"/simple/demo/": (302, {"Location": f"{elsewhere}/simple/demo/"}, b"")}
        )
        with moved.serving() as first:
            login = first.replace("//", f"//me:{PASSWORD}@")
            with view(f"{login}/simple/") as (url, _):
                ask(f"{url}demo/")

    assert main
    assert moved.headers[0].get("authorization") is not None
    assert [it.get("authorization") for it in other.headers] == [None]


def test_a_wrong_password_is_an_error_without_the_password() -> None:
    with demo("me:right").serving() as main:
        login = main.replace("//", f"//me:{PASSWORD}@")
        with view(f"{login}/simple/") as (url, service):
            found = ask(f"{url}demo/")

    assert (found.status, "401" in found.reason) == (424, True)
    assert PASSWORD not in found.reason + "".join(service.log.warnings)


def test_cuda_indexes_that_cannot_be_reached_are_a_warning() -> None:
    cuda = "http://127.0.0.1:9/whl"
    with main_index().serving() as main, view(f"{main}/simple/", cuda=cuda) as (url, service):
        found = ask(f"{url}torch/")

    assert found.status == 200
    assert any("CUDA builds at http://127.0.0.1:9/whl/ are left out" in it
               for it in service.log.warnings)  # fmt: skip


def test_a_project_that_the_cuda_indexes_do_not_have_is_no_fault() -> None:
    with (
        main_index().serving() as main,
        StandIn(missing=403).serving() as cuda,
        view(f"{main}/simple/", cuda=f"{cuda}/whl") as (url, service),
    ):
        found = ask(f"{url}torch/")

    assert (found.status, service.log.warnings) == (200, {})


def test_indexes_with_a_folder_for_each_build_are_read_likewise() -> None:
    cuda = cuda_index()
    kind, page = cuda.bodies.pop("/whl/torch/")
    links = page.decode().splitlines()
    for label in ("cpu", "cu126", "cu130", "cu132"):
        own = [it for it in links if f"/whl/{label}/" in it]
        cuda.bodies[f"/whl/{label}/torch/"] = (kind, "\n".join(own).encode())
    root = "".join(
        f'<a href="{it}/">{it}</a>' for it in ("cpu", "cu126", "cu130", "cu132", "rocm6")
    )
    cuda.bodies["/whl/"] = ("text/html", root.encode())
    with (
        main_index().serving() as main,
        cuda.serving() as address,
        view(f"{main}/simple/", cuda=f"{address}/whl", target="v100@580") as (url, _),
    ):
        files = json.loads(ask(f"{url}torch/").body)["files"]

    assert "torch-2.14.1+cu126-cp310-abi3-manylinux_2_28_x86_64.whl" in {
        it["filename"] for it in files
    }


def test_a_large_page_and_many_clients_at_once() -> None:
    index = StandIn()
    wheel = make_wheel("demo-1.0-py3-none-any.whl")
    names = [f"demo-{it}+cu126-py3-none-any.whl" for it in range(10_000)]
    index.add_page("/simple/", "demo", dict.fromkeys(names, wheel), metadata=False)
    with (
        index.serving() as main,
        view(f"{main}/simple/") as (url, _),
        ThreadPoolExecutor(200) as pool,
    ):
        sizes = set(pool.map(lambda _: len(ask(f"{url}demo/").body), range(200)))

    assert len(sizes) == 1
    assert index.asked == ["/simple/demo/"]


def test_who_asks_before_the_view_is_made_waits_for_it() -> None:
    with main_index().serving() as main:
        upstream = Upstream(Fetcher({}), [f"{main}/simple/"])
        place = open_place("token")
        background = Background(
            lambda: ViewService(upstream, lambda: Wanted(machine("h100@580"))), place
        )
        parts = urlsplit(place.url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", f"{parts.path}numpy/", headers={"Accept": JSON})
            background.start()
            status = connection.getresponse().status
        background.stop()

    assert status == 302


def test_a_view_that_cannot_be_made_refuses_and_says_why() -> None:
    def fail() -> ViewService:
        raise UpstreamError("no such file of certificates")

    place = open_place("token")
    url = place.url
    background = Background(fail, place)
    background.start()

    with pytest.raises(UpstreamError, match="no such file of certificates"):
        background.stop()
    with pytest.raises(ConnectionError):
        ask(url)


def test_a_port_that_is_taken_is_replaced() -> None:
    first, is_usual = place_of("secret", "view")
    second, is_second_usual = place_of("secret", "view")
    with first.listener, second.listener:
        assert (is_usual, is_second_usual) == (True, False)
        assert first.prefix == second.prefix
        assert "secret" not in first.url


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://me:pass@host/x failed", "https://host/x failed"),
        ("nothing here", "nothing here"),
        ("a//b@c", "a//c"),
    ],
)
def test_addresses_lose_their_credentials(text: str, clean: str) -> None:
    assert redacted(text) == clean
