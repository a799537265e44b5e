"""The arguments by which commands are told of a machine, and what they make of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import overrides
from nvidia_variant_provider.errors import InvalidValueError, OverrideError
from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.provider import Answer

# What describes a machine. On the command line a named machine replaces all of it.
_FACTS: Final = tuple(row.name for row in overrides.VARIABLES if row.of_machine)
_OPTIONS: Final = {row.name: row.option for row in overrides.VARIABLES if row.option}
# Codes of the notes that ``answer_for`` says on stderr, as warnings or not.
_WARNS: Final = {"target-driver": False, "unknown-branch": True}
TOLD: Final = frozenset(_WARNS)
# The rules' note that there is no driver: it repeats the reason of the status.
REPEATED: Final = frozenset({"no-driver"})


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add ``--target``, ``--machine`` and ``--gpu``."""
    group = parser.add_argument_group("machine", "this one, unless another is named")
    named = group.add_mutually_exclusive_group()
    named.add_argument(
        "--target",
        metavar="NAME[@DRIVER]",
        help="a machine by name, such as gh200@580; 'targets' lists the names",
    )
    named.add_argument(
        "--machine", metavar="FILE", help="a machine file, as 'detect --json' writes"
    )
    group.add_argument(
        "--gpu",
        metavar="WHICH",
        help="the GPU to use if there are several: all, highest, lowest, an index from 0, or the "
        "start of a UUID",
    )


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add ``--rules``."""
    parser.add_argument(
        "--rules",
        choices=("0", "1"),
        help="rule set; 0 predicts providers 0.0.x and uv [default: 1]",
    )


def answer_for(args: argparse.Namespace, environ: Mapping[str, str] | None = None) -> Answer:
    """Return the answer for the machine the arguments name, or else for this one.

    Raises ``InvalidValueError`` naming the option, or the variable, at fault.
    """
    from nvidia_variant_provider.provider import answer

    given = _given(args)
    settings = dict(os.environ if environ is None else environ)
    if overrides.TARGET in given or overrides.MACHINE in given:
        ignored = [name for name in _FACTS if settings.pop(name, "")]
        if ignored:
            output.warn(f"{', '.join(ignored)} ignored: the command line names a machine")
    try:
        answered = answer(settings | given)
    except OverrideError as error:
        if error.variable not in given:
            raise
        option = _OPTIONS.get(error.variable, error.variable)
        raise InvalidValueError(
            f"{option} {error.text[:60]!r}: expected {error.expected}"
        ) from error
    tell_assumptions(answered.detection.machine)
    return answered


def tell_assumptions(machine: Machine) -> None:
    """Say on stderr what was assumed of a machine, whatever the format of the output."""
    for note in machine.notes:
        if note.code in TOLD:
            say = output.warn if _WARNS[note.code] else output.note
            say(note.text)


def _given(args: argparse.Namespace) -> dict[str, str]:
    given = {
        overrides.TARGET: args.target,
        overrides.MACHINE: None if args.machine is None else os.path.abspath(args.machine),
        overrides.GPU: args.gpu,
        overrides.RULES: getattr(args, "rules", None),
    }
    for variable, value in given.items():
        if value == "":
            raise InvalidValueError(f"{_OPTIONS.get(variable, variable)}: expected a value")
    return {variable: value for variable, value in given.items() if value is not None}
