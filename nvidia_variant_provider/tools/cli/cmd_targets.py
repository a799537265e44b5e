"""``targets``: the machines that can be named, and what is known of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.targets.devices import chips, find_device, generation, products
from nvidia_variant_provider.targets.target import default_driver, parse_target
from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.targets.devices import Device

_EPILOG: Final = """\
A target is NAME[+NAME...][@DRIVER]. NAME is a name of this list, a chip (gh100) or a capability
(sm_90, 9.0). DRIVER is a driver branch (580), a driver release (580.65.06), a CUDA driver version
(cuda13.2) or, on Jetson, a JetPack release (jetpack6) or Jetson Linux (36.4.3). The default DRIVER
is R580, or the nearest branch that supports the device; on Jetson, the newest JetPack.

examples:
  nvidia-variant-provider targets
  nvidia-variant-provider targets blackwell
  nvidia-variant-provider targets show gb300
  nvidia-variant-provider targets show a10+t4@570
  NV_VARIANT_PROVIDER_TARGET=gh200@580 nvidia-variant-provider properties

exit codes:
  0  at least one row
  1  no row contains every WORD
  2  usage error or an unknown target
"""
_EXIT_NONE: Final = 1
_SHOW: Final = "show"


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "targets",
        help="list the machines that --target accepts",
        description="List the machines that --target accepts, or describe one of them.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="list only rows that contain every WORD; 'targets show TARGET' describes one",
    )
    parser.add_argument("--chips", action="store_true", help="list chips instead of products")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def run(args: argparse.Namespace) -> int:
    """List, or show one target."""
    if args.words[:1] == [_SHOW]:
        return _show(args.words[1:], as_json=args.json)
    rows = [(device, _row(device)) for device in (chips() if args.chips else products())]
    wanted = [word.lower() for word in args.words]
    matching = [
        (device, row)
        for device, row in rows
        if all(word in " ".join((*row, *device.aliases)).lower() for word in wanted)
    ]
    if args.json:
        from nvidia_variant_provider.tools.machines.targets_model import Targets

        output.emit_document(Targets.of(device for device, _ in matching))
    elif matching:
        output.emit_table(_HEAD, [row for _, row in matching])
    else:
        output.warn(f"no row contains {' '.join(args.words)!r}")
    return 0 if matching else _EXIT_NONE


def _show(words: Sequence[str], *, as_json: bool) -> int:
    if len(words) != 1:
        raise InvalidValueError("expected one target: targets show gb300")
    if as_json:
        from nvidia_variant_provider.tools.machines.targets_model import Targets

        devices = [find_device(part) for part in words[0].partition("@")[0].split("+")]
        output.emit_document(Targets.of(devices))
    else:
        # The whole sheet first: an impossible driver must not leave half of one behind.
        output.emit_text(list(_sheet(words[0])))
    return 0


def _sheet(text: str) -> Iterator[str]:
    names, _, driver = text.partition("@")
    for part in names.split("+"):
        device = find_device(part)
        yield f"{device.name}: {device.title}"
        yield f"  chip                {device.chip or 'any'}"
        yield f"  compute capability  {device.capability}"
        yield f"  CPU                 {', '.join(device.architectures)}"
        yield f"  CUDA Toolkits       from {device.facts.first_toolkit}"
        yield f"  drivers             {_drivers(device)}"
        if device.aliases:
            yield f"  also called         {', '.join(device.aliases)}"
    if driver or len(names.split("+")) > 1 or default_driver(find_device(names)):
        target = parse_target(text)
        yield f"as {target.text}: {target.driver.words}, CUDA {target.driver.cuda}"
        for remark in (target.driver.assumed, target.driver.warning):
            if remark:
                yield f"  {remark}"


_HEAD: Final = ("name", "capability", "chip", "CPU", "drivers", "title (generation)")


def _row(device: Device) -> tuple[str, ...]:
    return (
        device.name,
        str(device.capability),
        device.chip,
        ", ".join(device.architectures),
        _drivers(device),
        f"{device.title} ({generation(device.capability)})",
    )


def _drivers(device: Device) -> str:
    if device.tegra:
        versions = ", ".join(row.version for row in device.jetpacks)
        return f"JetPack {versions}" if versions else "JetPack not known"
    last = f" to R{device.last_branch}" if device.last_branch else " on"
    return f"R{device.first_branch}{last}"
