"""The command ``detect``: what this machine is, how that became known, what to do about it."""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.remedies import CAUSES
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, UPPER_BOUND
from nvidia_variant_provider.tools.cli import options, output
from nvidia_variant_provider.tools.cli.advice import (
    NOTHING,
    WORKS,
    advice_for,
    exit_code_for,
    explaining,
    words_for,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from nvidia_variant_provider.detect.host import Host
    from nvidia_variant_provider.detect.outcome import Step
    from nvidia_variant_provider.model import Gpu, Machine, Note
    from nvidia_variant_provider.overrides import Overrides
    from nvidia_variant_provider.provider import Answer

_EPILOG: Final = """\
examples:
  nvidia-variant-provider detect                      what is here, in words
  nvidia-variant-provider detect --verbose            every probe, with its time
  nvidia-variant-provider detect --json               the same for programs
  nvidia-variant-provider detect --record gpu.json    a bug report in one file
  nvidia-variant-provider detect --replay gpu.json    detection on that machine, here
  nvidia-variant-provider detect --report             text for an issue, private data masked

exit codes:
  0  the GPUs work, or the environment names the target
  2  usage error, malformed override or unreadable record
  3  no NVIDIA GPU
  4  an NVIDIA GPU or driver that does not work
  5  a working GPU for which installers get the CPU build: the driver is too old
"""
_TONES: Final = {WORKS: output.Tone.GOOD, NOTHING: output.Tone.WARNING}


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        "detect",
        help="show the GPUs, the driver, and how to fix them if they do not work",
        description="Show the machine, its NVIDIA GPUs and driver, and what to do if they do not "
        "work. Every status has a section in docs/status.md.",
        epilog=_EPILOG,
    )
    parser.add_argument("--json", action="store_true", help="print JSON (detection.schema.json)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every probe as a tree")
    files = parser.add_mutually_exclusive_group()
    files.add_argument(
        "--record",
        metavar="FILE",
        help="also write the observations to FILE; UUIDs, user and host names, home folders are "
        "masked, versions, GPU names, PCI addresses and library paths are kept",
    )
    files.add_argument(
        "--report",
        action="store_true",
        help="print the text for a bug report: versions of Python, pip, uv and torch, and every "
        "probe; masked as a record is",
    )
    files.add_argument("--replay", metavar="FILE", help="detect on the machine recorded in FILE")
    parser.add_argument("--keep-private", action="store_true", help="mask nothing in the record")
    return parser


def run(args: argparse.Namespace) -> int:
    """Detect, print, and return an exit code that tells working, absent and broken apart."""
    from nvidia_variant_provider.detect.host import RealHost
    from nvidia_variant_provider.overrides import read_overrides
    from nvidia_variant_provider.provider import decide_for, find_machine
    from nvidia_variant_provider.tools.machines import recording

    if args.keep_private and not args.record:
        raise InvalidValueError("--keep-private: expected with --record FILE")
    host: Host
    if args.replay:
        host = recording.read(args.replay)
        settings = read_overrides(host.environ)
    else:
        settings = read_overrides(os.environ)
        host = RealHost(os.environ, settings.root)
    if args.record:
        host = _record(host, settings, args)
    answer = decide_for(find_machine(host, settings, confirm=True), settings)
    if args.report:
        output.emit_lines(_report(answer))
    elif args.json:
        output.emit_json(document(answer))
    else:
        first, *others = render(answer, verbose=args.verbose)
        output.emit_toned([(_TONES.get(exit_code_for(answer), output.Tone.BAD), first)])
        output.emit_text(others)
    return exit_code_for(answer)


def _report(answer: Answer) -> Iterator[str]:
    from nvidia_variant_provider.detect.masking import masker_for
    from nvidia_variant_provider.tools.machines import recording, report

    masker = masker_for(os.environ, recording.host_name())
    yield from report.render(answer, render(answer, verbose=True), masker)


def document(answer: Answer) -> dict[str, object]:
    """Return the JSON form: a machine file, with the trail and what an installer gets beside."""
    from nvidia_variant_provider import machine_file

    machine, decision = answer.detection.machine, answer.decision
    words = words_for(machine)
    return {
        **machine_file.dump(machine),
        "code": words.code,
        "help": explaining(words.code),
        "advice": advice_for(answer.detection),
        "rules": answer.rules,
        "features": [
            {"name": feature.name, "values": list(feature.values)} for feature in decision.features
        ],
        "feature_notes": [{"code": note.code, "text": note.text} for note in decision.notes],
        "trail": [
            {
                "probe": step.probe,
                "source": step.source,
                "found": step.found,
                "detail": step.detail,
                "seconds": step.seconds,
            }
            for step in answer.detection.trail
        ],
    }


