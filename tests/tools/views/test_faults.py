"""What goes wrong with an index is said on stderr after the command, without any secret.

The command asks as an installer does, and prints what it got.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.views.loopback import Loopback
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.place import open_place
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import Upstream
from tests.tools.views.clients import PIPS, clean_environment, pip_environment
from tests.tools.views.clients import run as run_command
from tests.tools.views.faulty import PAGES
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import StandIn, make_wheel, variant_index
from tests.tools.views.test_loopback import PASSWORD, WHEEL, ask, endless

if TYPE_CHECKING:
    from pathlib import Path

ASK = """
import http.client, os, sys
from urllib.parse import urlsplit
parts = urlsplit(os.environ["PIP_INDEX_URL"])
connection = http.client.HTTPConnection(parts.netloc, timeout=60)
for project in sys.argv[1:]:
    connection.request("GET", f"{parts.path}{project}/", headers={"Accept": "application/json"})
    answer = connection.getresponse()
    answer.read()
    print(project, answer.status)
sys.exit(3)
"""
# What the command gets for each fault.
STATUS = {"busy": 502, "broken": 502, "cut": 502, "gone": 404, "empty": 200}


def said(output: str, project: str) -> str:
    """Return what run says of a project."""
    match = re.search(rf"^(?:warning|note): {project}: (.*)", output, re.MULTILINE)
    return match[1] if match else ""


def test_every_fault_of_an_index_is_said_after_the_command_and_no_secret(tmp_path: Path) -> None:
    index = StandIn(
        login=f"me:{PASSWORD}",
        acts={f"/simple/{name}/": fault.act for name, fault in PAGES.items()},
    )
    with index.serving() as main:
        login = main.replace("//", f"//me:{PASSWORD}@")
        environ = clean_environment(tmp_path, PIP_INDEX_URL=f"{login}/simple/")
        done = run_command((), [sys.executable, "-c", ASK, *PAGES], environ, tmp_path)
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    hints = re.findall("^hint: (.*)", done.output, re.MULTILINE)
    expected = [fault.hint for fault in PAGES.values()]

    assert done.output.splitlines()[: len(PAGES)] == [
        f"{name} {STATUS.get(name, 424)}" for name in PAGES
    ]
    assert {name: fault.words in said(done.output, name) for name, fault in PAGES.items()} == (
        dict.fromkeys(PAGES, True)
    ), done.output
    assert {start: any(hint.startswith(start) for hint in hints) for start in expected} == (
        dict.fromkeys(expected, True)
    ), done.output
    assert (done.code, PASSWORD in done.output, left) == (3, False, ["secret"])


def test_an_index_that_is_down_or_never_ends_is_said_after_the_command(tmp_path: Path) -> None:
    with socket.socket() as unused, endless() as address:
        unused.bind(("127.0.0.1", 0))
        for index, words in (
            (f"http://127.0.0.1:{unused.getsockname()[1]}/", "refused"),
            (address, "more than 67108864 bytes"),
        ):
            environ = clean_environment(tmp_path, PIP_INDEX_URL=index)
            done = run_command((), [sys.executable, "-c", ASK, "demo"], environ, tmp_path)

            assert words in said(done.output, "demo"), done.output
            assert done.code == 3


def test_an_index_that_is_slow_is_given_up_and_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        upstream = Upstream(Fetcher({}, total_s=0.2), [index])
        service = ViewService(upstream, lambda: Wanted(machine("h100@580")))
        with Loopback(service, open_place("token")).running() as url:
            status = ask(f"{url}demo/").status

    assert (status, list(service.log.warnings)) == (
        502,
        [f"demo: {index}demo/: not complete after 0.2 s"],
    )


@pytest.mark.parametrize(
    ("metadata", "words"),
    [(b"{", "torch-2.16.0-variants.json"), (b"{}", "has another hash than its page states")],
    ids=["malformed", "another"],
)
def test_metadata_of_variants_that_cannot_be_used_is_said(metadata: bytes, words: str) -> None:
    index = variant_index()
    address = next(path for path in index.bodies if path.endswith("-variants.json"))
    kind, _ = index.bodies[address]
    index.bodies[address] = (kind, metadata)
    if metadata == b"{":
        without_hashes(index, "torch")
    with index.serving() as main:
        service = ViewService(
            Upstream(Fetcher({}), [f"{main}/simple/"]), lambda: Wanted(machine("h100@580"))
        )
        service.page("torch", "http://127.0.0.1/files/")

    assert any(words in warning for warning in service.log.warnings), service.log.warnings


def without_hashes(index: StandIn, project: str) -> None:
    kind, page = index.bodies[f"/simple/{project}/"]
    document = json.loads(page)
    for file in document["files"]:
        file["hashes"] = {}
    index.bodies[f"/simple/{project}/"] = (kind, json.dumps(document).encode())


def test_a_file_that_breaks_off_on_its_way_through_is_said() -> None:
    index = StandIn(login=f"me:{PASSWORD}")
    index.add_page("/simple/", "demo", {WHEEL: make_wheel(WHEEL)}, metadata=False)
    path = f"/files/{WHEEL}"
    with index.serving() as main:
        index.answers[path] = (200, {"Content-Length": "99999", "Connection": "close"}, b"PK")
        upstream = Upstream(Fetcher({}), [f"{main.replace('//', f'//me:{PASSWORD}@')}/simple/"])
        service = ViewService(upstream, lambda: Wanted(machine("h100@580")))
        with Loopback(service, open_place("token")).running() as url:
            (entry,) = json.loads(ask(f"{url}demo/").body)["files"]
            with contextlib.suppress(http.client.IncompleteRead):
                ask(entry["url"])

    assert list(service.log.warnings) == [f"{main}{path}: ended after 2 bytes of 99999"]


def test_a_fault_of_ours_is_an_answer_and_is_said() -> None:
    def fail() -> Wanted:
        raise ValueError("no such Python")

    index = variant_index()
    with index.serving() as main:
        service = ViewService(Upstream(Fetcher({}), [f"{main}/simple/"]), fail)
        with Loopback(service, open_place("token")).running() as url:
            answer = ask(f"{url}torch/")

    assert (answer.status, "unexpected ValueError: no such Python" in answer.reason) == (500, True)
    assert any("no such Python" in warning for warning in service.log.warnings)


@pytest.mark.clients
@pytest.mark.parametrize("tool", ["uv", pytest.param(PIPS[-1], marks=pytest.mark.deep)])
def test_a_wheel_with_a_wrong_hash_is_refused_by_the_installer(tmp_path: Path, tool: str) -> None:
    index = StandIn()
    index.add_page("/simple/", "demo", {WHEEL: make_wheel(WHEEL)})
    index.bodies[f"/files/{WHEEL}"] = ("application/octet-stream", make_wheel(WHEEL, ["other"]))
    with index.serving() as main:
        environ = clean_environment(
            tmp_path, PIP_INDEX_URL=f"{main}/simple/", UV_DEFAULT_INDEX=f"{main}/simple/"
        )
        command: list[str | Path] = (
            [uv_executable(), "pip", "install", "--target", tmp_path / "site", "demo"]
            if tool == "uv"
            else [pip_environment(tool), "-m", "pip", "download", "-d", tmp_path / "d", "demo"]
        )
        done = run_command((), command, environ, tmp_path)

    assert (done.code != 0, "hash" in done.output.lower()) == (True, True), done.output
