"""How a run ends early: by a signal, with an index that does not answer or that goes away.

No process, port or file is left, whoever is ended; what was cached still installs.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from itertools import product
from typing import TYPE_CHECKING, Final

import pytest

from tests.tools.views.clients import clean_environment, installed
from tests.tools.views.faulty import answer, silent
from tests.tools.views.stand_in import variant_index
from tests.tools.views.test_fault_clients import (
    HANGS_S,
    NEWEST,
    WHEEL,
    command_of,
    demo_index,
    in_session,
    left,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from tests.tools.views.stand_in import StandIn

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(sys.platform != "linux", reason="asks /proc; the wheels are for Linux"),
]
# A client gives up for itself much later than any signal of a test comes.
TARGET: Final = ("--target", "h100@550")
PATIENT: Final = {"PIP_DEFAULT_TIMEOUT": "200", "UV_HTTP_TIMEOUT": "200"}


class Asked:
    """Tells when an index is asked for something that it then does not finish."""

    def __init__(self, index: StandIn, path: str, act: object = silent) -> None:
        self.now = threading.Event()

        def told(handler: object) -> None:
            self.now.set()
            act(handler)  # type: ignore[operator]  # an Act

        index.acts[path] = told


@contextlib.contextmanager
def running(
    tool: str, folder: Path, index: str, *words: str, options: Sequence[str] = (),
    environ: Mapping[str, str] = PATIENT,
) -> Iterator[subprocess.Popen[str]]:  # fmt: skip
    """Start an installer through ``run``, in a session of its own."""
    (folder / "tmp").mkdir(exist_ok=True)
    settings = clean_environment(
        folder, PIP_INDEX_URL=index, UV_DEFAULT_INDEX=index, TMPDIR=str(folder / "tmp"), **environ
    )
    ours = [sys.executable, "-m", "nvidia_variant_provider", "run", *options, "--"]
    with subprocess.Popen(
        [*ours, *command_of(tool, folder, words)],
        env=settings, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            for pid in in_session(process.pid):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)


def installer_of(process: subprocess.Popen[str]) -> int:
    """Return the child of a ``run`` that installs; another may be asked for its tags."""
    (pid,) = [pid for pid in in_session(process.pid) if is_installer(pid, process.pid)]
    return pid


def is_installer(pid: int, parent: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            of_run = int(file.read().rpartition(")")[2].split()[1]) == parent
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return of_run and b"install" in file.read().split(b"\0")
    except OSError:
        return False


def is_refused(output: str) -> bool:
    """Tell whether nothing listens at the address of the view that an installer has printed."""
    address = re.search(r"http://127\.0\.0\.1:(\d+)/[0-9a-f]{40}/", output)
    if address is None:
        return True
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", int(address[1]))) != 0


WAITS: Final = ("page", "metadata", "wheel")


def waiting(index: StandIn, place: str) -> Asked:
    """Have an index of variants not finish a page, the metadata, or the wheel to write anew."""
    wheel = next(path for path in index.bodies if path.endswith("-cuda12.6.whl"))
    path = {"page": "/simple/torch/", "metadata": f"{wheel}.metadata", "wheel": wheel}[place]
    # Written to a file while it comes.
    return Asked(index, path, trickle if place == "wheel" else silent)


def trickle(handler: BaseHTTPRequestHandler) -> None:
    """Answer without an end, slowly enough not to fill a disk."""
    answer(200, {"Content-Length": ""})(handler)
    while True:
        handler.wfile.write(b"x" * 4096)
        time.sleep(0.01)


# What runs in the gate; the rest is for `.ci/run deep`.
QUICK: Final = {("SIGTERM", "wheel", "uv")}


@pytest.mark.parametrize(
    ("name", "place", "tool"),
    [
        pytest.param(*case, marks=[] if case in QUICK else [pytest.mark.deep])
        for case in product(["SIGINT", "SIGTERM", "SIGHUP"], WAITS, [NEWEST, "uv"])
    ],
)
def test_a_signal_while_an_index_does_not_answer_leaves_nothing(
    tmp_path: Path, tool: str, place: str, name: str
) -> None:
    number = signal.Signals[name]
    index = variant_index()
    asked = waiting(index, place)
    if place == "wheel":
        without_sizes(index)
    with (
        index.serving() as main,
        running(
            tool, tmp_path, f"{main}/simple/", "torch", options=["--target", "h100@550"]
        ) as run,
    ):
        assert asked.now.wait(HANGS_S)
        before = time.monotonic()
        if number == signal.SIGINT:
            # A terminal sends it to all processes of the group.
            os.killpg(run.pid, number)
        else:
            run.send_signal(number)
        output, _ = run.communicate(timeout=HANGS_S)
        seconds = time.monotonic() - before

        assert run.returncode != 0
        # A pip that is ended otherwise than by Ctrl-C leaves its own.
        found = [name for name in left(tmp_path, run.pid) if not name.startswith("tmp/pip-")]
        assert found == ["secret"], output
    assert is_refused(output)
    # The index would be waited for for a minute.
    assert seconds < 50, output


def without_sizes(index: StandIn) -> None:
    """Take the sizes from a page, so that a wheel without an end goes on."""
    kind, page = index.bodies["/simple/torch/"]
    index.bodies["/simple/torch/"] = kind, re.sub(rb'"size": \d+', b'"size": null', page)


@pytest.mark.deep
@pytest.mark.parametrize("tool", [NEWEST, "uv"])
def test_an_installer_that_is_killed_ends_run_with_its_signal(tmp_path: Path, tool: str) -> None:
    index = demo_index(login=False)
    asked = Asked(index, "/simple/demo/")
    with index.serving() as main, running(tool, tmp_path, f"{main}/simple/", "demo") as run:
        assert asked.now.wait(HANGS_S)
        os.kill(installer_of(run), signal.SIGKILL)
        output, _ = run.communicate(timeout=HANGS_S)

    assert (run.returncode, left(tmp_path, run.pid)[-1:]) == (-signal.SIGKILL, ["secret"]), output


@pytest.mark.deep
@pytest.mark.parametrize("tool", [NEWEST, "uv"])
def test_when_run_is_killed_the_installer_ends_with_an_error_and_no_port_is_left(
    tmp_path: Path, tool: str
) -> None:
    index = demo_index(login=False)
    asked = Asked(index, "/simple/demo/")
    with index.serving() as main, running(
        tool, tmp_path, f"{main}/simple/", "demo",
        environ={"PIP_RETRIES": "1", "UV_HTTP_RETRIES": "1"},
    ) as run:  # fmt: skip
        assert asked.now.wait(HANGS_S)
        run.kill()
        output, _ = run.communicate(timeout=HANGS_S)
        ended = wait_for(lambda: in_session(run.pid) == [])

    assert (run.returncode, ended, is_refused(output)) == (-signal.SIGKILL, True, True), output
    assert re.search("No matching distribution found|error: ", output), output
    assert installed(tmp_path / "site") == {}


def wait_for(holds: object) -> bool:
    end = time.monotonic() + HANGS_S
    while not holds():  # type: ignore[operator]  # a function
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.deep
@pytest.mark.parametrize("tool", [NEWEST, "uv"])
def test_two_runs_of_one_view_at_once_both_install(tmp_path: Path, tool: str) -> None:
    index = demo_index(login=False)
    first, second = tmp_path / "first", tmp_path / "second"
    shared = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for folder in (first, second):
        folder.mkdir()
    release = threading.Event()
    asked = threading.Event()

    def hold(handler: object) -> None:
        asked.set()
        release.wait(HANGS_S)
        kind, body = index.bodies["/simple/demo/"]
        handler._ranged(kind, body)  # type: ignore[attr-defined]  # noqa: SLF001 - of the stand-in

    index.acts["/simple/demo/"] = hold
    with (
        index.serving() as main,
        running(tool, first, f"{main}/simple/", "demo", environ=PATIENT | shared) as one,
    ):
        assert asked.wait(HANGS_S)
        del index.acts["/simple/demo/"]
        with running(tool, second, f"{main}/simple/", "demo", environ=PATIENT | shared) as other:
            said, _ = other.communicate(timeout=HANGS_S)
        release.set()
        output, _ = one.communicate(timeout=HANGS_S)
    note = "note: the view's usual port is taken: it has another one, and uv's cache starts anew"

    assert (other.returncode, note in said, installed(second / "site")) == (
        0,
        True,
        {"demo": "1.0"},
    ), said
    assert (one.returncode, note in output, installed(first / "site")) == (
        0,
        False,
        {"demo": "1.0"},
    ), output


@pytest.mark.deep
@pytest.mark.parametrize("tool", [NEWEST, "uv"])
def test_an_index_that_goes_away_in_the_middle_is_named(tmp_path: Path, tool: str) -> None:
    """The page comes, and then the server is gone."""
    index = demo_index()
    with contextlib.ExitStack() as stack:
        main = stack.enter_context(index.serving())
        gone = threading.Event()

        def go(handler: object) -> None:
            gone.set()
            handler.connection.close()  # type: ignore[attr-defined]  # of the stand-in

        index.acts[f"/files/{WHEEL}"] = index.acts[f"/files/{WHEEL}.metadata"] = go
        login = main.replace("//", f"//{index.login}@")
        with running(tool, tmp_path, f"{login}/simple/", "demo", environ={
            "PIP_RETRIES": "1", "UV_HTTP_RETRIES": "1",
        }) as run:  # fmt: skip
            assert gone.wait(HANGS_S)
            stack.close()
            output, _ = run.communicate(timeout=HANGS_S)

    assert (run.returncode != 0, left(tmp_path, run.pid)) == (True, ["secret"]), output
    assert re.search(f"^warning: {main}/files/{WHEEL}", output, re.MULTILINE), output
    assert "hint: check the network" in output


@pytest.mark.deep
@pytest.mark.parametrize("words", [["--offline"], []], ids=["offline", "as ever"])
def test_uv_installs_what_it_has_cached_while_the_index_is_down(
    tmp_path: Path, words: list[str]
) -> None:
    index = demo_index(login=False)
    with index.serving() as main:
        # As PyPI does it: addresses are whole, and everything may be kept for a while.
        for path, (kind, body) in index.bodies.items():
            whole = body.replace(b'"/files/', f'"{main}/files/'.encode())
            size = str(len(whole))
            headers = {"Content-Type": kind, "Cache-Control": "max-age=600", "Content-Length": size}
            index.answers[path] = (200, headers, whole)
        before = ends(tmp_path, f"{main}/simple/", "demo")
    shutil.rmtree(tmp_path / "site")
    after = ends(tmp_path, f"{main}/simple/", "demo", *words)

    assert (before[0], after[0]) == (0, 0), after[1]
    assert installed(tmp_path / "site") == {"demo": "1.0"}


def ends(folder: Path, index: str, *words: str, options: Sequence[str] = ()) -> tuple[int, str]:
    """Run uv to its end."""
    once = {"UV_HTTP_RETRIES": "1"}
    with running("uv", folder, index, *words, options=options, environ=once) as run:
        output, _ = run.communicate(timeout=HANGS_S)
    return run.returncode, output


@pytest.mark.deep
def test_a_wheel_that_was_written_anew_is_there_while_its_index_is_down(tmp_path: Path) -> None:
    """uv asks for the wheel alone: its pages are in uv's cache, and the wheel in ours."""
    index = variant_index()
    with index.serving() as main:
        url = f"{main}/simple/"
        before = ends(tmp_path, url, "torch", options=TARGET)
    shutil.rmtree(tmp_path / "site")
    after = ends(tmp_path, url, "--offline", "torch", options=TARGET)

    assert (before[0], after[0]) == (0, 0), before[1] + after[1]
    assert installed(tmp_path / "site")["torch"] == "2.16.0"
    assert "warning" not in after[1]
