"""What a view costs, as ratios within one run: ``python -m benchmarks.views``.

``start``: from ``run`` to its command, in starts of a bare interpreter. ``page``: a page of 5,000
files in 300 releases, made for the first time, and answered again, against reading and writing
its JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.provider import answer
from nvidia_variant_provider.tools.releases.http import Fetcher
from nvidia_variant_provider.tools.releases.pages import parse_page
from nvidia_variant_provider.tools.views.model import Wanted
from nvidia_variant_provider.tools.views.service import ViewService
from nvidia_variant_provider.tools.views.upstream import ProjectPage, Upstream

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS: Final = 7
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
    bare = _best(lambda: _start([]))
    run = ["-m", "nvidia_variant_provider", "run", "--target", "h100@580", "--"]
    print(f"start of run: {_best(lambda: _start(run)) / bare:.1f} bare interpreter starts")
    body = _page()
    plain = _best(lambda: _seconds(lambda: json.dumps(json.loads(body))))
    print(f"page, first time: {_best(lambda: _first(body)) / plain:.1f} times json")
    return 0


def _start(words: list[str]) -> float:
    """Return the seconds from a start to the moment in which the started Python prints its time."""
    command = [sys.executable, *words, *([sys.executable] if words else []), "-c", _SHOW_TIME]
    began = time.perf_counter_ns()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return (int(done.stdout) - began) / 1e9


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
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _best(measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(_ROUNDS))


if __name__ == "__main__":
    sys.exit(main())
