"""``convert``: older drafts of the variant metadata to the current schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output, previews

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.convert.files import Planned

_EPILOG: Final = """\
Reads the drafts 0.0.1 (the unversioned schema, and fields Variant-* in METADATA), 0.0.2 and 0.0.3,
and what variantlib 0.2.0 wrote. In pyproject.toml the table [variant] is converted; comments stay.
Every change is explained. If the new schema cannot express something, the command fails and writes
nothing. docs/convert.md lists every key.

examples:
  nvidia-variant-provider convert --to 850 torch-2.9.0-variants.json
  nvidia-variant-provider convert --to 850 --write dist/
  nvidia-variant-provider convert --to 850 --write pyproject.toml
  nvidia-variant-provider convert --to 850 --json dist/ | jq '.files[0].document'
  nvidia-variant-provider convert --to 825 --write variant.json
  nvidia-variant-provider convert --bake-markers --write dist/

exit codes:
  0  everything is written or was current
  1  something would change (without --write)
  2  a file cannot be read, or something in it cannot be kept
"""
_EXIT_WOULD_CHANGE: Final = 1


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "convert",
        help="convert variant metadata of older drafts to the current schemas",
        description=(
            "Convert variant metadata of older drafts to a current schema, in JSON files,\ninside"
            " wheels and in pyproject.toml. Without --write the changes are only shown."
        ),
        epilog=_EPILOG,
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="JSON file, wheel, pyproject.toml or folder",
    )
    parser.add_argument(
        "--to",
        default="850",
        choices=("825", "850"),
        help="PEP of the schema to write; no current installer uses variants of 825 [default: 850]",
    )
    parser.add_argument(
        "--bake-markers",
        action="store_true",
        help="also answer the variant markers in METADATA of wheels, which no installer reads",
    )
    parser.add_argument("--write", action="store_true", help="change the files in place")
    previews.add_preview(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def run(args: argparse.Namespace) -> int:
    """Convert every path in memory, show what changes, and write if asked to."""
    from nvidia_variant_provider.tools.convert import files
    from nvidia_variant_provider.tools.convert.document import TARGETS
    from nvidia_variant_provider.tools.convert.json_model import ConversionDocument

    if args.write and previews.is_preview(args):
        raise InvalidValueError("--write: expected without --dry-run and --diff")
    planned = files.plan(args.paths, TARGETS[args.to], bake_markers=args.bake_markers)
    if args.write:
        files.write(planned)
    if args.json:
        document = ConversionDocument.of(planned, written=args.write)
        output.emit_document(document)
    elif args.diff:
        output.emit_lines(
            line for conversion in planned if conversion.is_changed for line in conversion.diff()
        )
    else:
        for conversion in planned:
            output.emit_text(_lines(conversion, written=args.write))
            if conversion.is_changed and not (args.write or args.dry_run):
                output.emit_lines(conversion.diff())
    pending = not args.write and any(conversion.is_changed for conversion in planned)
    return _EXIT_WOULD_CHANGE if pending else 0


def _lines(planned: Planned, *, written: bool) -> Iterator[str]:
    if not planned.is_changed:
        yield f"{planned.source}: is current"
        return
    renamed = f", renamed to {planned.target.name}" if planned.target != planned.path else ""
    yield f"{planned.source}: {'converted' if written else 'would be converted'}{renamed}"
    yield from (f"  {change}" for change in planned.changes)
