"""Both ways to run a child process: what is reported of it, and that nothing is waited for long."""

from __future__ import annotations

import errno
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final
from unittest import mock

import pytest

from nvidia_variant_provider.detect import child
from nvidia_variant_provider.detect.popen import run_program
from nvidia_variant_provider.detect.spawn import run_worker
from tests.disguise import as_part_of
from tests.native.asking import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    Run: TypeAlias = Callable[..., child.ChildReply]


def run_without_sessions(*arguments: object, **named: object) -> child.ChildReply:
    """Run a worker in a Python that was built for an old C library, such as uv installs."""

    def posix_spawn(*arguments: object, setsid: bool = False, **named: object) -> int:
        if setsid:
            raise NotImplementedError("posix_spawn: setsid unavailable on this platform")
        return spawned(*arguments, **named)

    spawned: Callable[..., int] = os.posix_spawn
    worker: Run = run_worker
    with mock.patch.object(os, "posix_spawn", as_part_of("os", posix_spawn)):
        return worker(*arguments, **named)


# The last is how children run on Windows, which has no process groups.
WAYS: Final[dict[str, Run]] = {
    "spawn": run_worker,
    "spawn without sessions": run_without_sessions,
    "popen": run_program,
    "popen without groups": functools.partial(run_program, has_groups=False),
}


@pytest.fixture(params=WAYS)
def run(request: pytest.FixtureRequest) -> Run:
    return WAYS[request.param]


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


@pytest.mark.parametrize(
    ("script", "text", "end"),
    [
        ("echo yes; exit 3", "yes\n", "exit 3"),
        ("printf half", "half", "exit 0"),
        ("printf '\\377'", "\N{REPLACEMENT CHARACTER}", "exit 0"),
        ("kill -9 $$", "", "signal 9"),
        ("exit 139", "", "signal 11"),
        ("echo nothing of it >&2", "", "exit 0"),
        ("exec >&-; exit 4", "", "exit 4"),
    ],
)
def test_output_and_end_are_reported(run: Run, script: str, text: str, end: str) -> None:
    reply = run(shell(script), {}, 10)

    assert (reply.text, str(reply.end)) == (text, end)
    assert 0 < reply.seconds < 10


def test_the_environment_is_the_given_one(run: Run) -> None:
    assert run(["/usr/bin/env"], {"ONLY": "this"}, 10).text == "ONLY=this\n"


@pytest.mark.parametrize("environment", [{}, {"A=B": "no such name"}], ids=["program", "variable"])
def test_what_cannot_be_started_is_said(run: Run, environment: dict[str, str]) -> None:
    reply = run(["/nowhere/no-such-program"], environment, 10)

    assert reply.text == ""
    assert str(reply.end).startswith("not started: ")


def test_a_silent_child_is_stopped_at_the_deadline(run: Run) -> None:
    reply = run(shell("echo first; exec sleep 60"), {}, 2)

    assert (reply.text, str(reply.end)) == ("first\n", "timeout")
    assert reply.seconds < 10


def test_a_talkative_child_is_stopped_at_the_deadline(run: Run) -> None:
    reply = run(shell("while echo on; do sleep 0.01; done"), {}, 2)

    assert str(reply.end) == "timeout"
    assert reply.text.startswith("on\non\n")


def test_endless_output_ends_the_child(run: Run) -> None:
    reply = run(shell("while echo 0123456789012345678901234567890123456789; do :; done"), {}, 30)

    assert str(reply.end) == "too much output"
    assert child.MAX_OUTPUT <= len(reply.text) < 2 * child.MAX_OUTPUT


def test_the_last_line_is_not_waited_beyond(run: Run) -> None:
    reply = run(shell("printf 'early\\nto'; sleep 0.05; echo 'ken end'; sleep 60"), {}, 30, "token")

    assert reply.text == "early\ntoken end\n"
    assert reply.seconds < 10


def test_what_a_process_left_behind_holds_open_is_not_waited_for(run: Run) -> None:
    started = time.monotonic()
    reply = run(shell("setsid sleep 8 & echo gone"), {}, 2)

    assert (reply.text, str(reply.end)) == ("gone\n", "exit 0")
    assert time.monotonic() - started < 7


