"""The server of views: the machine in the address, locks that hold, and what operators ask."""

from __future__ import annotations

import gzip
import json
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.tools.cli.main import main
from tests.tools.serve.server import Server, serving, serving_views
from tests.tools.views.clients import (
    PIPS,
    installed,
    new_environment,
    pip_environment,
)
from tests.tools.views.stand_in import JSON, main_index, variant_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-in wheels are for Linux")
WHEEL = "cp310-abi3-manylinux_2_28_x86_64.whl"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("serve"), main_index()) as running:
        yield running


@pytest.mark.parametrize(
    ("target", "wheel"),
    [
        ("v100@580", f"torch-2.14.1+cu126-{WHEEL}"),
        ("rtx-5090@580", f"torch-2.15.0-{WHEEL}"),
        ("h100@550", f"torch-2.14.1+cu126-{WHEEL}"),
        ("cpu", f"torch-2.15.0+cpu-{WHEEL}"),
    ],
)
def test_the_machine_is_in_the_address(server: Server, target: str, wheel: str) -> None:
    status, _, body = server.ask(f"/{target}/simple/torch/")
    names = [it["filename"] for it in json.loads(body)["files"]]

    assert (status, [it for it in names if it.endswith(WHEEL)][0]) == (200, wheel)  # noqa: RUF015


def test_any_is_the_main_index_unchanged(server: Server) -> None:
    status, headers, _ = server.ask("/any/simple/torch/")

    assert (status, headers["location"].endswith("/simple/torch/")) == (302, True)


TEXT = {"Accept": "*/*"}


# 400, not 404: uv asks its next index after a 404, and installs from there without a word.
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/gh20@580/simple/torch/", "'gh20@580' in the address is not a machine: there is no"),
        ("/gh20@580/simple/torch/", "did you mean gh200?"),
        ("/gtx-1080-ti@610/simple/torch/", "R580 is the last driver branch for gtx-1080-ti"),
        ("/h1000@580/files/0/torch.whl", "'h1000@580' in the address is not a machine"),
        ("/simple/torch/", "hint: name a machine: http://127.0.0.1:{port}/h100@570/simple/torch/"),
        ("/v100@580/torch/", "hint: did you mean http://127.0.0.1:{port}/v100@580/simple/torch/ ?"),
        ("/a/b/c/d/e", "hint: http://127.0.0.1:{port}/ has the addresses, such as"),
    ],
)  # fmt: skip
def test_a_wrong_address_says_what_is_expected(server: Server, path: str, words: str) -> None:
    status, _, body = server.ask(path)

    assert status == 400
    assert words.format(port=server.port) in body.decode()
    assert "--target" not in body.decode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "/h100@570/simple/  what an H100 with driver branch R570 should see"),
        ("/v100@580/", "The index for v100@580: Tesla V100, CUDA 13.0"),
        ("/v100/", "No driver was named: R580 (CUDA 13.0) is assumed"),
        ("/cpu/", "The index for cpu: machines without a GPU"),
        ("/any/", "Every package as the main index has it"),
    ],
)
def test_people_read_addresses_and_commands(server: Server, path: str, words: str) -> None:
    status, headers, body = server.ask(path, TEXT)
    _, of_browser, page = server.ask(path, {"Accept": "text/html,*/*;q=0.8"})

    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert words in body.decode()
    assert of_browser["content-type"] == "text/html; charset=utf-8"
    assert words in page.decode()


def test_the_address_in_the_words_is_the_one_that_was_asked(server: Server) -> None:
    _, _, body = server.ask("/v100@580/", {**TEXT, "Host": "views.example:8000"})
    index = "http://views.example:8000/v100@580/simple/"

    assert f"pip install --trusted-host views.example --index-url {index} torch" in body.decode()
    assert body.decode().count(f'url = "{index}"\n  verify_ssl = false') == 2


def test_a_name_with_blanks_is_an_address_to_paste(server: Server) -> None:
    path = "/NVIDIA%20H100%2080GB%20HBM3@570.86.15"
    status, _, body = server.ask(f"{path}/", TEXT)
    _, _, page = server.ask(f"{path}/simple/torch/")

    assert status == 200
    assert f"--index-url http://127.0.0.1:{server.port}{path}/simple/ torch" in body.decode()
    assert json.loads(page)["files"]


