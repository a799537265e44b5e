"""The child process: wheels come in on standard input, lines about them go out.

A wheel is a JSON array of its fields on one line. The first line out says that the child is ready.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Final

READY: Final = b"ready\n"


def main(command: str, threshold: float) -> None:
    """Answer until standard input ends, as it does when the parent is gone."""
    # Ctrl-C reaches the whole group: the parent alone decides what happens then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # Nothing else gets between the lines, whatever a library prints.
    os.dup2(2, 1)

    from nvidia_variant_provider.tools.survey.task import Task, examine
    from nvidia_variant_provider.tools.survey.wheels import Wheel

    task = Task(command, threshold)
    answers.write(READY)
    for request in sys.stdin.buffer:
        path, size, mtime_ns = json.loads(request)
        _write(answers.fileno(), examine(task, Wheel(path, size, mtime_ns)).encode())


def _write(descriptor: int, data: bytes) -> None:
    """Write all of it: a pipe takes a long line in pieces."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
