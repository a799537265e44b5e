"""What goes on without an index, a folder or a file that has a fault, and what is said of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.cuda_indexes import FAMILY, TORCH_INDEX
from nvidia_variant_provider.tools.releases.http import MAX_PAGE, Answer, Fetcher
from nvidia_variant_provider.tools.releases.logins import redacted, split_login
from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.views.families import Families
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import CudaFamily, Upstream
from tests.tools.views.faulty import answer, silent
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import StandIn, main_index, make_wheel
from tests.tools.views.test_loopback import PASSWORD, WHEEL, ask, demo, view

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path


def test_a_store_that_forbids_what_it_does_not_have_hides_no_other_index() -> None:
    with StandIn(missing=403).serving() as store, demo().serving() as main:
        with view(f"{store}/simple/", f"{main}/simple/") as (url, service):
            before = service.was_asked
            found = ask(f"{url}demo/", {"Accept": "application/json"})
        location = found.headers.get("location", "")

    assert (found.status, location) == (302, f"{main}/simple/demo/")
    assert (before, service.was_asked) == (False, True)
    assert list(service.log.warnings) == [
        f"{store}/simple/demo/: 403 Forbidden; the other indexes and folders are judged"
    ]


@pytest.mark.parametrize("status", [401, 500])
def test_no_other_fault_ends_at_the_file_of_another_index(status: int) -> None:
    with (
        StandIn(missing=status).serving() as own,
        demo().serving() as public,
        view(f"{own}/simple/", f"{public}/simple/") as (url, _),
    ):
        found = ask(f"{url}demo/")

    assert found.status in {424, 502}


class TorchsStore(Fetcher):
    """Answers for PyTorch's store, which cannot be asked here; other indexes are asked."""

    def __init__(self, status: int) -> None:
        super().__init__({})
        self.status = status

    def get(self, url: str, accept: str, limit: int = MAX_PAGE) -> Answer:
        if url.startswith(TORCH_INDEX):
            raise UpstreamError(url, self.status)
        return super().get(url, accept, limit)


@pytest.mark.parametrize(
    ("status", "project", "is_first_only", "is_there"),
    [
        (403, "torch", True, True),
        (403, "numpy", False, True),
        (500, "numpy", False, True),
        (500, "torch", False, False),
        (500, "numpy", True, False),
        (401, "numpy", False, False),
    ],
)
def test_pytorch_s_store_says_in_its_own_way_that_a_project_is_not_there(
    status: int,
    project: str,
    is_first_only: bool,  # noqa: FBT001 - a column
    is_there: bool,  # noqa: FBT001 - likewise
) -> None:
    with main_index().serving() as main:
        indexes = [f"{TORCH_INDEX}/cu126", f"{main}/simple/"]
        upstream = Upstream(TorchsStore(status), indexes, is_first_only=is_first_only)
        try:
            page = upstream.page(project)
        except UpstreamError:
            page = None

    assert (page is not None and bool(page.files)) is is_there


def test_a_project_that_is_pinned_to_an_index_is_asked_there_alone(tmp_path: Path) -> None:
    pinned = demo()
    (tmp_path / WHEEL).write_bytes(b"")
    with main_index().serving() as main, pinned.serving() as other:
        upstream = Upstream(
            Fetcher({}), [f"{main}/simple/"], [str(tmp_path)],
            pinned={"demo": [f"{other}/simple/"], "torch": [f"{other}/simple/"]},
        )  # fmt: skip
        found = upstream.page("demo"), upstream.page("numpy")
        torch = upstream.page("torch")

    assert [page and page.url for page in found] == [
        f"{other}/simple/demo/",
        f"{main}/simple/numpy/",
    ]
    assert torch is None


def test_what_every_index_forbids_is_an_error() -> None:
    with (
        StandIn(missing=403).serving() as one,
        StandIn(missing=403).serving() as other,
        view(f"{one}/simple/", f"{other}/simple/") as (url, _),
    ):
        found = ask(f"{url}demo/")

    assert (found.status, "403 Forbidden" in found.reason) == (424, True)


