"""A running ``serve``, and its answers."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import subprocess
import sys
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
    environ = clean_environment(folder)
    command = [
        *(sys.executable, "-m", "nvidia_variant_provider", "serve"),
        *("--index-url", f"{main}/simple/", *(("--cuda-index", f"{cuda}/whl") if cuda else ())),
        *("--bind", "127.0.0.1:0"),
    ]
    process = subprocess.Popen(
        command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield Server(_port_of(process), process, environ)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _port_of(process: subprocess.Popen[str]) -> int:
    """Return the port that the first line of the server names, where it listens already."""
    assert process.stdout is not None
    line = process.stdout.readline()
    match = re.match(r"http://127\.0\.0\.1:(\d+)/", line)
    assert match is not None, line + process.communicate(timeout=30)[0]
    return int(match[1])
