"""The command ``coverage``: which machine of a fleet gets which variant of a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import checking, coverage_text, output
from nvidia_variant_provider.tools.cli.cmd_inventory import add_defaults, defaults_of
from nvidia_variant_provider.tools.installers.ourselves import install_line
from nvidia_variant_provider.tools.installers.table import INSTALLERS, by_name

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.coverage import (
        Coverage,
        Defaults,
        Entry,
        Fleet,
        FleetFinding,
        Release,
    )
    from nvidia_variant_provider.tools.coverage.what_if import Answer

_EPILOG: Final = """\
examples:
  nvidia-variant-provider coverage wheels/                    every device and driver known
  nvidia-variant-provider coverage wheels/ --package torch==2.14.1 --html coverage.html
  kubectl get nodes -o json | nvidia-variant-provider coverage wheels/ --inventory -
  scontrol show nodes --json > nodes.json
  nvidia-variant-provider coverage wheels/ --inventory nodes.json --driver 570
  nvidia-variant-provider coverage wheels/ --inventory fleet.csv --lock torch.txt
  nvidia-variant-provider coverage torch-2.14.1-variants.json --target gh200@580 --target t4@535
  nvidia-variant-provider coverage wheels/ --inventory fleet.csv --fail-on hole

exit codes:
  0  finished
  1  a problem named with --fail-on was found
  2  usage error, unreadable input or internal error
