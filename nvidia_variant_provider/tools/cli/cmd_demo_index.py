"""``demo-index``: a folder of stand-in wheels, to try the other commands on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse

_EPILOG: Final = """\
The wheels have the names, tags and properties of torch's releases, but no torch inside: each has a
few hundred bytes. Installers do install them, so use an environment made for that.

With --per-cuda, DIR/simple is a main index and DIR/whl has an index for each CUDA build (cu126,
cu130), as PyTorch publishes torch today. Serve DIR with any file server.

examples:
  nvidia-variant-provider demo-index wheels
  nvidia-variant-provider explain wheels --target h100@580
  nvidia-variant-provider demo-index --per-cuda indexes

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
    parser.add_argument(
        "--per-cuda",
        action="store_true",
        help="write a main index and an index for each CUDA build, without variants",
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Write the wheels and name the releases."""
    if args.per_cuda:
        return _write_per_cuda(args.folder)
    from nvidia_variant_provider.tools.demo.releases import RELEASES, write_releases

    write_releases(args.folder)
    for version, builds in RELEASES.items():
        labels = " ".join(sorted(build.label for build in builds))
        output.emit_text([f"{args.folder}: torch {version} (stand-in wheels): {labels} null"])
    return 0


def _write_per_cuda(folder: Path) -> int:
    from nvidia_variant_provider.tools.demo.cuda_indexes import RELEASES, labels_of, write_indexes

    write_indexes(folder)
    for version in RELEASES:
        output.emit_text(
            [f"{folder}: torch {version} (stand-in wheels): {' '.join(labels_of(version))}"]
        )
    return 0
