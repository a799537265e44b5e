"""Run a few lines in a fresh interpreter under an audit hook, and report what they did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.native.asking import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

# Events that leave the process or change a file; "open" is added when it is not for reading only.
DEEDS: Final = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile",
    "os.system", "os.kill", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link",
    "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.utime", "os.putenv", "os.unsetenv",
    "os.setxattr", "ctypes.", "shutil.", "tempfile.", "urllib.", "webbrowser.", "signal.",
)  # fmt: skip
HARNESS: Final = """
import json, os, sys
report = os.fdopen(int(sys.argv[1]), "w")
deeds, deeds_that_count, before = [], tuple(json.loads(sys.argv[2])), set(sys.modules)

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        # A number is a pipe that is open already.
        if writes and not isinstance(path, int) and path != "/dev/null":
            deeds.append(("open", [str(path)]))
    elif event.startswith(deeds_that_count):
        deeds.append((event, [str(argument) for argument in arguments]))

sys.addaudithook(watch)
%s
loaded = sorted(set(sys.modules) - before)
json.dump({"modules": loaded, "deeds": deeds[:], "value": value}, report)
report.close()
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of it: the modules that were loaded, the deeds, the value, the output."""

    modules: frozenset[str]
    deeds: list[tuple[str, list[str]]]
    value: object
    output: bytes


def run_watched(lines: str, **variables: str) -> Watched:
    """Run lines that set ``value``; ``variables`` is the whole environment but for PATH."""
    reading, writing = os.pipe()
    settings: Mapping[str, str] = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
        **variables,
    }
    script = HARNESS % lines
    with os.fdopen(reading, encoding="utf-8") as report:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script, str(writing), json.dumps(DEEDS)],
            env=settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[writing],
            check=False,
            timeout=60,
        )
        os.close(writing)
        text = report.read()
    assert text, done.stdout.decode()
    said = json.loads(text)
    deeds = [(event, arguments) for event, arguments in said["deeds"]]
    return Watched(frozenset(said["modules"]), deeds, said["value"], done.stdout)
