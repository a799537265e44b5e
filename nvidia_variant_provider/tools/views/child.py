"""The command of ``run`` as a child: signals, terminal and exit code are its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

# What a terminal sends, it sends to the child, too. The rest comes to this process alone.
_OF_TERMINALS: Final = ("SIGINT", "SIGQUIT")
_HANDED_ON: Final = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGBREAK")


def run_child(
    command: Sequence[str], environ: Mapping[str, str], meanwhile: Callable[[], object]
) -> int:
    """Run a command and return its exit code, -N if signal N ended it.

    ``meanwhile`` is called once the command runs. Raises ``OSError`` if it cannot be started.
    Python ignores SIGPIPE and SIGXFSZ; the child gets them as a shell would have given them.
    """
    sys.stdout.flush()
    early: list[int] = []
    with _signals(early) as child:
        process = subprocess.Popen(
            list(command), env=dict(environ), restore_signals=True, close_fds=False
        )
        child.append(process)
        for number in early:
            process.send_signal(number)
        meanwhile()
        return process.wait()


def end_like(code: int) -> int:
    """End as the child did: by its signal, or with the exit code that is returned."""
    if code >= 0 or os.name != "posix":
        return code
    number = -code
    with contextlib.suppress(OSError, ValueError):
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        # The child has left its core file; a second one would not help.
        with contextlib.suppress(ImportError, ValueError):
            import resource

            resource.setrlimit(
                resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1])
            )
        os.kill(os.getpid(), number)
    return 128 + number


@contextlib.contextmanager
def _signals(early: list[int]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Leave the terminal's signals to the child, and hand the others on to it.

    Those that come before there is a child are added to ``early``.
    """
    child: list[subprocess.Popen[bytes]] = []
    if threading.current_thread() is not threading.main_thread():
        yield child
        return

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """Wait for the child, which has it too. A handler, unlike SIG_IGN, is not inherited."""

    def hand_on(number: int, _frame: FrameType | None) -> None:
        if not child:
            early.append(number)
        for process in child:
            with contextlib.suppress(OSError):
                process.send_signal(number)

    wanted = {**dict.fromkeys(_OF_TERMINALS, ignore), **dict.fromkeys(_HANDED_ON, hand_on)}
    before = {}
    for name, handler in wanted.items():
        number = getattr(signal, name, None)
        # What was ignored when we started (nohup) stays ignored, for the child, too.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    try:
        yield child
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