def render(answer: Answer, *, verbose: bool) -> Iterator[str]:
    """Yield the lines that a person reads."""
    machine = answer.detection.machine
    words = words_for(machine)
    general = "" if machine.status is Status.OK else words.meaning
    first, *others = dict.fromkeys(filter(None, (general, machine.reason)))
    if machine.status is Status.NONE:
        first, others = ": ".join((first, *others)), []
    yield f"status   {machine.status.value}: {first}"
    yield from (f"         {line}" for line in others)
    yield from _columns("to do", advice_for(answer.detection))
    yield f"help     {explaining(words.code)}"
    yield f"machine  {_platform(machine)}"
    yield f"driver   {_driver(machine)}"
    yield f"CUDA     {_cuda(machine)}"
    yield from _columns("GPUs", [_gpu(gpu) for gpu in machine.gpus] or ["none"])
    yield from _columns("gets", list(_features(answer)))
    notes = [
        note
        for note in (*machine.notes, *answer.decision.notes)
        if note.code not in options.REPEATED
    ]
    yield from _columns("notes", [_note(note) for note in notes])
    if verbose:
        yield from _tree(answer.detection.trail)


def _record(host: Host, settings: Overrides, args: argparse.Namespace) -> Host:
    """Write the record and return the recorded machine: what is shown is what is in the file."""
    from nvidia_variant_provider.detect.replay import ReplayHost
    from nvidia_variant_provider.tools.machines import recording

    document = recording.record(host, settings.timeout, keep_private=args.keep_private)
    recording.write(args.record, document)
    output.warn(
        f"{args.record} holds versions, GPU names, PCI addresses, library paths"
        + (
            ", and UUIDs and names unmasked"
            if args.keep_private
            else "; UUIDs and names are masked"
        )
    )
    return ReplayHost(document["observed"])


def _columns(title: str, lines: list[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield f"{title if index == 0 else '':<9}{line}"


def _platform(machine: Machine) -> str:
    platform = machine.platform
    known = (platform.system, platform.architecture, platform.libc)
    return " ".join(filter(None, (*known, "Tegra" if machine.tegra else "")))


def _driver(machine: Machine) -> str:
    if machine.driver_release is None:
        return "none found"
    return f"{machine.driver_release}  ({machine.driver_source})"


def _cuda(machine: Machine) -> str:
    return f"{machine.cuda}  ({machine.cuda_source})" if machine.cuda else "no usable driver"


def _gpu(gpu: Gpu) -> str:
    capability = gpu.capability or "capability unknown"
    details = filter(
        None, (gpu.pci_address, gpu.uuid, gpu.source, "integrated" if gpu.integrated else "")
    )
    return f"{capability}  {gpu.name or 'unnamed'}  ({', '.join(details)})"


def _note(note: Note) -> str:
    """Say what a remark is about; what to do about a cause already stands above."""
    text = note.text or ("see to do" if note.code in CAUSES else "")
    return f"{note.code}: {text}" if text else note.code


def _features(answer: Answer) -> Iterator[str]:
    """Say in brief what an installer gets."""
    for feature in answer.decision.features:
        values = feature.values
        if feature.name == LOWER_BOUND:
            brief = f"{values[0]} and lower"
        elif feature.name == UPPER_BOUND:
            brief = f"{values[-1]} and higher"
        else:
            brief = f"{values[0]} first, {len(values)} values"
        yield f"{feature.name}: {brief}"
    if not answer.decision.features:
        yield "nothing: installers will choose the CPU build"


def _tree(trail: tuple[Step, ...]) -> Iterator[str]:
    """Yield the trail with one branch a probe, in the order asked."""
    spent = sum(step.seconds for step in trail)
    yield f"trail    {len(trail)} steps, {spent:.3f} s in child processes"
    groups = [(probe, list(steps)) for probe, steps in groupby(trail, lambda step: step.probe)]
    for index, (probe, steps) in enumerate(groups):
        last = index + 1 == len(groups)
        yield f"  {'└─' if last else '├─'} {probe}"
        for step in steps:
            took = f"  {step.seconds:.3f} s" if step.seconds else ""
            sign = "+" if step.found else "-"
            yield f"  {' ' if last else '│'}    {sign} {step.source}: {step.detail}{took}"
