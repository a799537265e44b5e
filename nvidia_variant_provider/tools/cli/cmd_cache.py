"""``cache``: what ``run`` and ``serve`` keep on disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse

_EPILOG: Final = """\
The cache holds wheels whose variant markers were answered: at most 20 GiB, the least used go first.
It also holds cache folders of the installers that remember files by name alone. Everything is made
again when needed.

examples:
  nvidia-variant-provider cache dir
  nvidia-variant-provider cache clear

exit codes:
  0  done
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "cache",
        help="show or clear the cache of 'run'",
        description="Print the folder of the cache that 'run' keeps, or clear it.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "action", choices=("dir", "clear"), help="print the folder, or clear the cache"
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Show or clear."""
    from pathlib import Path

    from nvidia_variant_provider.tools.views.session import cache_folder, clear

    folder = Path(cache_folder(os.environ))
    if args.action == "dir":
        output.emit_lines([str(folder)])
    else:
        output.emit_text([f"{folder}: {clear(folder) / 1e6:.1f} MB removed"])
    return 0
