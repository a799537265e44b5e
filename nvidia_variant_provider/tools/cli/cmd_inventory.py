"""The command ``inventory``: what a list of machines is understood to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.errors import FleetError
    from nvidia_variant_provider.tools.inventory.machine import Entry
    from nvidia_variant_provider.tools.inventory.resolve import Defaults
    from nvidia_variant_provider.tools.inventory.summary import Counted

_EPILOG: Final = """\
examples:
  kubectl get nodes -o json | nvidia-variant-provider inventory -
  scontrol show nodes > nodes.txt
  nvidia-variant-provider inventory nodes.txt --json
  pdsh -w gpu[01-64] nvidia-smi -L | nvidia-variant-provider inventory -
  nvidia-variant-provider inventory fleet.csv nodes.json.gz

exit codes:
  0  every entry was read
  1  entries were skipped with --skip-invalid
  2  usage error, unreadable input or internal error
"""

_COLUMNS: Final = ("machines", "GPUs", "capability", "driver", "CUDA", "CPU", "system", "example")


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        "inventory",
        help="read a list of machines and print the machines that were understood",
        description="Read lists of machines in many forms, and print each machine with every "
        "assumption. docs/coverage.md lists the forms; 'coverage' reads the same.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="file, folder of files, or - for standard input"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (inventory.schema.json)")
    add_defaults(parser)
    return parser


def add_defaults(group: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the options that fill in what an inventory does not state; ``coverage`` has them too."""
    group.add_argument(
        "--driver",
        default="",
        metavar="BRANCH",
        help="assume this branch where a record has none [default: 580, or the nearest branch "
        "for the GPU]",
    )
    group.add_argument(
        "--architecture",
        default="",
        metavar="CPU",
        help="assume this CPU where a record has none [default: the one the GPU is sold with]",
    )
    group.add_argument(
        "--gpu",
        default="",
        metavar="NAME",
        help="assume this GPU where a record counts GPUs without a name, as in gpu:4 of Slurm",
    )
    group.add_argument(
        "--skip-invalid",
        action="store_true",
        help="skip entries that cannot be read, and count them",
    )


def defaults_of(args: argparse.Namespace) -> Defaults:
    """Return the defaults that the options state; raises ``InvalidValueError`` for a wrong one."""
    from nvidia_variant_provider.targets.devices import find_device
    from nvidia_variant_provider.tools.inventory.resolve import Defaults, parse_branch

    if args.driver:
        parse_branch(args.driver)
    if args.gpu:
        find_device(args.gpu)
    return Defaults(args.architecture, args.driver, args.gpu)


def run(args: argparse.Namespace) -> int:
    """Read every file, print the machines."""
    from nvidia_variant_provider.tools.coverage.fleet import InvalidEntriesError
    from nvidia_variant_provider.tools.inventory.json_model import InventoryModel
    from nvidia_variant_provider.tools.inventory.summary import summarise

    summary = summarise(_entries(args.files), defaults_of(args))
    if summary.invalid and not args.skip_invalid:
        raise InvalidEntriesError(summary.errors, summary.invalid)
    if not summary.machines and not summary.invalid:
        raise InvalidValueError(f"{', '.join(args.files)}: no machine; expected at least one")
    if args.json:
        output.emit_document(InventoryModel.of(summary))
    else:
        _print(summary.machines)
    for error in summary.errors:
        output.warn(f"skipped: {error}")
    return int(summary.invalid > 0)


def _entries(paths: Sequence[str]) -> Iterator[Entry | FleetError]:
    from nvidia_variant_provider.tools.inventory import files, read

    for path in paths:
        for part in files(path):
            yield from read(part)


def _print(machines: Sequence[Counted]) -> None:
    output.emit_table(_COLUMNS, map(_row, machines))
    guesses: dict[str, int] = {}
    for counted in machines:
        for guess in counted.machine.assumed:
            guesses[guess.text] = guesses.get(guess.text, 0) + (counted.count or 1)
    if guesses:
        rows = sorted(guesses.items(), key=lambda row: -row[1])
        output.emit_table(("machines", "assumed"), ((str(number), text) for text, number in rows))


def _row(counted: Counted) -> tuple[str, ...]:
    machine = counted.machine
    names = [f"{gpu.number or '?'} x {gpu.name or 'unnamed'}" for gpu in machine.gpus]
    capabilities = dict.fromkeys(str(gpu.capability or "?") for gpu in machine.gpus)
    assumed = f"R{machine.branch} (assumed)" if machine.branch else "none"
    return (
        "type" if counted.count is None else str(counted.count),
        " + ".join(names) or "no GPU",
        " ".join(capabilities) or "-",
        machine.driver or (assumed if machine.gpus else "-"),
        str(machine.cuda or "-") if machine.gpus else "-",
        machine.stated_architecture or f"{machine.architecture} (assumed)",
        machine.system,
        counted.example,
    )
