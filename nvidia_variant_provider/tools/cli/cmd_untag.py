"""``untag``: give back the ordinary wheel that a variant wheel was made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.paths import has_label, wheels_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

_EPILOG: Final = """\
All members but variant.json are copied without recompressing them; RECORD is updated and the label
taken out of the file name. Variant markers in METADATA are answered for that label, since no
installer reads them.

examples:
  nvidia-variant-provider untag variants/foo-1.0-cp312-cp312-linux_x86_64-cuda13.2.whl -o dist/
  nvidia-variant-provider untag variants/ -o dist/

exit codes:
  0  written
  2  usage error, or a wheel that is damaged or not a variant
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "untag",
        help="make an ordinary wheel from a variant wheel",
        description="Make an ordinary wheel from a variant wheel.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "wheels", nargs="+", metavar="WHEEL", help="variant wheel, or folder of them"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        required=True,
        help="output folder; created if missing",
    )
    parser.add_argument("--dry-run", action="store_true", help="name the wheels, and write nothing")
    parser.add_argument("--force", action="store_true", help="replace an existing wheel")
    parser.add_argument(
        "--no-check",
        action="store_true",
        help="copy members without reading them: faster, but damage goes unnoticed",
    )
    parser.add_argument("--json", action="store_true", help="print JSON (untagging.schema.json)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Write the ordinary wheels and name them."""
    from nvidia_variant_provider.tools.tagging.json_model import PlainWheel, Untagging
    from nvidia_variant_provider.tools.tagging.wheels import write_plain

    written = []
    wheels = list(map(Path, wheels_of(args.wheels, has_label)))
    _refuse_same_names(wheels)
    for wheel in wheels:
        path, remarks = write_plain(
            wheel,
            args.output,
            force=args.force,
            check=not args.no_check,
            dry_run=args.dry_run,
        )
        for remark in remarks:
            output.warn(f"{wheel.name}: {remark}")
        if not args.json:
            output.emit_text([f"{'would write' if args.dry_run else 'written'}: {path}"])
        written.append(PlainWheel(wheel=str(wheel), target=str(path), notes=tuple(remarks)))
    if args.json:
        output.emit_document(Untagging(wheels=tuple(written)))
    return 0


def _refuse_same_names(wheels: Iterable[Path]) -> None:
    """Refuse wheels that would replace each other, before the first of them is written."""
    from nvidia_variant_provider.tools.wheels.name import WheelName

    plain: dict[str, Path] = {}
    for wheel in wheels:
        name = str(replace(WheelName.parse(wheel.name), label=""))
        other = plain.setdefault(name, wheel)
        if other is not wheel:
            raise InvalidValueError(
                f"{wheel}: becomes {name}, as {other.name} does; nothing is written: "
                "expected one variant of a platform"
            )
