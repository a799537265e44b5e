"""``survey``: inspect or verify thousands of wheels, resumable, one line of JSON a wheel."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.threshold import add_threshold
from nvidia_variant_provider.tools.installers.ourselves import install_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from nvidia_variant_provider.tools.survey.results import Results, State
    from nvidia_variant_provider.tools.survey.task import Task
    from nvidia_variant_provider.tools.survey.wheels import Wheel

_EXAMPLES: Final = """\
A wheel that cannot be read, or that kills its reader, gets a line like any other. After an
interruption run the same command again: finished wheels that have not changed are skipped.
docs/survey.md describes the lines.

examples:
  nvidia-variant-provider survey inspect mirror/ -o results.jsonl
  find mirror/ -name '*cu12*.whl' | nvidia-variant-provider survey inspect --from - -o cu12.jsonl
  nvidia-variant-provider survey verify variants/ -o tags.jsonl --jobs 8
  nvidia-variant-provider survey inspect /shared/mirror -o results.jsonl --dask tcp://head:8786
  nvidia-variant-provider survey summary results.jsonl
  jq -r 'select(.outcome == "failed") | .path' results.jsonl
"""
_CODES: Final = """
exit codes:
  0  every wheel has a result, or the summary is printed
  1  some wheels failed, or verify found errors or warnings
  2  usage error, or the survey could not continue
"""
_EXIT_LOOK: Final = 1
_MOST_JOBS: Final = 256
_LINE_EVERY_S: Final = 30.0


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "survey",
        help="inspect or verify thousands of wheels, here or on a Dask cluster",
        description="Inspect or verify all wheels of a mirror or archive, one JSON line a wheel.",
        epilog=_EXAMPLES + _CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_run(actions, "inspect", "read the device code of every wheel")
    add_threshold(_add_run(actions, "verify", "check every variant wheel's properties"))
    summary = actions.add_parser(
        "summary",
        help="sum up a file of results",
        description="Sum up a file of results: architectures, driver versions, findings, failures.",
        epilog=_EXAMPLES + _CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    summary.add_argument("results", metavar="RESULTS", help="file that a survey wrote")
    summary.add_argument("--wheels", action="store_true", help="also list every wheel")
    summary.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _add_run(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}, one JSON line a wheel.",
        epilog=_EXAMPLES + _CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="wheel, or folder to search for *.whl"
    )
    parser.add_argument(
        "--from",
        dest="lists",
        action="append",
        default=[],
        metavar="LIST",
        help="file with one path per line, - for standard input; repeatable",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="RESULTS",
        help="results file; new lines are appended",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs",
        type=_jobs,
        default=_processors(),
        metavar="N",
        help="number of wheels to read at once, each in a process "
        "[default: the processors, %(default)s]",
    )
    where.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="use this Dask cluster, such as tcp://head:8786, whose workers see the wheels by the"
        " same paths (extra: dask)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="time limit for each wheel [default: none]",
    )
    parser.add_argument(
        "--retry-failed",
        action="store_true",
        help="read wheels that failed before again, even if unchanged",
    )
    return parser


def _processors() -> int:
    # In a container or under a batch system these may be fewer than the machine has.
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _jobs(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MOST_JOBS:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {_MOST_JOBS}, not {text}")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:  # noqa: PLR2004 - twelve days; also keeps "nan" and "inf" out
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, not {text}")
    return number


def run(args: argparse.Namespace) -> int:
    """Survey the wheels, or sum up a file of results."""
    if args.action == "summary":
        from nvidia_variant_provider.tools.cli.survey_summary import show_summary

        return show_summary(args.results, wheels=args.wheels, as_json=args.json)
    return _survey(args)


def _survey(args: argparse.Namespace) -> int:
    from nvidia_variant_provider.tools.files import make_folder_of
    from nvidia_variant_provider.tools.survey.results import Results
    from nvidia_variant_provider.tools.survey.task import Task
    from nvidia_variant_provider.tools.survey.wheels import find_wheels

    if not (args.paths or args.lists):
        raise InvalidValueError("name wheels or folders, or a list with --from")
    task = Task(args.action, args.threshold if args.action == "verify" else 0.0)
    wheels = find_wheels(args.paths, args.lists)
    make_folder_of(args.output)
    with Results(args.output, task) as results:
        todo = [wheel for wheel in wheels if _is_open(results, wheel, retry=args.retry_failed)]
        _examine(args, task, todo, results)
        return _report(args, wheels, results, len(wheels) - len(todo))


def _is_open(results: Results, wheel: Wheel, *, retry: bool) -> bool:
    state = results.state_of(wheel)
    return state is None or (retry and state.outcome == "failed")


class _TerminatedError(KeyboardInterrupt):
    """A signal ends the survey: a batch system or a container stops, a terminal is closed."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()


