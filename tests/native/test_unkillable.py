"""A child that no signal ends, as one in uninterruptible sleep: given up on in time.

Nothing in user space can put a process into that state on request. To a parent it looks like a
process that SIGKILL does not reach, and that exists: one that has become another user's. So the
parent runs without privileges and its child is a program that turns into root.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.native.asking import BUSY_SECONDS, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

# Prints its number, becomes root for good, and stays.
STUCK: Final = r"""
#include <stdio.h>
#include <unistd.h>
int main(void) {
  if (setgid(0) || setuid(0)) return 3;
  printf("%d\n", (int)getpid());
  fflush(stdout);
  for (int i = 0; i < 20; i++) sleep(1);
  return 0;
}
"""
PARENT: Final = """
import json, os, subprocess, sys, threading, time
from nvidia_variant_provider.detect.%s import %s as run

os.setgroups([])
os.setgid(65534)
os.setuid(65534)
started = time.monotonic()
reply = run([sys.argv[1]], {}, 1.0)
print(json.dumps([str(reply.end), reply.text, time.monotonic() - started]))
"""


def reason_not_to() -> str:
    """Return why a program cannot be made to become root here, empty if it can."""
    if os.geteuid() != 0:
        return "only root can make a program that becomes root"
    if os.statvfs(tempfile.gettempdir()).f_flag & os.ST_NOSUID:
        return "programs do not become root on this file system"
    return ""


@pytest.fixture
def stuck() -> Iterator[Path]:
    # Not in pytest's folders: no other user may enter those.
    with tempfile.TemporaryDirectory() as folder:
        program, source = Path(folder, "stuck"), Path(folder, "stuck.c")
        source.write_text(STUCK, encoding="utf-8")
        subprocess.run(["gcc", str(source), "-o", str(program)], check=True)
        program.chmod(0o4755)
        Path(folder).chmod(0o755)
        yield program


@pytest.mark.skipif(bool(reason_not_to()), reason=reason_not_to())
@pytest.mark.parametrize("way", [("spawn", "run_worker"), ("popen", "run_program")])
def test_a_child_that_cannot_be_killed_is_given_up_in_time(
    stuck: Path, way: tuple[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", PARENT % way, str(stuck)],
        capture_output=True,
        check=True,
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY)},
        timeout=15,
    )
    end, text, seconds = json.loads(done.stdout)
    os.kill(int(text), signal.SIGKILL)

    assert end == "timeout"
    assert seconds <= 1.1 + BUSY_SECONDS
    assert done.stderr == b""