def test_no_host_can_write_into_the_page_of_a_browser(server: Server) -> None:
    headers = {"Accept": "text/html", "Host": "<script>alert(1)</script>"}
    _, _, body = server.ask("/", headers)

    assert b"<script>" not in body


def test_an_address_without_its_last_slash_leads_to_the_one_with_it(server: Server) -> None:
    asked = ("/v100@580", "/v100@580/simple", "/v100@580/simple/torch")
    answers = [server.ask(path) for path in asked]

    assert [(status, headers["location"]) for status, headers, _ in answers] == [
        (302, "./v100@580/"),
        (302, "./simple/"),
        (302, "./torch/"),
    ]


def test_only_reading_is_possible(server: Server) -> None:
    answers = [server.ask(path, method="POST") for path in ("/", "/v100@580/simple/torch/")]

    assert [(status, set(headers["allow"].split(", "))) for status, headers, _ in answers] == [
        (405, {"GET", "HEAD"}),
        (405, {"GET", "HEAD"}),
    ]


def test_a_list_of_projects_never_leads_past_the_view(server: Server) -> None:
    status, headers, _ = server.ask("/v100@580/simple/")
    _, _, page = server.ask("/v100@580/simple/", {"Accept": "text/html"})

    # A list in JSON has names alone; one in HTML has links, and they are relative.
    assert (status, headers["location"].endswith("/simple/")) == (302, True)
    assert re.findall(r'<a href="([^"]+)"', page.decode()) == [
        "numpy/",
        "nvidia-cublas-cu12/",
        "nvidia-cublas-cu13/",
        "torch/",
        "torchvision/",
        "typing-extensions/",
    ]


@pytest.mark.parametrize("has_list", [True, False])
def test_the_list_of_an_index_with_a_password_is_ours_to_give(
    tmp_path: Path, *, has_list: bool
) -> None:
    index = main_index()
    index.login = "user:secret"
    if not has_list:
        del index.bodies["/simple/"]
    with (
        index.serving() as main,
        serving_views(tmp_path, main.replace("//", "//user:secret@")) as server,
    ):
        status, _, body = server.ask("/v100@580/simple/")
        of_browser, _, page = server.ask("/v100@580/simple/", {"Accept": "text/html"})

    assert (status, of_browser) == (200 if has_list else 502, 200)
    assert (b'{"name": "torch"}' in body, b'<a href="torch/">' in page) == (has_list, has_list)
    assert (b"Not shown here: " in page) is not has_list
    assert b"secret" not in body + page


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (JSON, JSON),
        (f"text/html, {JSON};q=0.5", "text/html; charset=utf-8"),
        (f"text/html;q=0.1, {JSON};q=0.5", JSON),
        (f"{JSON};q=0", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
    ],
)
def test_a_page_is_what_is_asked_for_most(server: Server, accept: str, kind: str) -> None:
    _, headers, _ = server.ask("/v100@580/simple/torch/", {"Accept": accept})

    assert (headers["content-type"], headers["vary"]) == (kind, "Accept, Accept-Encoding")


def test_a_page_is_packed_for_who_can_unpack(server: Server) -> None:
    _, _, plain = server.ask("/h100@580/simple/torch/")
    _, headers, packed = server.ask("/h100@580/simple/torch/", {"Accept-Encoding": "gzip, br"})
    known = {"Accept-Encoding": "gzip", "If-None-Match": f'"x", W/{headers["etag"]}'}

    assert (gzip.decompress(packed), len(packed) < len(plain)) == (plain, True)
    assert server.ask("/h100@580/simple/torch/", known)[0] == 304


def test_the_head_of_a_page_has_its_length(server: Server) -> None:
    _, _, body = server.ask("/v100@580/simple/torch/")
    status, headers, nothing = server.ask("/v100@580/simple/torch/", method="HEAD")

    assert (status, int(headers["content-length"]), nothing) == (200, len(body), b"")


def test_a_page_that_has_not_changed_is_not_sent_again(server: Server) -> None:
    _, headers, _ = server.ask("/v100@580/simple/torch/")
    status, _, body = server.ask("/v100@580/simple/torch/", {"If-None-Match": headers["etag"]})

    assert (status, body) == (304, b"")


