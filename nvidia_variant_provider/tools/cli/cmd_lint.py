"""``lint``: what makes installers refuse variant metadata or pass a build over."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import checking, output, previews

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from nvidia_variant_provider.tools.findings.selection import Selection
    from nvidia_variant_provider.tools.lint.engine import Report

_EPILOG: Final = """\
A folder is taken as the whole of its releases: wheels, *-variants.json, pyproject.toml
and pylock.toml in it.
docs/lint.md has a section for every code: what it means, usual causes, how to fix it.

examples:
  nvidia-variant-provider lint dist/
  nvidia-variant-provider lint torch-2.10.0-variants.json
  nvidia-variant-provider lint pyproject.toml dist/*.whl
  nvidia-variant-provider lint --select NV2 --ignore NV219 dist/
  nvidia-variant-provider lint --json dist/ | jq -r '.findings[].code'
  nvidia-variant-provider lint --output-format sarif dist/ > lint.sarif
  nvidia-variant-provider lint --for pypi dist/
  nvidia-variant-provider lint --list

exit codes:
  0  no findings, or notes only
  1  errors or warnings
  2  a path or code that cannot be used
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "lint",
        help="find metadata that makes installers refuse or skip variants",
        description=(
            "Find metadata that makes a real installer refuse variants, silently\nignore a build,"
            " or select the wrong build."
        ),
        epilog=_EPILOG,
    )
    parser.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help="wheel, JSON file, pyproject.toml, pylock.toml or folder [default: current folder]",
    )
    parser.add_argument(
        "--for",
        dest="destination",
        choices=("pypi",),
        help="also check the rules for uploads to this index (NV7)",
    )
    fixes = parser.add_argument_group("fixes")
    fixes.add_argument(
        "--fix",
        action="store_true",
        help="convert drafts to the current schema, and make the metadata file of a release again "
        "where it is missing or differs from the wheels; then report what is left",
    )
    previews.add_preview(fixes)
    checking.add_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Lint every path and print the findings."""
    from nvidia_variant_provider.tools.cli.progress import bar
    from nvidia_variant_provider.tools.lint import engine

    selection = checking.selection_of(checking.configuration_for(args, engine.RULES))
    if args.list:
        return checking.show_rules(engine.RULES, selection)

    def lint() -> Report:
        with ExitStack() as stack:
            return engine.lint(
                args.paths,
                selection,
                lambda files: stack.enter_context(bar("linting", files)),
                for_pypi=args.destination == "pypi",
            )

    report = lint()
    if args.fix or previews.is_preview(args):
        report = _fixed(args, report, lint)
    _emit(args.output_format, report, selection)
    return checking.EXIT_FINDINGS if report.fails else checking.EXIT_OK


def _fixed(args: argparse.Namespace, report: Report, lint: Callable[[], Report]) -> Report:
    """Repair what can be, or show it; return the report of what is there afterwards."""
    from nvidia_variant_provider.tools.cli import lint_fix

    if args.output_format != checking.TEXT:
        raise InvalidValueError("--fix: expected the output format text, which names the files")
    dry_run = previews.is_preview(args)
    if lint_fix.convert_drafts(report, dry_run=dry_run, as_diff=args.diff) and not dry_run:
        # A file that could not be read before is compared with its wheels only now.
        report = lint()
    lint_fix.combine(report, dry_run=dry_run, as_diff=args.diff)
    return report if dry_run else lint()


def _emit(form: str, report: Report, selection: Selection) -> None:
    if form == checking.TEXT:
        checking.emit_findings(report.findings)
        files = output.count(len(report.files), "file")
        output.emit_text([f"{checking.tally(report.findings, selection)} in {files}"])
    elif form == checking.JSON:
        from nvidia_variant_provider.tools.lint.json_model import LintDocument

        output.emit_document(LintDocument.of(report))
    else:
        from nvidia_variant_provider.tools.findings.formats import Run

        checking.emit_run(form, Run("lint", report.files, report.findings))