"""

# Options of which the page repeats what they were given.
_FILLED: Final = ("driver", "architecture", "gpu")


def _problems() -> Iterator[str]:
    from nvidia_variant_provider.tools.coverage.findings import RULES

    return (rule.code for rule in RULES)


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        "coverage",
        help="show which variant each machine of a fleet gets, and where GPUs get the CPU build",
        description="Show which kind of machine gets which variant of a release, the machines "
        "whose GPU gets no build, and what a mirror must carry. docs/coverage.md explains all.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="folder of wheels, -variants.json, wheel, or index URL, as for 'explain'",
    )
    parser.add_argument(
        "--package", default="", metavar="NAME[==VERSION]", help="release, if several"
    )
    _add_machines(parser)
    parser.add_argument(
        "--rules",
        action="append",
        choices=("0", "1"),
        help="rule set; 0 predicts uv [default: 1]. Given twice, the first is shown and "
        "mirror and lock serve both",
    )
    parser.add_argument(
        "--installer",
        choices=[installer.name for installer in INSTALLERS],
        help="answer as this installer: uv and provider by their rule set; one that knows no "
        "variants gets the wheel without a label, and through a view the variant",
    )
    _add_outputs(parser)
    return parser


def _add_machines(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "machines",
        "counted together. Without any: every device of 'targets' with every driver branch that "
        "serves it",
    )
    group.add_argument(
        "--inventory",
        action="extend",
        nargs="+",
        default=[],
        metavar="FILE",
        help="list of machines in any form: output of kubectl, Slurm, nvidia-smi, clouds, a CSV "
        "file, machine files; compressed or not; a folder, or - for standard input. 'inventory' "
        "shows what is understood",
    )
    group.add_argument(
        "--target", action="append", default=[], metavar="NAME[@DRIVER]", help="such as gh200@580"
    )
    group.add_argument(
        "--catalogue", action="store_true", help="also include every known device and driver"
    )
    add_defaults(group)
    group.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="count the files on this Dask cluster, such as tcp://host:8786; its workers must see "
        "them by the same paths (extra: dask)",
    )


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    form = checking.add_form(group)
    form.add_argument(
        "--csv", action="store_true", help="print a line per machine kind and variant"
    )
    form.add_argument(
        "--prometheus", action="store_true", help="print metrics in Prometheus's text format"
    )
    group.add_argument("--html", metavar="FILE", help="also write the matrix as one page")
    group.add_argument(
        "--lock",
        metavar="FILE",
        help="also write a requirements file with the hash of every wheel that the fleet chooses",
    )
    group.add_argument(
        "--what-if",
        action="append",
        default=[],
        metavar="QUESTION",
        help="also say what would change with driver=580 on every machine, or with a variant more "
        "in the release: add=cuda12.6; repeatable",
    )
    group.add_argument(
        "--fail-on",
        action="append",
        default=[],
        choices=checking.NamedLater(_problems),
        metavar="PROBLEM",
        help="exit with 1 if this problem is found, such as no-build, hole, shadow, tie, some-gpus,"
        " unused; repeatable",
    )


def run(args: argparse.Namespace) -> int:
    """Count the machines, work out the matrix, write what was asked for."""
    from nvidia_variant_provider.tools.coverage import find, read_release
    from nvidia_variant_provider.tools.coverage.mirror import smallest
    from nvidia_variant_provider.tools.coverage.what_if import answer

    defaults = defaults_of(args)
    if args.lock and args.lock.endswith(".toml"):
        # Measured with pip 26.3 and uv: both refuse a pylock.toml that lists a variant.
        raise InvalidValueError(
            f"--lock {args.lock}: installers refuse a pylock.toml with variants; expected a "
            "requirements file, such as torch.txt"
        )
    release = read_release(args.source, args.package)
    fleet = _fleet(args, defaults)
    if not fleet.groups:
        raise InvalidValueError(f"{', '.join(args.inventory)}: no machine; expected at least one")
    coverages = _covered(args, release, fleet)
    findings = find(coverages[0])
    mirror = smallest(coverages)
    answers = [answer(coverages[0], question) for question in args.what_if]
    # The files first: whoever reads standard output may have seen enough after a line.
    _write_files(args, coverages, findings, mirror)
    _print(args, coverages[0], findings, mirror, answers)
    if fleet.skipped:
        output.warn(f"{output.count(fleet.skipped, 'entry')} skipped: not readable")
    return int(any(finding.rule.code in args.fail_on for finding in findings))


def _covered(args: argparse.Namespace, release: Release, fleet: Fleet) -> list[Coverage]:
    """Return the matrix of every rule set that is asked for, or of the installer."""
    from nvidia_variant_provider.tools.coverage import cover
    from nvidia_variant_provider.tools.coverage.matrix import cover_plain

    rules = [int(text) for text in args.rules or ()]
    if args.installer:
        installer = by_name(args.installer)
        if rules:
            raise InvalidValueError("--installer says the rule set: expected without --rules")
        if installer.rules is None:
            if args.what_if:
                raise InvalidValueError(
                    f"--what-if: {installer.called} knows no variants; expected another --installer"
                )
            return [cover_plain(release, fleet, installer.called)]
        rules = [installer.rules]
    return [cover(release, fleet, number) for number in dict.fromkeys(rules or (1,))]


def _fleet(args: argparse.Namespace, defaults: Defaults) -> Fleet:
    from nvidia_variant_provider.tools.coverage import files, split, tally
    from nvidia_variant_provider.tools.coverage.engines import (
        PART_BYTES,
        tally_here,
        tally_with_dask,
    )

    skip = args.skip_invalid
    listed = tally(_named(args), defaults, skip_invalid=skip)
    parts = [part for path in args.inventory for part in files(path)]
    if not args.dask:
        return listed | tally_here(parts, defaults, skip_invalid=skip)
    if any(part.path == "-" for part in parts):
        raise InvalidValueError("--dask: workers cannot see standard input; give files")
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise InvalidValueError(f"--dask: {install_line('dask')}") from error

    with Client(args.dask) as client:
        ranges = [piece for part in parts for piece in split(part, PART_BYTES)]
        return listed | tally_with_dask(client, ranges, defaults, skip_invalid=skip)


def _named(args: argparse.Namespace) -> Iterator[Entry]:
    """Yield the targets, and the catalogue if it is asked for or nothing else is."""
    from nvidia_variant_provider.tools.coverage.catalogue import catalogue, target_entry

    yield from map(target_entry, args.target)
    if args.catalogue or not (args.inventory or args.target):
        yield from catalogue()


def _print(
    args: argparse.Namespace,
    coverage: Coverage,
    findings: Sequence[FleetFinding],
    mirror: Sequence[str],
    answers: Sequence[Answer],
) -> None:
    from nvidia_variant_provider.tools.coverage import report
    from nvidia_variant_provider.tools.coverage.json_model import CoverageModel
    from nvidia_variant_provider.tools.coverage.metrics import prometheus

    if args.output_format == checking.JSON:
        document = CoverageModel.of(coverage, findings, mirror, answers)
        output.emit_document(document)
    elif args.prometheus:
        output.emit_lines(prometheus(coverage, findings))
    elif args.csv:
        coverage_text.emit_csv(report.CSV_COLUMNS, report.csv_rows(coverage))
    elif args.output_format != checking.TEXT:
        from nvidia_variant_provider.tools.findings.formats import Run

        source = output.without_credentials(args.source)
        of_release = tuple(finding.in_release(source) for finding in findings)
        checking.emit_run(args.output_format, Run("coverage", (source,), of_release))
    else:
        coverage_text.show(coverage, findings, mirror)
        for told in answers:
            coverage_text.show_answer(told, coverage)


def _write_files(
    args: argparse.Namespace,
    coverages: Sequence[Coverage],
    findings: Sequence[FleetFinding],
    mirror: Sequence[str],
) -> None:
    if args.lock:
        from nvidia_variant_provider.tools.coverage.mirror import requirements

        _write(args.lock, "\n".join(requirements(coverages)) + "\n")
    if args.html:
        from nvidia_variant_provider.tools.coverage.page import render_page

        command, explain = _commands(args)
        page = render_page(coverages[0], findings, mirror, command=command, explain=explain)
        _write(args.html, page)


def _commands(args: argparse.Namespace) -> tuple[str, str]:
    """Return the command that made a page, and the one that explains a choice, to be copied."""
    import shlex

    named = [args.source, *(("--package", args.package) if args.package else ())]
    options = [f"--{name}={value}" for name in _FILLED if (value := getattr(args, name))]
    options += [f"--target={target}" for target in args.target]
    options += [f"--rules={rules}" for rules in args.rules or ()]
    options += ["--catalogue"] * args.catalogue + ["--skip-invalid"] * args.skip_invalid
    lists = ["--inventory", *args.inventory] if args.inventory else []
    made = [output.PROGRAM, "coverage", *named, *options, *lists, "--html", args.html]
    explain = [output.PROGRAM, "explain", *named]
    both = (shlex.join(made), shlex.join(explain))
    return output.without_credentials(both[0]), output.without_credentials(both[1])


def _write(path: str, text: str) -> None:
    from pathlib import Path

    from nvidia_variant_provider.tools.files import make_folder_of, write_atomically

    make_folder_of(path)
    write_atomically(Path(path), text.encode())
