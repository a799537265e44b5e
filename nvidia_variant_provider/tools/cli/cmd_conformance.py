"""The command ``conformance``: run the conformance tests against another implementation."""

from __future__ import annotations

import argparse
import math
import os
import sys
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.conformance.cases import Case
    from nvidia_variant_provider.tools.conformance.runner import Outcome

MAX_SECONDS: Final = 600.0
_SHOWN: Final = 20

_EPILOG: Final = """\
examples:
  nvidia-variant-provider conformance --command './my-provider --conformance'
  nvidia-variant-provider conformance --command './my-provider' --group properties-1 --json
  nvidia-variant-provider conformance --command './my-provider' my-cases/ one-case.json
  nvidia-variant-provider conformance --command 'nvidia-variant-provider conformance --serve'
  nvidia-variant-provider conformance --list            the groups and their sizes

exit codes:
  0  no case failed
  1  a case failed, or the implementation skipped all of them
  2  usage error, an unreadable case file or a command that cannot be started
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        "conformance",
        help="run the conformance tests against another implementation",
        description="Run the conformance tests against an implementation in any language, one "
        "line of JSON per case, and report. docs/conformance.md describes the protocol.",
        epilog=_EPILOG,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--command", metavar="CMD", dest="peer", help="the implementation to test")
    what.add_argument(
        "--serve", action="store_true", help="answer requests from stdin, as an implementation does"
    )
    what.add_argument("--list", action="store_true", help="list the groups of cases")
    parser.add_argument(
        "--group", action="append", default=[], help="run only this group of cases; repeatable"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="seconds a case may take [default: 10]",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON (conformance-report.schema.json)"
    )
    parser.add_argument(
        "cases",
        nargs="*",
        metavar="CASES",
        help="files or folders of cases [default: the packaged cases]",
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Serve, list, or put the cases and report."""
    if args.serve:
        return _serve()
    if args.list and args.json:
        raise InvalidValueError("--list: prints lines, not JSON")
    cases = _chosen(args.cases, args.group)
    if args.list:
        groups: dict[str, int] = {}
        for case in cases:
            groups[case.group] = groups.get(case.group, 0) + 1
        output.emit_lines(
            f"{group:<16}{count:>4} case{'' if count == 1 else 's'}"
            for group, count in groups.items()
        )
        return 0
    return _report(cases, args)


def _serve() -> int:
    from nvidia_variant_provider.tools.conformance.serve import serve

    for line in serve(sys.stdin):
        output.emit_lines([line])
        sys.stdout.flush()
    return 0


def _chosen(paths: Sequence[str], groups: Sequence[str]) -> list[Case]:
    from pathlib import Path

    from nvidia_variant_provider.tools.conformance.cases import PACKAGED, load

    cases = load([Path(path) for path in paths] or [PACKAGED])
    known = dict.fromkeys(case.group for case in cases)
    if unknown := [group for group in groups if group not in known]:
        raise InvalidValueError(f"no group {unknown[0]!r}, expected one of {', '.join(known)}")
    return [case for case in cases if not groups or case.group in groups]


def _report(cases: Sequence[Case], args: argparse.Namespace) -> int:
    from nvidia_variant_provider.tools.conformance import runner

    outcomes = list(runner.run_cases(cases, split_command(args.peer), args.timeout))
    if args.json:
        output.emit_json(runner.document(outcomes))
    else:
        output.emit_text(render(outcomes))
    return 0 if runner.conforms(outcomes) else 1


def split_command(text: str) -> list[str]:
    """Split a command line as the platform's shell would, without expanding anything."""
    import shlex

    if os.name == "nt":
        # Windows hands a program one string; quotes around paths are all that matters here.
        parts = [part.strip('"') for part in shlex.split(text, posix=False)]
    else:
        try:
            parts = shlex.split(text)
        except ValueError as error:
            raise InvalidValueError(f"--command {text[:60]!r}: {error}") from error
    if not parts:
        raise InvalidValueError("--command: expected a program and its arguments, seen nothing")
    return parts


def render(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines a person reads: a line a group, then the failures."""
    from nvidia_variant_provider.tools.conformance.runner import Result, conforms, tally

    for group, counts in tally(outcomes).items():
        words = ", ".join(f"{counts[result]} {result.value}" for result in Result if counts[result])
        yield f"{group:<16}{words}"
    failed = [outcome for outcome in outcomes if outcome.result is Result.FAILED]
    for outcome in failed[:_SHOWN]:
        yield f"failed {outcome.case.id}: {outcome.reason}"
    if len(failed) > _SHOWN:
        yield f"... and {len(failed) - _SHOWN} more: --json has them all"
    yield "conforms" if conforms(outcomes) else "does not conform"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds, at most {MAX_SECONDS:g}")
    return seconds