def test_a_folder_of_wheels_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    with demo().serving() as main:
        upstream = Upstream(Fetcher({}), [f"{main}/simple/"], [str(tmp_path / "none")])
        service = ViewService(upstream, lambda: Wanted(machine("h100@580")))
        page = service.page("demo", "http://127.0.0.1/files/")

    assert (page.status, list(service.log.warnings)) == (
        200,
        [f"{tmp_path}/none: No such file or directory; the other indexes and folders are judged"],
    )


def test_a_file_that_is_larger_than_its_page_states_is_cut_off() -> None:
    index = StandIn(login=f"me:{PASSWORD}")
    wheel = make_wheel(WHEEL)
    index.add_page("/simple/", "demo", {WHEEL: wheel}, metadata=False)
    # No length, so that nobody but us can tell.
    index.acts[f"/files/{WHEEL}"] = answer(200, {"Content-Length": ""}, wheel + b"x" * 1_000_000)
    with (
        index.serving() as main,
        view(f"{main.replace('//', f'//me:{PASSWORD}@')}/simple/") as (url, service),
    ):
        (entry,) = json.loads(ask(f"{url}demo/").body)["files"]
        received = ask(entry["url"]).body

    assert len(received) <= len(wheel)
    assert list(service.log.warnings) == [
        f"{main}/files/{WHEEL}: has more bytes than its page states"
    ]


@pytest.mark.parametrize("folder", ["a b", "d\u00e9p\u00f4t"])
@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_a_file_in_a_folder_with_spaces_and_letters_is_handed_on(folder: str, kind: str) -> None:
    index = StandIn(login=f"me:{PASSWORD}")
    wheel = make_wheel(WHEEL)
    index.bodies[f"/{folder}/{WHEEL}"] = "application/octet-stream", wheel
    page = (
        f'<a href="/{folder}/{WHEEL}">{WHEEL}</a>'
        if kind == "text/html"
        else json.dumps({"files": [{"filename": WHEEL, "url": f"/{folder}/{WHEEL}"}]})
    )
    index.bodies["/simple/demo/"] = kind, page.encode()
    with (
        index.serving() as main,
        view(f"{main.replace('//', f'//me:{PASSWORD}@')}/simple/") as (url, _),
    ):
        (entry,) = json.loads(ask(f"{url}demo/").body)["files"]
        received = ask(entry["url"]).body

    assert received == wheel


def test_what_comes_slowly_is_handed_on_as_it_comes() -> None:
    index = demo(f"me:{PASSWORD}")
    received = threading.Event()
    pieces: list[bytes] = []

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        # A piece is large enough for all of them; none may be waited for until it is full.
        while len(pieces) < 300 and not received.is_set():
            pieces.append(b"x")
            handler.wfile.write(b"x")
            received.wait(0.15)

    index.acts[f"/files/{WHEEL}"] = drip
    with (
        index.serving() as main,
        view(f"{main.replace('//', f'//me:{PASSWORD}@')}/simple/") as (url, _),
    ):
        (entry,) = json.loads(ask(f"{url}demo/").body)["files"]
        parts = urlsplit(entry["url"])
        connection = http.client.HTTPConnection(parts.netloc, timeout=120)
        with contextlib.closing(connection):
            connection.request("GET", parts.path)
            first = connection.getresponse().read1(1)
            received.set()

    assert (first, len(pieces) < 300) == (b"x", True)


def family(base: str) -> CudaFamily:
    return CudaFamily(Fetcher({}, total_s=0.5), base, frozenset(FAMILY))


