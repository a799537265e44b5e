"""``tag``: make a variant wheel of an ordinary one, with properties that are true."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.errors import InvalidValueError, ProviderError
from nvidia_variant_provider.tools.cli import faults, output
from nvidia_variant_provider.tools.cli.paths import has_label, wheels_of
from nvidia_variant_provider.tools.cli.threshold import add_threshold
from nvidia_variant_provider.tools.tagging.threshold import DEFAULT_SHARE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.model import CudaVersion
    from nvidia_variant_provider.tools.binaries.report import Contents
    from nvidia_variant_provider.tools.tagging.claims import Claim
    from nvidia_variant_provider.tools.tagging.statement import Statement
    from nvidia_variant_provider.tools.tagging.variant import WheelVariant
    from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

_EPILOG: Final = """\
The members of the wheel are copied without recompressing them; variant.json is added, RECORD is
updated, and the label goes into the file name. The properties and the evidence for them are shown
before anything is written. By default the properties are inferred from the wheel's device code.

examples:
  nvidia-variant-provider tag dist/foo-1.0-cp312-cp312-linux_x86_64.whl --dry-run
  nvidia-variant-provider tag foo.whl -o variants/
  nvidia-variant-provider tag dist/ -o variants/
  nvidia-variant-provider tag foo.whl -o variants/ --archs "$TORCH_CUDA_ARCH_LIST" --label cuda13.2
  nvidia-variant-provider tag foo.whl -o variants/ --archs "80-real;90a;120-virtual"
  nvidia-variant-provider tag foo.whl -o variants/ --property "nvidia :: sm_arch :: 90_real" \\
      --lower-bound 12.0 --priority 1
  nvidia-variant-provider tag foo_cpu.whl -o variants/ --null
  nvidia-variant-provider tag foo-2.0+cu126-cp312-cp312-linux_x86_64.whl -o variants/ --strip-local

exit codes:
  0  written or shown
  2  usage error, or a wheel that is damaged or has no code to infer from