@pytest.fixture
def reaping() -> Iterator[None]:
    """Be a process that reaps its children as they end."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.usefixtures("reaping")
def test_a_child_that_someone_else_reaps_has_ended_well(run: Run) -> None:
    reply = run(shell("echo yes; exit 3"), {}, 10)

    assert (reply.text, str(reply.end)) == ("yes\n", "exit 0")


def is_gone(pid: int) -> bool:
    """Tell whether a process ends within a few seconds; a busy machine needs a moment for that."""
    limit = time.monotonic() + 5
    while time.monotonic() < limit:
        try:
            os.kill(pid, 0)
            os.waitpid(pid, os.WNOHANG)
        except (ProcessLookupError, ChildProcessError):
            return True
        time.sleep(0.01)
    return False


def test_ctrl_c_ends_the_child_too(run: Run, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def press() -> None:
        while not (started.exists() and started.read_text("ascii").endswith("\n")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    started = tmp_path / "started"
    before = signal.signal(signal.SIGUSR1, interrupt)
    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(shell(f"echo $$ > {started}; exec sleep 60"), {}, 60)
    finally:
        pressing.join()
        signal.signal(signal.SIGUSR1, before)

    assert is_gone(int(started.read_text("ascii")))


@pytest.mark.parametrize("run", [run_worker, run_without_sessions])
def test_a_worker_leads_a_process_group_of_its_own(run: Run) -> None:
    reply = run(shell("read pid _ _ _ group _ < /proc/$$/stat; echo $pid $group"), {}, 10)

    pid, group = reply.text.split()
    assert (pid, str(reply.end)) == (group, "exit 0")


def test_a_program_without_a_thread_to_read_it_is_not_started() -> None:
    before = threading.stack_size(1 << 46)
    try:
        reply = run_program(shell("echo never read"), {}, 10)
    finally:
        threading.stack_size(before)

    assert reply.text == ""
    assert str(reply.end).startswith("not started: ")


def test_a_caller_may_have_closed_its_standard_streams() -> None:
    lines = """
import os, sys
from nvidia_variant_provider.detect.spawn import run_worker
os.dup2(2, 9)
for stream in (0, 1, 2): os.close(stream)
reply = run_worker(["/bin/sh", "-c", "test -p /dev/stdin && echo yes; echo no >&2"], {}, 10)
os.write(9, repr((reply.text, str(reply.end))).encode())
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert done.stderr == repr(("yes\n", "exit 0"))


def test_an_interruption_before_there_is_a_child_passes_through() -> None:
    interrupted = mock.patch.object(subprocess.Popen, "__init__", side_effect=KeyboardInterrupt)
    with interrupted, pytest.raises(KeyboardInterrupt):
        run_program(["/bin/true"], {}, 5)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not started: [Errno 24] Too many open files", 24),
        ("not started: [Errno 11] Resource temporarily unavailable", 11),
        ("not started: [Errno 1] Operation not permitted", 0),
        ("not started: this program is not a Python interpreter", 0),
        ("timeout", 0),
        ("exit 24", 0),
    ],
)
def test_what_a_process_has_too_little_of_is_told_from_what_it_may_not(
    text: str, code: int
) -> None:
    end = child.End.parse(text)

    assert end is not None
    assert end.for_want == code


class Slow(os.PathLike[str]):
    """A shell as a program whose file is slow to open, such as one on a network that is down."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()
        self.is_asked = threading.Event()
        self.is_there = threading.Event()

    def __fspath__(self) -> str:
        self.thread = threading.current_thread()
        self.is_asked.set()
        self.is_there.wait(60)
        return "/bin/sh"


def test_a_program_that_is_slow_to_start_is_not_waited_for_and_ends() -> None:
    program = Slow()
    reply = run_program([program, "-c", "exec sleep 60"], {}, 0.2)  # type: ignore[list-item]
    program.is_there.set()
    program.thread.join(20)

    assert str(reply.end) == "not started: it takes too long to start"
    # It reads until the program ends.
    assert not program.thread.is_alive()


def test_ctrl_c_before_a_program_has_started_ends_it() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def press() -> None:
        program.is_asked.wait(60)
        os.kill(os.getpid(), signal.SIGUSR1)

    program = Slow()
    before = signal.signal(signal.SIGUSR1, interrupt)
    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_program([program, "-c", "exec sleep 60"], {}, 60)  # type: ignore[list-item]
    finally:
        pressing.join()
        signal.signal(signal.SIGUSR1, before)
    program.is_there.set()
    program.thread.join(20)

    assert not program.thread.is_alive()


class Interrupting(os.PathLike[str]):
    """An argument that raises what a signal handler of the host might, while a child is started."""

    def __fspath__(self) -> str:
        raise BlockingIOError(errno.EAGAIN, "of the host")


@pytest.mark.parametrize("run", [run_worker, run_without_sessions, run_program])
def test_an_exception_of_the_host_while_a_child_is_started_passes_through(run: Run) -> None:
    with pytest.raises(BlockingIOError, match="of the host"):
        run([sys.executable, Interrupting()], dict(os.environ), 5)
