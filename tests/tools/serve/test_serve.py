"""The server of views: the machine in the address, locks that hold, and what operators ask."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples.torch.clients import uv_executable
from tests.tools.serve.server import Server, serving
from tests.tools.views.clients import (
    PIPS,
    installed,
    new_environment,
    pip_environment,
)
from tests.tools.views.stand_in import main_index, variant_index

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


def test_a_name_of_no_machine_is_not_found_and_says_why(server: Server) -> None:
    status, _, body = server.ask("/h1000@580/simple/torch/")

    assert (status, b"did you mean" in body) == (404, True)


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


def test_a_signal_ends_it_in_order(tmp_path: Path) -> None:
    with serving(tmp_path, main_index()) as running:
        running.process.send_signal(signal.SIGTERM)
        running.process.communicate(timeout=30)

    assert running.process.returncode in {0, -signal.SIGTERM}


@pytest.mark.clients
@pytest.mark.parametrize("tool", ["uv", PIPS[-1]])
def test_installers_read_baked_wheels_from_it(tmp_path: Path, tool: str) -> None:
    with serving(tmp_path, variant_index()) as running:
        index = f"http://127.0.0.1:{running.port}/rtx-5090@580/simple/"
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
    assert set(installed(tmp_path / "site")) == {"torch", "typing_extensions", "nvidia_cublas_cu13"}