def _examine(args: argparse.Namespace, task: Task, todo: list[Wheel], results: Results) -> None:
    try:
        with _terminable(), _progress(todo) as advance, _lines(args, task, todo) as lines:
            for line in lines:
                advance(results.append(line))
    except KeyboardInterrupt as stop:
        output.note(f"stopped; {args.output} holds what was done: run it again to go on")
        if isinstance(stop, _TerminatedError):
            # Who waits for this process is to see what ended it.
            os.kill(os.getpid(), stop.number)
        raise


@contextmanager
def _terminable() -> Iterator[None]:
    """Let signals end the survey as CTRL-C does: readers are stopped, and what is done is told."""

    def stop(number: int, _frame: object) -> None:
        raise _TerminatedError(number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # nohup has SIGHUP ignored, and that is to stay.
    taken = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _lines(
    args: argparse.Namespace, task: Task, todo: list[Wheel]
) -> Iterator[Generator[str, None, None]]:
    from contextlib import closing

    from nvidia_variant_provider.tools.survey.engines import examine_here, examine_with_dask

    if not (args.dask and todo):
        with closing(examine_here(task, todo, min(args.jobs, len(todo)), args.timeout)) as lines:
            yield lines
        return
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise InvalidValueError(f"--dask: {install_line('dask')}") from error
    try:
        client = Client(args.dask)
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"--dask {args.dask}: {error}") from error
    with client, closing(examine_with_dask(client, task, todo, args.timeout)) as lines:
        yield lines


@contextmanager
def _progress(todo: list[Wheel]) -> Iterator[Callable[[State], None]]:
    """Show a bar over bytes on a terminal's stderr, elsewhere a line now and then."""
    if not sys.stderr.isatty():
        yield Lines(todo).advance
        return
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(binary_units=True),
        progress.TimeRemainingColumn(),
    )
    failed = done = 0
    with progress.Progress(
        *columns,
        console=output.console(stderr=True),
        transient=True,
    ) as bar:
        shown = bar.add_task("", total=sum(wheel.size or 0 for wheel in todo))

        def advance(state: State) -> None:
            nonlocal failed, done
            done += 1
            failed += state.outcome == "failed"
            text = f"{done} of {output.count(len(todo), 'wheel')}" + (
                f", {failed} failed" if failed else ""
            )
            bar.update(shown, advance=state.size or 0, description=text)

        yield advance


class Lines:
    """Says on stderr how far a survey is, where no bar can be shown: in a log of hours."""

    def __init__(self, todo: list[Wheel], every_s: float = _LINE_EVERY_S) -> None:
        self._every_s = every_s
        self._wheels = len(todo)
        self._bytes = sum(wheel.size or 0 for wheel in todo)
        self._done = self._failed = self._read = 0
        self._told = time.monotonic()

    def advance(self, state: State) -> None:
        """Count a wheel, and say how many there are if it was not said lately."""
        self._done += 1
        self._failed += state.outcome == "failed"
        self._read += state.size or 0
        if time.monotonic() - self._told >= self._every_s:
            self._told = time.monotonic()
            failed = f", {self._failed} failed" if self._failed else ""
            size = f"{self._read / 1e9:.1f} of {self._bytes / 1e9:.1f} GB"
            output.note(f"{self._done} of {output.count(self._wheels, 'wheel')}, {size}{failed}")


def _report(args: argparse.Namespace, wheels: list[Wheel], results: Results, before: int) -> int:
    """Say on stderr how it went; the exit code is about all wheels that were asked for."""
    states = [state for wheel in wheels if (state := results.state_of(wheel))]
    counts = Counter(state.outcome for state in states)
    words = [f"{counts[word]} {word}" for word in ("done", "skipped", "failed") if counts[word]]
    words += [f"{before} of them before"] if before else []
    counted = output.count(len(wheels), "wheel")
    output.note(f"{args.output}: {counted}: {', '.join(words) or 'nothing to do'}")
    return _EXIT_LOOK if any(state.outcome == "failed" or state.is_worse for state in states) else 0
