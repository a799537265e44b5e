"""Run an interpreter under strace, and report the system calls of it and of all its children.

An audit hook sees what Python does; this sees what the libraries and the children do as well.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.native.asking import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Whatever changes a file, a folder or their names; opening for writing is told by its flags.
CHANGES: Final = (
    "creat", "mkdir", "mkdirat", "mknod", "mknodat", "rename", "renameat", "renameat2", "unlink",
    "unlinkat", "rmdir", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat",
    "fchmodat2", "chown", "fchown", "lchown", "fchownat", "truncate", "ftruncate", "utime",
    "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr", "removexattr",
    "mount", "memfd_create",
)  # fmt: skip
OPENS: Final = ("open", "openat", "openat2")
STARTS: Final = ("execve", "execveat")
_WRITES: Final = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE")
_LINE: Final = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+|\?)")
_TEXT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """A system call: its name, its arguments as strace writes them, and whether it succeeded."""

    name: str
    arguments: str
    worked: bool

    @property
    def texts(self) -> list[str]:
        """The texts among its arguments, such as a path or the words of a command."""
        return _TEXT.findall(self.arguments)

    @property
    def writes(self) -> bool:
        """Whether it changes a file, or opens one for that."""
        if self.name in OPENS:
            return bool(_WRITES.search(self.arguments)) and self.texts != ["/dev/null"]
        return self.name in CHANGES


@dataclass(frozen=True, slots=True)
class Traced:
    """What an interpreter printed, and the system calls of each process, the first one's first."""

    output: str
    processes: tuple[tuple[Call, ...], ...]

    @property
    def calls(self) -> list[Call]:
        """The calls of all processes."""
        return [call for process in self.processes for call in process]

    @property
    def started(self) -> list[list[str]]:
        """The words of every program that was started after the interpreter itself."""
        begun = [call.texts[1:] for call in self.calls if call.name in STARTS and call.worked]
        return begun[1:]

    @property
    def connections(self) -> list[Call]:
        """The calls about sockets."""
        others = {*OPENS, *STARTS, *CHANGES}
        return [call for call in self.calls if call.name not in others]

    @property
    def changes(self) -> list[Call]:
        """The calls that write, failed ones as well."""
        return [call for call in self.calls if call.writes]

    def opened(self, below: Path) -> list[str]:
        """Return the paths that were opened below a folder, as seen from it."""
        found = [call.texts[0] for call in self.calls if call.name in OPENS]
        return [path.removeprefix(str(below)) for path in found if path.startswith(str(below))]


def run_traced(scratch: Path, arguments: Iterable[str], **variables: str) -> Traced:
    """Run this interpreter with arguments; ``variables`` is the whole environment but for PATH."""
    if reason := why_not():
        # .ci/run brings strace: there, a promise that nobody watched would look kept.
        assert not os.environ.get("CI_NEEDS_STRACE"), reason
        pytest.skip(reason)
    logs = scratch / "calls"
    logs.mkdir()
    wanted = ",".join(("%network", *(f"?{name}" for name in (*OPENS, *STARTS, *CHANGES))))
    command = [
        "strace",
        "-ff",
        "-qq",
        "-ttt",
        "-s",
        "4096",
        "-o",
        str(logs / "of"),
        "-e",
        f"trace={wanted}",
    ]
    done = subprocess.run(
        [*command, "-e", "signal=none", sys.executable, *arguments],
        env={
            "PATH": os.environ["PATH"],
            # Without it an interpreter asks the system's name service, which may be a socket.
            "HOME": str(scratch),
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    # Numbers of processes begin anew at some point: the time of the first call tells the order.
    texts = sorted(filter(None, (path.read_text("utf-8", "replace") for path in logs.iterdir())))
    return Traced(done.stdout, tuple(tuple(_calls(text)) for text in texts))


def _calls(text: str) -> Iterable[Call]:
    for line in text.splitlines():
        if match := _LINE.match(line.partition(" ")[2]):
            yield Call(match[1], match[2], match[3] not in {"-1", "?"})


@functools.cache
def why_not() -> str:
    """Return why nothing can be traced here; empty if it can."""
    program = shutil.which("strace")
    if not program:
        return "strace is not installed"
    done = subprocess.run(
        [program, "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False
    )
    return f"strace may not trace here: {done.stderr.strip()}" if done.returncode else ""
