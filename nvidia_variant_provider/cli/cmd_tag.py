"""``tag``: make a variant wheel of an ordinary one, with properties that are true."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.cli import output
from nvidia_variant_provider.cli.threshold import add_threshold
from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from nvidia_variant_provider.binaries.report import Contents
    from nvidia_variant_provider.records.tagging import ClaimRecord, Tagging
    from nvidia_variant_provider.tagging.statement import Statement

_EPILOG: Final = """\
The members of the wheel are copied as they are compressed; variant.json is added, RECORD mended
and the label put into the file name. What is stated is shown, with the evidence, before anything
is written. Without an option the properties are inferred from the wheel's device code.

examples:
  nvidia-variant-provider tag dist/foo-1.0-cp312-cp312-linux_x86_64.whl --dry-run
  nvidia-variant-provider tag foo.whl -o variants/
  nvidia-variant-provider tag foo.whl -o variants/ --archs "$TORCH_CUDA_ARCH_LIST" --label cuda13.2
  nvidia-variant-provider tag foo.whl -o variants/ --archs "80-real;90a;120-virtual"
  nvidia-variant-provider tag foo.whl -o variants/ --property "nvidia :: sm_arch :: 90_real" \\
      --lower-bound 12.0 --priority 1
  nvidia-variant-provider tag foo_cpu.whl -o variants/ --null

exit codes:
  0  written or shown
  2  misuse, or a wheel that is damaged or has no code to infer from
"""
_MAX_PRIORITY: Final = 9


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "tag",
        help="make a variant wheel with true properties",
        description="Make a variant wheel of an ordinary one, with properties that are true.",
        epilog=_EPILOG,
    )
    parser.add_argument("wheel", type=Path, metavar="WHEEL", help="wheel without a variant label")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder to write to")
    parser.add_argument("--label", help="variant label (default: from the CUDA toolkit, cuda13.2)")
    _add_sources(parser)
    add_threshold(parser)
    parser.add_argument(
        "--no-ptx",
        action="store_true",
        help="infer from cubins alone, which an older driver of the same CUDA major runs too",
    )
    parser.add_argument(
        "--lower-bound",
        default="auto",
        metavar="V",
        help="auto, none, or a CUDA version such as 12.0 (default: auto, from the code)",
    )
    parser.add_argument(
        "--priority",
        type=int,
        choices=range(1, _MAX_PRIORITY + 1),
        metavar="N",
        help=f"break ties between equal variants: 1 wins over 2, up to {_MAX_PRIORITY}",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be stated")
    parser.add_argument("--force", action="store_true", help="replace a wheel that is there")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _add_sources(parser: argparse.ArgumentParser) -> None:
    sources = parser.add_mutually_exclusive_group()
    sources.add_argument(
        "--from-code", action="store_true", help="infer from the device code (the default)"
    )
    sources.add_argument(
        "--archs",
        metavar="LIST",
        help="targets as in TORCH_CUDA_ARCH_LIST or CMAKE_CUDA_ARCHITECTURES",
    )
    sources.add_argument(
        "--property",
        action="append",
        default=[],
        metavar="NS::FEATURE::VALUE",
        help="state this property; repeat for more",
    )
    sources.add_argument("--null", action="store_true", help="make the variant for every machine")


def run(args: argparse.Namespace) -> int:
    """Work out what to state, show it, and write the wheel unless it is a dry run."""
    from nvidia_variant_provider.records.tagging import build_document
    from nvidia_variant_provider.tagging.wheels import build_metadata, tagged_name, write_variant

    if args.output is None and not args.dry_run:
        raise InvalidValueError("a folder to write to is needed: -o DIR, or --dry-run")
    # Before the code is read, which takes its time.
    tagged_name(args.wheel, args.label or "x")
    statement = _state(args)
    metadata = build_metadata(_label(args, statement), statement.features, args.priority)
    target = str(tagged_name(args.wheel, next(iter(metadata.variants))))
    document = build_document(
        str(args.wheel), target, metadata, statement, written=not args.dry_run
    )
    if not args.json:
        _show(document)
    if not args.dry_run:
        path, remarks = write_variant(args.wheel, args.output, metadata, force=args.force)
        document = document.model_copy(
            update={"target": str(path), "notes": [*document.notes, *remarks]}
        )
        for remark in remarks:
            output.warn(remark)
    if args.json:
        output.emit_json(document.model_dump(mode="json"))
    elif not args.dry_run:
        output.emit_lines([f"written: {document.target}"])
    return 0


def _state(args: argparse.Namespace) -> Statement:
    from nvidia_variant_provider.model import CudaVersion
    from nvidia_variant_provider.tagging import spelling, statement

    if args.null:
        return statement.Statement({})
    wanted = args.lower_bound
    bound = None if wanted in {"auto", "none"} else CudaVersion.parse(wanted)
    if args.property:
        return statement.from_properties(args.property, bound)
    if args.archs is not None:
        archs = spelling.parse_archs(args.archs)
        contents = _read(args.wheel) if wanted == "auto" else None
        return statement.from_archs(contents, archs, bound)
    contents, use_ptx = _read(args.wheel), not args.no_ptx
    found = statement.from_code(contents, args.threshold, bound, use_ptx=use_ptx)
    return found.without_bound() if wanted == "none" else found


def _read(wheel: Path) -> Contents:
    from nvidia_variant_provider.binaries.inspector import inspect_path

    return inspect_path(str(wheel), jobs=2)


def _label(args: argparse.Namespace, statement: Statement) -> str:
    from nvidia_variant_provider.ordering import NULL_LABEL

    if args.null:
        if args.label not in {None, NULL_LABEL}:
            raise InvalidValueError(f"the label of the null variant is {NULL_LABEL!r}")
        return NULL_LABEL
    label = str(args.label or statement.label)
    if not label:
        raise InvalidValueError("nothing tells a label for this wheel: give one with --label")
    return label


def _show(document: Tagging) -> None:
    """Print what is going to be stated, with the evidence."""
    output.emit_lines([document.wheel])
    rows = [_row(claim) for claim in document.claims]
    if rows:
        output.emit_table(("GPU", "code", "containers", "share", "stated", "because"), rows)
    output.emit_lines(_lines(document))


def _row(claim: ClaimRecord) -> tuple[str, ...]:
    targets = ", ".join(f"{target} {count}" for target, count in claim.targets.items())
    return (
        claim.compute_capability,
        f"{'PTX' if claim.kind == 'virtual' else 'cubin'} {targets}",
        f"{claim.served} of {claim.containers}",
        f"{100 * claim.served / claim.containers:.0f} %",
        " ".join(claim.values) or f"- ({claim.standing})",
        claim.reason,
    )


def _lines(document: Tagging) -> Iterator[str]:
    bound = document.lower_bound
    if document.claims or bound.value:
        yield f"lower bound: {bound.value or 'none'} ({'; '.join(bound.evidence)})"
    if document.toolkit:
        yield f"toolkit: {document.toolkit}"
    for note in document.notes:
        yield f"note: {note}"
    for namespace, features in document.variant.items():
        for feature, values in features.items():
            yield f"{namespace} :: {feature} :: {', '.join(values)}"
    if not document.variant:
        yield "no properties: the variant for every machine"
    yield f"wheel: {Path(document.target).name}"
