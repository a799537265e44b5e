"""A running ``serve``, and its answers."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.tools.views.clients import clean_environment
from tests.tools.views.stand_in import JSON, StandIn, cuda_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Server(NamedTuple):
    """A running server: its port and process."""

    port: int
    process: subprocess.Popen[str]
    environ: dict[str, str]

    def view(self, name: str) -> str:
        """Return the address of a view: ``gh200@580``."""
        return f"http://127.0.0.1:{self.port}/{name}/simple/"

    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, dict[str, str], bytes]:
        """Return the status, the headers and the body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, headers={"Accept": JSON, **(headers or {})})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()


@contextlib.contextmanager
def serving(folder: Path, index: StandIn) -> Iterator[Server]:
    """Serve views of an index, and of a stand-in of PyTorch's."""
    with (
        index.serving() as main,
        cuda_index().serving() as cuda,
        serving_views(folder, main, cuda) as server,
    ):
        yield server


@contextlib.contextmanager
def serving_views(folder: Path, main: str, cuda: str = "") -> Iterator[Server]:
    """Serve views of indexes that are there; without ``cuda`` of the main one alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = clean_environment(folder)
    command = [
        *(sys.executable, "-m", "nvidia_variant_provider", "serve"),
        *("--index-url", f"{main}/simple/", *(("--cuda-index", f"{cuda}/whl") if cuda else ())),
        *("--bind", f"127.0.0.1:{port}"),
    ]
    process = subprocess.Popen(
        command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    server = Server(port, process, environ)
    try:
        _wait(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _wait(server: Server) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError):
            server.ask("/healthz")
            return
        time.sleep(0.1)
    raise AssertionError(server.process.communicate(timeout=5))
