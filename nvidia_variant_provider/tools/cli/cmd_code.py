"""``code``: what a stable code means, its usual causes and how to fix it, without a network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse

    from nvidia_variant_provider.tools.findings.code_pages import Section

_EPILOG: Final = """\
examples:
  nvidia-variant-provider code                       # every code in a table
  nvidia-variant-provider code NVP-GPU-NO-DRIVER     # a status of detect
  nvidia-variant-provider code wsl-driver            # a note of detect
  nvidia-variant-provider code NV214 nv305           # findings of lint and verify
  nvidia-variant-provider code "no kernel image is available"   # a pasted error text

exit codes:
  0  shown
  2  usage error, or no such code
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "code",
        help="explain a code or an error text, and how to fix it",
        description="Explain a status, note, finding, problem or a pasted error text, and "
        "how to fix it.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "codes", nargs="*", metavar="CODE", help="code such as NVP-NONE or NV214, or an error text"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (codes.schema.json)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Show the sections, or the list of all."""
    from nvidia_variant_provider.tools.findings import code_pages as codes

    asked = [section for code in args.codes for section in codes.find_all(code)]
    chosen = asked or list(codes.sections().values())
    if args.json:
        from nvidia_variant_provider.tools.findings.json_model import Codes

        output.emit_document(Codes.of(chosen))
    elif not args.codes:
        rows = [(section.code, section.meaning, section.page) for section in chosen]
        output.emit_table(("code", "meaning", "page"), rows)
    else:
        for section in chosen:
            _show(section)
    return 0


def _show(section: Section) -> None:
    """Print a section: dressed on a terminal, the page's own text elsewhere."""
    heading = f"{section.code} {section.title}".strip()
    if not sys.stdout.isatty() or not output.has_rich():
        output.emit_lines([f"## {heading}", "", *section.text.splitlines(), ""])
        return
    from rich.markdown import Markdown

    output.console().print(Markdown(f"## {heading}\n\n{section.text}", hyperlinks=False))
