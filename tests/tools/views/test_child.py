"""``run`` gives its command the signals, streams and exit code it would have alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.tools.views.clients import clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
INDEX = "http://127.0.0.1:9/simple/"
READY = "import os, sys, time\nprint(os.environ['PIP_INDEX_URL'], os.getpid(), flush=True)\n"

# What serves a view, and what only other commands need: a fifth of a second on a slow machine.
LATE = (
    "concurrent.futures", "dataclasses", "email", "html", "http", "inspect", "json", "logging",
    "packaging", "pathlib", "pydantic", "ssl", "urllib", "zipfile",
)  # fmt: skip
WATCHED = f"""
import sys
def watch(event, _):
    if event == "subprocess.Popen":
        print([name for name in {LATE!r} if name in sys.modules], flush=True)
sys.addaudithook(watch)
from nvidia_variant_provider.tools.cli.main import main
main(["run", "--target", "h100@580", "--", sys.executable, "-c", "pass"])
"""

# Python tells before it forks, and handles the signal between two steps of its own.
EARLY = """
import os, signal, sys
from nvidia_variant_provider.tools.views.child import end_like, run_child
def watch(event, _):
    if event == "subprocess.Popen":
        os.kill(os.getpid(), signal.SIGTERM)
sys.addaudithook(watch)
command = [sys.executable, "-c", "import time; time.sleep(600)"]
sys.exit(end_like(run_child(command, os.environ, lambda: None)))
"""


def start(
    folder: Path, script: str, command: Sequence[str] = (), **more: object
) -> subprocess.Popen[str]:
    ours = [sys.executable, "-m", "nvidia_variant_provider", "run", "--target", "h100@580", "--"]
    process: subprocess.Popen[str] = subprocess.Popen(
        [*ours, *(command or (sys.executable, "-c", script))],
        env=clean_environment(folder, PIP_INDEX_URL=INDEX),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,  # type: ignore[call-overload]  # settings of Popen
    )
    return process


def first_line(process: subprocess.Popen[str]) -> tuple[str, int]:
    """Return the view's address and the child's process, once it is there."""
    assert process.stdout is not None
    url, pid = process.stdout.readline().split()
    return url, int(pid)


def is_gone(pid: int) -> bool:
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        # An orphan that has ended and that nobody waits for, as in a container without an init.
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_signal_for_run_goes_to_the_command(tmp_path: Path) -> None:
    process = start(tmp_path, f"{READY}time.sleep(60)")
    _, pid = first_line(process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)

    assert (process.returncode, is_gone(pid)) == (-signal.SIGTERM, True)


def test_a_signal_before_the_command_is_there_is_handed_on() -> None:
    done = subprocess.run([sys.executable, "-c", EARLY], timeout=120, check=False)

    assert done.returncode == -signal.SIGTERM


def test_ctrl_c_belongs_to_the_command(tmp_path: Path) -> None:
    waiting = READY.replace("print", "try:\n    print")
    script = f"{waiting}    time.sleep(60)\nexcept KeyboardInterrupt:\n    sys.exit(7)"
    process = start(tmp_path, script, start_new_session=True)
    first_line(process)
    # A terminal sends it to all processes of the group.
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)

    assert process.returncode == 7


def test_a_command_that_is_killed_ends_run_and_its_port(tmp_path: Path) -> None:
    process = start(tmp_path, f"{READY}time.sleep(60)")
    url, pid = first_line(process)
    os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=30)

    with pytest.raises(URLError):
        urlopen(url, timeout=5)  # noqa: S310 - of our own server
    assert process.returncode == -signal.SIGKILL


def test_when_run_is_killed_no_port_is_left(tmp_path: Path) -> None:
    process = start(tmp_path, f"{READY}sys.stdin.read()")
    url, pid = first_line(process)
    process.kill()
    process.communicate(timeout=30)

    assert is_gone(pid)
    with pytest.raises(URLError):
        urlopen(url, timeout=5)  # noqa: S310 - of our own server


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_the_command_has_the_streams_and_a_broken_pipe_ends_it_as_ever(tmp_path: Path) -> None:
    # Python ignores SIGPIPE in itself and restores it for what it starts: a shell is asked.
    process = start(tmp_path, "", command=["sh", "-c", "grep SigIgn /proc/self/status; cat >&2"])
    out, err = process.communicate("hello", timeout=30)
    ignored = int(out.split()[1], 16)

    assert ignored & (1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)) == 0
    # What a shell starts may name an index itself: that nobody asked the view is said.
    assert err.startswith("hellonote: no installer asked this view: ")


def test_nothing_is_left_but_the_secret(tmp_path: Path) -> None:
    process = start(tmp_path, "pass")
    process.communicate(timeout=30)
    left = sorted(str(it.relative_to(tmp_path)) for it in tmp_path.rglob("*") if it.is_file())

    assert (process.returncode, left) == (0, ["cache/nvidia-variant-provider/secret"])
    assert (tmp_path / left[0]).stat().st_mode & 0o077 == 0


def test_the_address_is_the_same_in_the_next_run(tmp_path: Path) -> None:
    addresses = set()
    for _ in range(2):
        process = start(tmp_path, READY)
        addresses.add(first_line(process)[0])
        process.communicate(timeout=30)

    assert len(addresses) == 1


def test_the_command_starts_before_the_server_is_imported(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        env=clean_environment(tmp_path, PIP_INDEX_URL=INDEX),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout == "[]\n"
