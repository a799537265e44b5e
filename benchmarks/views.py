"""What a view costs, as ratios within one run: ``python -m benchmarks.views``.

``start``: from ``run`` to its command, in starts of a bare interpreter: by the clock, and by the
processor time of the main thread, which other programs disturb less (Linux). ``page``: a page of
5,000 files in 300 releases, made for the first time against reading and writing its JSON, and
answered again against sending the untouched page; both in processor time.

``--clients`` also measures pip, uv and memory, ``--large`` besides a wheel of 500 MB (Linux).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from benchmarks import view_clients
from nvidia_variant_provider.provider import answer
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.pages import parse_page
from nvidia_variant_provider.tools.views.loopback import Loopback
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.place import open_place
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import ProjectPage, Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROUNDS: Final = 7
_SPENT_BY_PARENT: Final = "cut -d' ' -f1 /proc/$PPID/schedstat"
_SPENT_BY_ITSELF: Final = "print(open('/proc/self/schedstat').read().split()[0])"
_SHOW_TIME: Final = "import time; print(time.perf_counter_ns())"
_URL: Final = "https://index.example/torch/"
_FILES: Final = "http://127.0.0.1/files/"


class _Memory(Upstream):
    """An upstream with one page, in memory."""

    def __init__(self, body: bytes) -> None:
        super().__init__(Fetcher({}), [])
        self._body = body

    def page(self, _project: str) -> ProjectPage:
        """Return the page, parsed anew."""
        return ProjectPage(parse_page(self._body, "json", _URL), _URL)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.views")
    parser.add_argument("--clients", action="store_true", help="also measure installers: minutes")
    parser.add_argument("--large", action="store_true", help="and a wheel of 500 MB")
    args = parser.parse_args()
    run = ["-m", "nvidia_variant_provider", "run", "--target", "h100@580", "--"]
    started, bare = _in_turn(lambda: _start(run), lambda: _start([]))
    print(f"start of run: {started / bare:.1f} bare interpreter starts")
    if sys.platform == "linux":
        spent, alone = _in_turn(
            lambda: _spent([*run, "sh", "-c", _SPENT_BY_PARENT]),
            lambda: _spent([sys.executable, "-c", _SPENT_BY_ITSELF], is_whole=True),
        )
        print(f"start of run, processor time: {spent / alone:.1f} bare interpreters")
    body = _page()
    first, plain = _in_turn(
        lambda: _first(body), lambda: _seconds(lambda: json.dumps(json.loads(body)))
    )
    print(f"page, first time: {first / plain:.1f} times json")
    view, untouched = _again(body)
    print(f"page, from the cache: {view / untouched:.2f} times the page untouched")
    if args.clients or args.large:
        view_clients.measure(body, with_large=args.large)
    return 0


def _start(words: list[str]) -> float:
    """Return the seconds from a start to the moment in which the started Python prints its time."""
    command = [sys.executable, *words, *([sys.executable] if words else []), "-c", _SHOW_TIME]
    began = time.perf_counter_ns()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return (int(done.stdout) - began) / 1e9


def _spent(words: list[str], *, is_whole: bool = False) -> float:
    """Return the nanoseconds of processor time that a process says were spent."""
    command = words if is_whole else [sys.executable, *words]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def _again(body: bytes) -> tuple[float, float]:
    """Return the seconds of a page that was made before, and of the page untouched; both by HTTP.

    The untouched page is the longer one: it has the wheels of all builds.
    """
    machine = answer({"NV_VARIANT_PROVIDER_TARGET": "h100@580"}).detection.machine
    service = ViewService(_Memory(body), lambda: Wanted(machine))
    with Loopback(service, open_place("token")).running() as url, _untouched(body) as plain:
        return _in_turn(lambda: _read_page(f"{url}torch/"), lambda: _read_page(plain))


@contextlib.contextmanager
def _untouched(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def _read_page(url: str) -> float:
    asked = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - ours

    def read() -> None:
        with urllib.request.urlopen(asked) as page:  # noqa: S310 - ours
            page.read()

    return _seconds(read)


def _page() -> bytes:
    names = [
        f"torch-2.{release}.0+{label}-cp3{minor}-cp3{minor}-manylinux_2_28_x86_64.whl"
        for release in range(300)
        for label in ("cpu", "cu126", "cu130")
        for minor in range(9, 15)
    ][:5000]
    files = [
        {
            "filename": name,
            "url": f"https://index.example/files/{name.replace('+', '%2B')}",
            "hashes": {"sha256": "ab" * 32},
            "size": 1,
            "requires-python": ">=3.9",
            "core-metadata": {"sha256": "cd" * 32},
        }
        for name in names
    ]
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "torch", "files": files}).encode()


def _first(body: bytes) -> float:
    machine = answer({"NV_VARIANT_PROVIDER_TARGET": "h100@580"}).detection.machine
    service = ViewService(_Memory(body), lambda: Wanted(machine))
    return _seconds(lambda: service.page("torch", _FILES).body(as_json=True))


def _seconds(work: Callable[[], object]) -> float:
    """Return the seconds of processor time of all threads of this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _in_turn(first: Callable[[], float], second: Callable[[], float]) -> tuple[float, float]:
    """Return the best of each; a load that comes and goes meets both."""
    pairs = [(first(), second()) for _ in range(_ROUNDS)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


if __name__ == "__main__":
    sys.exit(main())
