"""``demo-index``: a folder of stand-in wheels, to try the other commands on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse

_EPILOG: Final = """\
The wheels have the names, tags and properties of two releases of torch, but no torch inside: each
has a few hundred bytes. Installers do install them, so use an environment made for that.

examples:
  nvidia-variant-provider demo-index wheels
  nvidia-variant-provider explain wheels --target h100@580

exit codes:
  0  written
  2  usage error, or a folder that holds other wheels
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "demo-index",
        help="write stand-in wheels of torch to try commands on",
        description="Write a folder of stand-in wheels of torch, to try the other commands on.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="output folder; created if missing"
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Write the wheels and name the releases."""
    from nvidia_variant_provider.tools.demo.releases import RELEASES, write_releases

    write_releases(args.folder)
    for version, builds in RELEASES.items():
        labels = " ".join(sorted(build.label for build in builds))
        output.emit_text([f"{args.folder}: torch {version} (stand-in wheels): {labels} null"])
    return 0
