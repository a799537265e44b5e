"""The built site, served on loopback, and a browser to look at it."""

from __future__ import annotations

import functools
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT: Final = Path(__file__).resolve().parents[2]
SITE: Final = ROOT / "site"
CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
SCHEMES: Final = ("light", "dark")
AXE: Final = ROOT / ".cache" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS: Final = {"desktop": 1300, "phone": 390}


# How long a page may take: a deadline, which a machine that is busy does not reach.
PATIENCE_MS: Final = 180_000


class _Server(ThreadingHTTPServer):
    # The usual queue of five drops a browser's connections where threads are slow to start.
    request_queue_size = 256
    daemon_threads = True
    block_on_close = False


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # a page's files share connections

    def log_message(self, *_: object) -> None:
        """Keep the tests' output free of the server's log."""


@contextmanager
def served() -> Iterator[str]:
    assert (SITE / "index.html").is_file(), "no site: run `.ci/run docs`"
    handler = functools.partial(_Quiet, directory=str(SITE))
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """Return a page that is closed after the test: open ones go on drawing."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Return axe, which looks for what people with disabilities cannot use."""
    if not AXE.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not installed")
        folder = AXE.parents[2]
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--silent", "--prefix", str(folder), "axe-core@4.14.1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"axe-core could not be fetched: {done.stderr[-300:]}")
    return AXE.read_text("utf-8")