"""
_MAX_PRIORITY: Final = 9
_EXIT_MISUSE: Final = 2


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "tag",
        help="make a variant wheel, with properties that match its device code",
        description="Make a variant wheel from an ordinary wheel, with properties that match its "
        "device code.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "wheels",
        nargs="+",
        metavar="WHEEL",
        help="wheel without a variant label, or folder of them",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="output folder; created if missing"
    )
    parser.add_argument("--label", help="variant label [default: from the CUDA toolkit, cuda13.2]")
    _add_sources(parser)
    add_threshold(parser, default=None)
    parser.add_argument(
        "--no-ptx",
        action="store_true",
        help="infer from cubins only; an older driver of the same CUDA major runs them, too",
    )
    parser.add_argument(
        "--lower-bound",
        default="auto",
        metavar="V",
        help="auto, none, or a CUDA version such as 12.0 [default: auto, from the code]",
    )
    parser.add_argument(
        "--priority",
        type=int,
        choices=range(1, _MAX_PRIORITY + 1),
        metavar="N",
        help=f"break ties between equal variants: 1 wins over 2, up to {_MAX_PRIORITY}",
    )
    parser.add_argument(
        "--bake-markers",
        action="store_true",
        help="answer the variant markers of METADATA for the label; no installer reads them",
    )
    parser.add_argument(
        "--strip-local",
        action="store_true",
        help="make 2.0 of the version 2.0+cu126, in the file name and in the wheel",
    )
    parser.add_argument(
        "--no-check",
        action="store_true",
        help="copy members without reading them: faster, but damage goes unnoticed",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show the properties, and write nothing"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing wheel")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _add_sources(parser: argparse.ArgumentParser) -> None:
    sources = parser.add_mutually_exclusive_group()
    sources.add_argument(
        "--from-code",
        action="store_true",
        help="infer the properties from the device code [default]",
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
        help="state this property; repeatable",
    )
    sources.add_argument(
        "--null",
        action="store_true",
        help="make the null variant: the CPU build, for every machine",
    )


def run(args: argparse.Namespace) -> int:
    """Work out what to state, show it, and write the wheel unless it is a dry run."""
    if args.output is None and not args.dry_run:
        raise InvalidValueError("a folder to write to is needed: -o DIR, or --dry-run")
    if args.label == "":
        # An unset variable of a build script, as a rule: the default label would be a surprise.
        raise InvalidValueError("--label: seen an empty text, expected a label such as cuda13.2")
    tagged, failed = [], False
    for path in wheels_of(args.wheels, lambda name: not has_label(name)):
        try:
            tagged.append(_tag(args, Path(path)))
        except (ProviderError, OSError) as error:  # noqa: PERF203 - one must not hide the others
            output.fail("tag", faults.words_for(error))
            failed = True
    if args.json:
        _emit_json(tagged, written=not args.dry_run)
    return _EXIT_MISUSE if failed else 0


class _Tagged(NamedTuple):
    """What became of one wheel; ``target`` is a name alone in a dry run."""

    path: Path
    target: str
    variant: WheelVariant
    statement: Statement


def _tag(args: argparse.Namespace, path: Path) -> _Tagged:
    from nvidia_variant_provider.tools.tagging.variant import build_variant
    from nvidia_variant_provider.tools.tagging.wheels import tagged_name
    from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel

    # Before the code is read, which takes its time.
    tagged_name(path, args.label or "x")
    with OpenWheel(path) as wheel:
        wheel.check()
        statement = _state(args, wheel)
        variant = build_variant(_label(args, statement), statement.features, args.priority)
        name = str(tagged_name(path, variant.label, strip_local=args.strip_local))
        if not args.json:
            _show(path, name, variant, statement)
        if args.dry_run:
            return _Tagged(path, name, variant, statement)
        target, remarks = _write(args, wheel, variant)
    if not args.json:
        output.emit_text([f"written: {target}"])
    noted = replace(statement, notes=(*statement.notes, *remarks))
    return _Tagged(path, target, variant, noted)


def _write(
    args: argparse.Namespace, wheel: OpenWheel, variant: WheelVariant
) -> tuple[str, tuple[str, ...]]:
    """Write the wheel; return its path and what was dropped, which is a warning too."""
    from nvidia_variant_provider.tools.tagging.wheels import add_variant

    path, remarks = add_variant(
        wheel,
        args.output,
        variant,
        force=args.force,
        bake_markers=args.bake_markers,
        strip_local=args.strip_local,
        check=not args.no_check,
    )
    for remark in remarks:
        output.warn(remark)
    return str(path), remarks


def _emit_json(tagged: Sequence[_Tagged], *, written: bool) -> None:
    # Loaded for the document alone: it takes longer than to copy a small wheel.
    from nvidia_variant_provider.tools.tagging.json_model import TaggedWheel, Tagging

    wheels = tuple(
        TaggedWheel.of(
            str(wheel.path), wheel.target, wheel.variant, wheel.statement, written=written
        )
        for wheel in tagged
    )
    output.emit_document(Tagging(wheels=wheels))


def _state(args: argparse.Namespace, wheel: OpenWheel) -> Statement:
    # What looks at device code is loaded when there is some to look at.
    from nvidia_variant_provider.model import CudaVersion
    from nvidia_variant_provider.tools.tagging.statement import Statement, from_properties

    if args.null:
        return Statement({})
    wanted = args.lower_bound
    bound = None if wanted in {"auto", "none"} else CudaVersion.parse(wanted)
    if args.property:
        return from_properties(args.property, bound)
    statement = _inferred(args, wheel, bound)
    if statement.bound.is_unknown:
        raise InvalidValueError(
            f"{wheel.path}: the lower bound is unknown: {'; '.join(statement.bound.evidence)};"
            " state one with --lower-bound, or leave the PTX out with --no-ptx"
        )
    return statement


def _inferred(args: argparse.Namespace, wheel: OpenWheel, bound: CudaVersion | None) -> Statement:
    from nvidia_variant_provider.tools.tagging import inference, spelling

    wanted = args.lower_bound
    if args.archs is not None:
        archs = spelling.parse_archs(args.archs)
        contents = _read(wheel) if wanted == "auto" else None
        return inference.from_archs(contents, archs, bound)
    contents, use_ptx = _read(wheel), not args.no_ptx
    statement = inference.from_code(contents, _threshold(args), bound, use_ptx=use_ptx)
    return statement.without_bound() if wanted == "none" else statement


def _threshold(args: argparse.Namespace) -> float:
    """Return the share that was asked for: what is tagged by it is verified by it, too."""
    if args.threshold is not None:
        return float(args.threshold)
    from nvidia_variant_provider.tools.findings.configuration import read_configuration

    return read_configuration(os.getcwd()).threshold or DEFAULT_SHARE


def _read(wheel: OpenWheel) -> Contents:
    from nvidia_variant_provider.tools.binaries.wheel import read_wheel

    return read_wheel(wheel.archive, jobs=2)


def _label(args: argparse.Namespace, statement: Statement) -> str:
    from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL

    if args.null:
        if args.label not in {None, NULL_LABEL}:
            raise InvalidValueError(f"the label of the null variant is {NULL_LABEL!r}")
        return NULL_LABEL
    label = str(args.label or statement.label)
    if not label:
        raise InvalidValueError("nothing tells a label for this wheel: give one with --label")
    return label


def _show(wheel: Path, name: str, variant: WheelVariant, statement: Statement) -> None:
    """Print what is going to be stated, with the evidence."""
    output.emit_text([str(wheel)])
    rows = [_row(claim) for claim in statement.claims]
    if rows:
        output.emit_table(("GPU", "code", "containers", "share", "stated", "because"), rows)
    output.emit_text(_lines(name, variant, statement))


def _row(claim: Claim) -> tuple[str, ...]:
    targets = ", ".join(f"{arch.target} {count}" for arch, count in claim.targets)
    return (
        str(claim.capability),
        f"{'PTX' if claim.virtual else 'cubin'} {targets}",
        f"{claim.served} of {claim.total}",
        f"{100 * claim.served / claim.total:.0f} %",
        " ".join(str(value) for value in claim.values) or f"- ({claim.standing.value})",
        claim.reason,
    )


def _lines(name: str, variant: WheelVariant, statement: Statement) -> Iterator[str]:
    bound = statement.bound
    if statement.claims or bound.value:
        yield f"lower bound: {bound.value or 'none'} ({'; '.join(bound.evidence)})"
    if statement.toolkit:
        yield f"toolkit: {statement.toolkit}"
    for note in statement.notes:
        yield f"note: {note}"
    for namespace, features in variant.properties.items():
        for feature, values in features.items():
            yield f"{namespace} :: {feature} :: {', '.join(values)}"
    if not variant.properties:
        yield "no properties: the variant for every machine"
    yield f"wheel: {name}"