def test_per_cuda_indexes_that_do_not_answer_are_asked_once() -> None:
    said: list[str] = []
    index = StandIn(acts={f"/whl/{project}/": silent for project in FAMILY})
    with index.serving() as main:
        families = Families([family(f"{main}/whl")], lambda text, _: said.append(text))
        found = [families.files(project) for project in ("torch", "torchvision")]

    assert (found, index.asked) == ([{}, {}], ["/whl/torch/"])
    assert [text.partition(":")[0] for text in said] == ["torch", "torchvision"]


def test_an_address_without_builds_of_torch_is_said() -> None:
    said: list[tuple[str, str]] = []
    with StandIn(missing=403).serving() as main:
        families = Families([family(main)], lambda *pair: said.append(pair))
        families.files("torchvision")
        families.files("torch")
    ((text, hint),) = said

    assert text.startswith(f"torch: there are no CUDA builds at {main}/; ")
    assert "--cuda-index" in hint


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("http://me:a@b@host/x", "http://host/x"),
        ("https://host/w.whl?sig=secret failed", "https://host/w.whl?... failed"),
        ("http://host/h100@570/simple/", "http://host/h100@570/simple/"),
        ("did you mean this?", "did you mean this?"),
    ],
)
def test_passwords_with_signs_and_signed_addresses_are_not_shown(text: str, clean: str) -> None:
    assert redacted(text) == clean


@pytest.mark.parametrize("address", ["http://me:hun/ter2@host/simple/", "http://me:hun#ter2@host/"])
def test_an_address_with_a_password_that_is_not_encoded_is_an_error_without_it(
    address: str,
) -> None:
    with pytest.raises(InvalidValueError) as raised:
        split_login(address)

    assert ("hun" in str(raised.value), "ter2" in str(raised.value)) == (False, False)
    assert "%2F" in str(raised.value)


def test_an_address_without_its_scheme_is_no_folder() -> None:
    with pytest.raises(InvalidValueError, match=r"^host/simple: not an address and not a folder"):
        Upstream(Fetcher({}), [f"me:{PASSWORD}@host/simple"])


def test_names_that_nobody_has_do_not_fill_the_memory() -> None:
    with StandIn().serving() as main:
        service = ViewService(
            Upstream(Fetcher({}), [f"{main}/simple/"]), lambda: Wanted(machine("h100@580"))
        )
        for number in range(1100):
            service.log.note_warning(f"warning {number}", "")
            service.log.note_missing(f"project{number}", "")
        service.page("nobody", "http://127.0.0.1/files/")

    assert (len(service.log.warnings), len(service.log.missing)) == (1000, 1000)


def test_nothing_is_asked_after_the_end() -> None:
    with demo().serving() as main:
        fetcher = Fetcher({})
        fetcher.close()

        with pytest.raises(UpstreamError, match="the command has ended"):
            fetcher.get(f"{main}/simple/demo/", "*/*")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_does_not_answer_is_named_without_its_password(scheme: str) -> None:
    proxies = {f"{scheme}_proxy": f"http://me:{PASSWORD}@127.0.0.1:9/"}
    with pytest.raises(UpstreamError) as raised:
        Fetcher(proxies).get(f"{scheme}://index.invalid/demo/", "*/*")

    assert str(raised.value) == (
        f"{scheme}://index.invalid/demo/: through the proxy 127.0.0.1:9: "
        "[Errno 111] Connection refused"
    )
    assert raised.value.hint.startswith("check the proxy (HTTPS_PROXY, HTTP_PROXY)")


def test_a_host_that_a_redirect_leads_to_is_named_for_its_fault() -> None:
    with StandIn(missing=403).serving() as other:
        moved = {"/demo/": answer(302, {"Location": f"{other}/demo/"})}
        with (
            StandIn(acts=moved).serving() as main,
            pytest.raises(UpstreamError) as raised,
        ):
            Fetcher({}).get(f"{main}/demo/", "*/*")
    host = other.removeprefix("http://")

    assert str(raised.value) == f"{main}/demo/: 403 Forbidden (from {host}, where it redirects to)"
