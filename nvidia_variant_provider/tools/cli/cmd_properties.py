"""``properties``: what an installer learns about a machine, in the form it can be handed on."""

from __future__ import annotations

import json
import os
import textwrap
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.tools.cli import options, output
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.provider import Answer
    from nvidia_variant_provider.rules import Feature

_FORMATS: Final = ("text", "json", "env", "dockerfile", "static", "github", "powershell", "conda")
EPILOG: Final = """\
formats:
  text        the features and their values, the most preferred first
  json        the same, schema in schemas/properties.schema.json
  env         the lines that uv reads, with its switch for variants
  dockerfile  the same as ENV lines
  github      the same for $GITHUB_ENV
  powershell  the same as $env: lines (untested in PowerShell itself)
  conda       the two lines that conda, mamba and pixi read
  static      a provider entry for variant metadata (PEP 850, static-properties)

examples:
  nvidia-variant-provider properties
  nvidia-variant-provider properties --target gh200@580
  env $(nvidia-variant-provider properties --format env) uv pip install torch
  nvidia-variant-provider properties --target b200 --format github >> "$GITHUB_ENV"
  env $(nvidia-variant-provider properties --format conda) conda install pytorch

exit codes:
  0  something is supported
  1  nothing is supported
  2  usage error
"""
_EXIT_NOTHING: Final = 1


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "properties",
        help="print the variant properties of a machine, also for uv, Dockerfiles and metadata",
        description="Print the variant properties that a machine supports.",
        epilog=EPILOG,
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--format",
        choices=_FORMATS,
        default="text",
        metavar="FORM",
        help=f"output format: {', '.join(_FORMATS)} [default: text]",
    )
    form.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )
    parser.add_argument(
        "--all", action="store_true", help="every valid value, for any machine (text, json)"
    )
    options.add_rules(parser)
    options.add_machine(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the properties in the chosen format."""
    if args.all:
        return _show_catalogue(args)
    answer = options.answer_for(args)
    if args.format in {"env", "dockerfile", "github", "powershell"}:
        return _show_variables(answer.detection.machine, args.format)
    if args.format == "conda":
        return _show_conda(answer.detection.machine)
    if args.format == "static":
        return _show_static(answer)
    if args.format == "json":
        from nvidia_variant_provider.tools.machines.properties_model import Properties

        output.emit_document(Properties.of(answer))
    else:
        output.emit_text(_text(answer))
    return 0 if answer.decision.features else _EXIT_NOTHING


def describe(machine: Machine) -> str:
    """Say in one line what a machine is: ``CUDA 13.0; GH200 Grace Hopper (9.0)``."""
    cuda = f"CUDA {machine.cuda}" if machine.cuda else "no usable driver"
    gpus = ", ".join(
        f"{gpu.name or 'GPU'} ({gpu.capability or 'capability unknown'})" for gpu in machine.gpus
    )
    return f"{cuda}; {gpus or 'no GPU'}"


def _show_catalogue(args: argparse.Namespace) -> int:
    from nvidia_variant_provider.rules import catalogue

    named = args.target, args.machine, args.gpu, args.rules
    if args.format not in {"text", "json"} or any(option is not None for option in named):
        raise InvalidValueError("--all is the same for every machine: only --format text or json")
    if args.format == "json":
        from nvidia_variant_provider.tools.machines.properties_model import Properties

        output.emit_document(Properties.of_catalogue(catalogue()))
    else:
        output.emit_lines(_feature_lines(catalogue()))
    return 0


def _show_variables(machine: Machine, form: str) -> int:
    from nvidia_variant_provider.tools.installers.environment import switches_of
    from nvidia_variant_provider.tools.installers.machine_overrides import overrides_for
    from nvidia_variant_provider.tools.installers.table import by_name

    forced = overrides_for(machine)
    for warning in forced.warnings:
        output.warn(warning)
    if not forced.variables:
        return _EXIT_NOTHING
    if form == "dockerfile":
        output.emit_lines([f"# {machine.reason}; {describe(machine)}"])
    variables = forced.variables | switches_of(by_name("uv"), os.environ)
    if form == "powershell":
        from nvidia_variant_provider.tools.cli.powershell import assignment

        output.emit_lines(assignment(name, value) for name, value in variables.items())
        return 0
    prefix = "ENV " if form == "dockerfile" else ""
    output.emit_lines(f"{prefix}{name}={value}" for name, value in variables.items())
    return 0


def _show_conda(machine: Machine) -> int:
    from nvidia_variant_provider.tools.conda.overrides import conda_overrides, subdir

    overrides = conda_overrides(machine)
    for warning in overrides.warnings:
        output.warn(warning)
    if not overrides.variables:
        return _EXIT_NOTHING
    if machine.status is Status.PINNED:
        output.note(
            f"for another CPU than this one's also set CONDA_SUBDIR={subdir(machine)}; "
            "in pixi name the platform"
        )
    output.emit_lines(f"{name}={value}" for name, value in overrides.variables.items())
    return 0


def _show_static(answer: Answer) -> int:
    features = answer.decision.features
    if not features:
        for note in answer.decision.notes:
            output.warn(note.text)
        output.warn("nothing is supported, and an entry without properties is not valid")
        return _EXIT_NOTHING
    # The order of values is the point; it stays on one line per feature to be read and compared.
    order = json.dumps([feature.name for feature in features])
    values = [f'      "{feature.name}": {json.dumps(feature.values)}' for feature in features]
    output.emit_lines(
        [
            "{",
            f'  "{NVIDIA_NAMESPACE}": {{',
            f'    "feature-order": {order},',
            '    "static-properties": {',
            *(f"{value}," for value in values[:-1]),
            values[-1],
            "    }",
            "  }",
            "}",
        ]
    )
    return 0


def _text(answer: Answer) -> Iterator[str]:
    machine = answer.detection.machine
    yield f"{machine.status.value}: {machine.reason}"
    yield describe(machine)
    for note in (*machine.notes, *answer.decision.notes):
        if note.code not in options.TOLD | options.REPEATED:
            yield f"note: {note.text}"
    if not answer.decision.features:
        yield "nothing is supported: installers choose builds without CUDA"
        return
    yield f"rule set {answer.rules}, the most preferred first"
    yield from _feature_lines(answer.decision.features)


def _feature_lines(features: Iterable[Feature]) -> Iterator[str]:
    width = output.text_width()
    for feature in features:
        yield ""
        yield f"{NVIDIA_NAMESPACE} :: {feature.name}"
        yield from textwrap.wrap(
            " ".join(feature.values), width, initial_indent="  ", subsequent_indent="  "
        )
