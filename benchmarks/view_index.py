"""An index in a folder, served by a process of its own: ``python -m benchmarks.view_index DIR``.

``make_packages`` writes 60 projects of 10 versions, each with its metadata beside it; the last,
``everything``, requires them all. ``make_large`` writes one wheel of 500 MB. Pages are JSON with
absolute addresses, as PyPI has them. An index with credentials is served over TLS, as all are.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import ssl
import subprocess
import sys
import time
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, AnyStr, Final

import trustme

from tests.tools.views.stand_in import make_wheel, metadata_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import SupportsRead, SupportsWrite

PROJECTS: Final = 60
LOGIN: Final = "me:word"
# The certificate of who signed the index's own, in the folder that is served.
AUTHORITY: Final = "authority.pem"
LARGE: Final = "large-1.0-py3-none-any.whl"
_VERSIONS: Final = 10
_BLOCK: Final = 1 << 20
_BLOCKS: Final = 500
# Stands for the address of the index, which is not known before it is served.
_HERE: Final = "http://here"
_JSON: Final = "application/vnd.pypi.simple.v1+json"


def make_packages(folder: Path) -> None:
    """Write the projects; each requires the next two, in any version."""
    names = [f"package-{number:02}" for number in range(PROJECTS - 1)]
    for place, name in enumerate(names):
        requires = [f"{other}>=1" for other in names[place + 1 : place + 3]]
        for version in range(_VERSIONS):
            stem = f"{name.replace('-', '_')}-1.{version}-py3-none-any"
            _add(folder, name, f"{stem}.whl", make_wheel(f"{stem}.whl", requires))
    wheel = "everything-1.0-py3-none-any.whl"
    _add(folder, "everything", wheel, make_wheel(wheel, names))


def add_page(folder: Path, project: str, body: bytes) -> None:
    """Write the page of a project as JSON."""
    page = folder / "simple" / project
    page.mkdir(parents=True, exist_ok=True)
    (page / "index.json").write_bytes(body)


def make_large(folder: Path) -> None:
    """Write a wheel of 500 MB that cannot be packed any smaller."""
    path = folder / "files" / LARGE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make_wheel(LARGE))
    with zipfile.ZipFile(path, "a") as archive, archive.open("large/data.bin", "w") as member:
        for _ in range(_BLOCKS):
            member.write(os.urandom(_BLOCK))
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(_BLOCK):
            digest.update(piece)
    _list(folder, "large", LARGE, digest.hexdigest(), metadata_of(make_wheel(LARGE)))


def _add(folder: Path, project: str, name: str, wheel: bytes) -> None:
    path = folder / "files" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wheel)
    _list(folder, project, name, hashlib.sha256(wheel).hexdigest(), metadata_of(wheel))


def _list(folder: Path, project: str, name: str, sha256: str, metadata: bytes) -> None:
    (folder / "files" / f"{name}.metadata").write_bytes(metadata)
    page = folder / "simple" / project / "index.json"
    listed = json.loads(page.read_bytes())["files"] if page.exists() else []
    entry = {
        "filename": name,
        "url": f"{_HERE}/files/{name}",
        "hashes": {"sha256": sha256},
        "size": (folder / "files" / name).stat().st_size,
        "core-metadata": {"sha256": hashlib.sha256(metadata).hexdigest()},
    }
    document = {"meta": {"api-version": "1.0"}, "name": project, "files": [*listed, entry]}
    add_page(folder, project, json.dumps(document).encode())


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else headers and body wait for each other, 40 ms a page.
    disable_nagle_algorithm = True
    login = ""
    delay_s = 0.0
    bytes_per_s = 0.0

    def do_GET(self) -> None:
        if not self._may_read():
            return
        page = self.translate_path(self.path)
        if not page.endswith(".json"):
            super().do_GET()
            return
        with open(page, "rb") as file:
            here = f"{'https' if self.login else 'http'}://{self.headers['Host']}"
            body = file.read().replace(_HERE.encode(), here.encode())
        self.send_response(200)
        self.send_header("Content-Type", _JSON)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        if self._may_read():
            super().do_HEAD()

    def translate_path(self, path: str) -> str:
        full = super().translate_path(path)
        page = os.path.join(full, "index.json")
        return page if os.path.isfile(page) else full

    def copyfile(self, source: SupportsRead[AnyStr], outputfile: SupportsWrite[AnyStr]) -> None:
        began, sent = time.perf_counter(), 0
        while piece := source.read(_BLOCK):
            outputfile.write(piece)
            sent += len(piece)
            if self.bytes_per_s:
                ahead_s = began + sent / self.bytes_per_s - time.perf_counter()
                time.sleep(max(0.0, ahead_s))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _may_read(self) -> bool:
        time.sleep(self.delay_s)
        wanted = "Basic " + base64.b64encode(self.login.encode()).decode()
        if self.login and self.headers.get("Authorization") != wanted:
            self.send_error(401)
            return False
        return True


class _Server(ThreadingHTTPServer):
    request_queue_size = 256


@contextlib.contextmanager
def serving(folder: Path, login: str = "", delay_ms: int = 0, mbit_per_s: int = 0) -> Iterator[str]:
    """Serve a folder by another process; give its address, with the credentials in it.

    ``delay_ms`` is how long each answer takes; files are as fast as the machine where
    ``mbit_per_s`` is 0.
    """
    words = (str(folder), login, str(delay_ms), str(mbit_per_s))
    command = [sys.executable, "-m", "benchmarks.view_index", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        port = process.stdout.readline().strip()
        try:
            scheme = f"https://{login}@" if login else "http://"
            yield f"{scheme}127.0.0.1:{port}/simple/"
        finally:
            process.terminate()


def _tls(folder: str) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(os.path.join(folder, AUTHORITY))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def main(folder: str, login: str, delay_ms: str, mbit_per_s: str) -> None:
    """Serve until the process is ended."""
    _Handler.login, _Handler.delay_s = login, int(delay_ms) / 1000
    _Handler.bytes_per_s = int(mbit_per_s) * 1e6 / 8
    with _Server(("127.0.0.1", 0), partial(_Handler, directory=folder)) as server:
        if login:
            server.socket = _tls(folder).wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
