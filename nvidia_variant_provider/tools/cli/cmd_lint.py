"""``lint``: what makes installers refuse variant metadata or pass a build over."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.lint.engine import Report

_EPILOG: Final = """\
A folder is taken as the whole of its releases: wheels, *-variants.json and pyproject.toml in it.
docs/lint.md has a section for every code: what it means, usual causes, how to fix it.

examples:
  nvidia-variant-provider lint dist/
  nvidia-variant-provider lint torch-2.10.0-variants.json
  nvidia-variant-provider lint pyproject.toml dist/*.whl
  nvidia-variant-provider lint --select NV2 --ignore NV219 dist/
  nvidia-variant-provider lint --json dist/ | jq -r '.findings[].code'
  nvidia-variant-provider lint --list

exit codes:
  0  nothing, or notes only
  1  errors or warnings
  2  a path or code that cannot be used
"""
_EXIT_FINDINGS: Final = 1


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "lint",
        help="find what makes installers refuse or skip variants",
        description=(
            "Find what makes a real installer refuse variant metadata, silently\npass a build"
            " over, or choose another build than meant."
        ),
        epilog=_EPILOG,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="wheel, JSON file, pyproject.toml or folder"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--list", action="store_true", help="list every code and stop")
    for name, verb in (("--select", "only"), ("--ignore", "not")):
        parser.add_argument(
            name,
            type=_codes,
            action="extend",
            default=[],
            metavar="CODE[,CODE]",
            help=f"{verb} the codes that start so; the longer one wins",
        )
    return parser


def _codes(text: str) -> list[str]:
    return [it.strip().upper() for it in text.split(",") if it.strip()]


def run(args: argparse.Namespace) -> int:
    """Lint every path and print the findings."""
    from nvidia_variant_provider.errors import InvalidValueError
    from nvidia_variant_provider.tools.cli.progress import bar
    from nvidia_variant_provider.tools.lint import engine
    from nvidia_variant_provider.tools.lint.json_model import build_document

    wanted = engine.selector(args.select, args.ignore)
    if args.list:
        rows = [it for it in engine.RULES if wanted(it)]
        output.emit_lines(f"{it.code} {it.severity.value:7} {it.title}" for it in rows)
        return 0
    if not args.paths:
        raise InvalidValueError("no path to lint; expected a wheel, a JSON file or a folder")
    with ExitStack() as stack:
        report = engine.lint(
            args.paths, wanted, lambda files: stack.enter_context(bar("linting", files))
        )
    if args.json:
        output.emit_json(build_document(report).model_dump(mode="json"))
    else:
        output.emit_lines(_lines(report))
    return _EXIT_FINDINGS if report.fails else 0


def _lines(report: Report) -> Iterator[str]:
    for finding, also_in in report.findings:
        others = f" (and in {len(also_in)} more)" if also_in else ""
        yield f"{finding}{others}"
    counts = Counter(finding.rule.severity.value for finding, _ in report.findings)
    summary = ", ".join(f"{counts[it]} {it}{'s' * (counts[it] > 1)}" for it in counts)
    yield f"{summary or 'no findings'} in {len(report.files)} file{'s' * (len(report.files) != 1)}"
