"""``version``: the version of this program, the date of its tables, the Python that runs it."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tables import READ
from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse

_EPILOG: Final = """\
examples:
  nvidia-variant-provider version

exit codes:
  0  printed
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    return subparsers.add_parser(
        "version",
        help="print the version",
        description="Print the version of this program, the date of its tables, and the Python.",
        epilog=_EPILOG,
    )


def run(_: argparse.Namespace) -> int:
    """Print the version."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    output.emit_text([f"{output.PROGRAM} {__version__} (tables of {READ}, {python})"])
    return 0
