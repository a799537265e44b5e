"""Real installers through a view against the same index direct, and the memory of a view.

``resolving``: pip and uv resolve 60 packages, each time through a view that knows nothing yet; what
starting a view takes is measured elsewhere. ``large``: both fetch a wheel of 500 MB, as fast as
this machine sends it, and by a network of 1 Gbit/s. Direct and through the view take turns.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.view_index import AUTHORITY, LOGIN, add_page, make_large, make_packages, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROUNDS: Final = 5
_CLIENTS: Final = 200
# Where nobody's settings of installers are read.
_CLEAN: Final[dict[str, str]] = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_NO_CONFIG": "1",
    "NO_PROXY": "127.0.0.1",
}
_SHOW: Final = ["sh", "-c", "echo $PIP_INDEX_URL; exec cat"]


def measure(page: bytes, *, with_large: bool) -> None:
    """Measure and print; ``page`` is that of a project with thousands of files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_packages(folder)
        add_page(folder, "torch", page)
        for delay_ms in (0, 20):
            with serving(folder, delay_ms=delay_ms) as index:
                words = f"60 packages, index answers after {delay_ms} ms"
                for installer, command in _resolving(folder):
                    _compare(f"{words}, {installer}", command, index)
        with serving(folder) as index:
            print(f"memory with 200 clients at once: {_memory(index):.0f} MB")
        if with_large:
            make_large(folder)
            for login, how in (("", "redirected"), (LOGIN, "handed on with credentials")):
                for mbit_per_s, speed in ((0, "machine"), (1000, "1 Gbit/s")):
                    _compare_large(folder, login, f"500 MB, {how}, {speed}", mbit_per_s)


def _compare_large(folder: Path, login: str, words: str, mbit_per_s: int) -> None:
    told = _told_of(folder / AUTHORITY) if login else contextlib.nullcontext()
    with serving(folder, login, mbit_per_s=mbit_per_s) as index, told:
        for installer, command in _downloading(folder):
            _compare(f"{words}, {installer}", command, index)


def _resolving(folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    yield "pip", [*pip, "--no-cache-dir", "--quiet", "everything"]
    if uv := shutil.which("uv", path=os.path.dirname(sys.executable)):
        wanted = folder / "wanted.in"
        wanted.write_text("everything\n", "utf-8")
        yield "uv", [uv, "pip", "compile", "--no-cache", "--quiet", str(wanted)]


def _downloading(folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    pip = [sys.executable, "-m", "pip", "download", "--no-cache-dir", "--quiet", "large"]
    yield "pip", [*pip, "--dest", str(folder / "downloaded")]
    if uv := shutil.which("uv", path=os.path.dirname(sys.executable)):
        into = ["--target", str(folder / "installed"), "--python", sys.executable]
        yield "uv", [uv, "pip", "install", "--no-cache", "--quiet", *into, "large"]


def _compare(words: str, command: Sequence[str], index: str) -> None:
    pairs = [(_through_view(command, index), _seconds(command, index)) for _ in range(_ROUNDS)]
    view, direct = (min(pair[side] for pair in pairs) for side in (0, 1))
    print(f"{words}: {view / direct:.2f} times direct ({view:.2f} s and {direct:.2f} s)")


def _through_view(command: Sequence[str], index: str) -> float:
    with _view(index) as (url, _):
        return _seconds(command, url)


def _seconds(command: Sequence[str], index: str) -> float:
    environ = _environment(index)
    for written in ("--dest", "--target"):
        if written in command:
            shutil.rmtree(command[command.index(written) + 1], ignore_errors=True)
    began = time.perf_counter()
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


@contextlib.contextmanager
def _told_of(authority: Path) -> Iterator[None]:
    """Tell pip, uv and views of who signed the index's certificate."""
    told = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(authority))
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, text in before.items():
            os.environ.pop(name)
            os.environ.update({} if text is None else {name: text})


def _environment(index: str) -> dict[str, str]:
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("PIP_", "UV_", "NV_VARIANT"))
    }
    return kept | _CLEAN | {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index}


@contextlib.contextmanager
def _view(index: str) -> Iterator[tuple[str, int]]:
    """Give the address and the process of a new view of an index, which is ready to answer."""
    command = [sys.executable, "-m", "nvidia_variant_provider", "run", "--target", "h100@580"]
    with subprocess.Popen(
        [*command, "--", *_SHOW],
        env=_environment(index),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        assert process.stdin is not None  # noqa: S101 - for the type checker
        url = process.stdout.readline().strip()
        _read(url)
        try:
            yield url, process.pid
        finally:
            process.stdin.close()


def _memory(index: str) -> float:
    """Return the most memory that a view used, in MB, while clients asked for a long page."""
    with _view(index) as (url, pid):
        threads = [threading.Thread(target=_read, args=(f"{url}torch/",)) for _ in range(_CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        peak = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text("ascii"))
    assert peak is not None  # noqa: S101 - for the type checker
    return int(peak[1]) / 1024


def _read(url: str) -> None:
    asked = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - ours
    with urllib.request.urlopen(asked, timeout=120) as answer:  # noqa: S310 - ours
        answer.read()