def test_operators_can_ask_how_it_is(server: Server) -> None:
    server.ask("/v100@580/simple/torch/")
    status, _, body = server.ask("/metrics")

    assert server.ask("/healthz")[2] == b"ok\n"
    assert status == 200
    assert b'nvidia_variant_provider_requests_total{kind="page",status="200"}' in body


def test_operators_and_users_read_what_could_not_be_asked(tmp_path: Path) -> None:
    with (
        main_index().serving() as index,
        serving_views(tmp_path, index, "http://127.0.0.1:9") as it,
    ):
        for _ in range(2):
            it.ask("/v100@580/simple/torch/")
        _, _, page = it.ask("/v100@580/", TEXT)
        it.process.send_signal(signal.SIGTERM)
        printed, _ = it.process.communicate(timeout=30)
    words = "torch: the CUDA builds at http://127.0.0.1:9/whl/ are left out:"

    assert printed.count(f"warning: v100@580: {words}") == 1
    assert words in page.decode()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--bind", "8000"), "--bind '8000': expected HOST:PORT, such as 127.0.0.1:8000"),
        (("--bind", "127.0.0.1:70000"), "expected HOST:PORT"),
        (("--bind", "192.0.2.1:8000"), "--bind 192.0.2.1:8000: Cannot assign requested address;"),
        (("--public-url", "views.example"), "--public-url 'views.example': expected an address"),
        (("--index-url", "/no/such/folder"), "/no/such/folder/: no such folder; expected an index"),
    ],
)
def test_a_server_that_cannot_start_says_why(
    capsys: pytest.CaptureFixture[str], options: tuple[str, str], words: str
) -> None:
    code = main(["serve", "--index-url", "http://127.0.0.1:9/simple/", *options])
    printed = capsys.readouterr()

    assert (code, printed.out) == (2, "")
    assert words in printed.err


@pytest.mark.clients
def test_the_commands_on_a_page_work_as_they_stand(tmp_path: Path) -> None:
    with serving(tmp_path, main_index()) as running:
        # A name of this machine that pip does not take for it, so that trust has to be asked for.
        _, _, page = running.ask("/v100@580/", {**TEXT, "Host": f"{socket.gethostname()}:1"})
        text = page.decode().replace(f"{socket.gethostname()}:1", f"127.0.0.1:{running.port}")
        commands = re.findall(r"^  ((?:pip|uv pip) install .*)$", text, re.MULTILINE)
        sites = []
        for number, command in enumerate(commands):
            tools = {"pip": [str(pip_environment(PIPS[-1])), "-m", "pip"], "uv": [uv_executable()]}
            name, *words = command.split()
            site = tmp_path / str(number)
            subprocess.run(
                [*tools[name], *words, "--target", str(site)],
                env=running.environ, check=True, capture_output=True,
            )  # fmt: skip
            sites.append(installed(site)["torch"])

    assert sites == ["2.14.1+cu126", "2.14.1+cu126"]


@pytest.mark.clients
@pytest.mark.parametrize(
    "tool", ["uv", *(pytest.param(pip, marks=pytest.mark.deep) for pip in PIPS[:-1]), PIPS[-1]]
)
def test_installers_read_baked_wheels_from_it(tmp_path: Path, tool: str) -> None:
    with serving(tmp_path, variant_index()) as running:
        index = running.view("rtx-5090@580")
        _, _, page = running.ask("/rtx-5090@580/simple/torch/")
        if tool == "uv":
            python = new_environment(tmp_path / "site")
            words = [str(uv_executable()), "pip", "install", "--python", str(python)]
        else:
            python = pip_environment(tool)
            words = [str(python), "-m", "pip", "install", "--target", f"{tmp_path}/site"]
        done = subprocess.run(
            [*words, "--index-url", index, "torch"],
            env=running.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
        )  # fmt: skip

    assert done.returncode == 0, done.stdout
    # PDM takes what follows an at sign in a link for a revision.
    assert {"@" in file["url"] for file in json.loads(page)["files"]} == {False}
    assert set(installed(tmp_path / "site")) == {"torch", "typing_extensions", "nvidia_cublas_cu13"}
