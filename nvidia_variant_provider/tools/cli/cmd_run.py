"""``run``: start a command in which uv sees the machine."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import overrides
from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import options, output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

_EPILOG: Final = """\
The command gets the two variables that 'properties --format env' prints, and uv's preview feature
wheel-variants switched on, without which uv reads neither. It replaces this process.

examples:
  nvidia-variant-provider run -- uv pip install torch
  nvidia-variant-provider run --target gh200@580 -- uv pip compile requirements.in

exit codes:
  2    misuse
  126  the command cannot be started
  127  it was not found
  any other code is the command's own
"""
_CANNOT_START: Final = 126
_NOT_FOUND: Final = 127

UV_PREVIEW: Final = "UV_PREVIEW_FEATURES"
UV_FEATURE: Final = "wheel-variants"


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "run",
        help="start a command in which uv sees the machine",
        description="Start a command in which uv sees this machine, or the one that is named.",
        epilog=_EPILOG,
        usage="%(prog)s [-h] [--target NAME[@DRIVER] | --machine FILE] [--gpu WHICH] -- CMD ...",
    )
    options.add_machine(parser)
    parser.add_argument("cmd", nargs=argparse.REMAINDER, metavar="CMD", help="the command")
    return parser


def run(args: argparse.Namespace) -> int:
    """Start the command; return only if it cannot be started."""
    from nvidia_variant_provider.tools.installers.forced import force_environment

    command = args.cmd[1:] if args.cmd[:1] == ["--"] else args.cmd
    if not command:
        raise InvalidValueError("expected a command after --, such as: run -- uv pip install torch")
    forced = force_environment(options.answer_for(args).detection.machine)
    for warning in forced.warnings:
        output.warn(warning)
    try:
        _start(command, child_environment(os.environ, forced.variables))
    except FileNotFoundError:
        output.fail("run", f"{command[0]}: not found")
        return _NOT_FOUND
    except OSError as error:
        output.fail("run", f"{command[0]}: {error.strerror or error}")
        return _CANNOT_START


def child_environment(environ: Mapping[str, str], forced: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the command.

    The forced facts take the place of everything else that describes a machine. Where none can
    be given the environment stays as it is, so that the command looks for itself.
    """
    child = dict(environ)
    if forced:
        for row in overrides.VARIABLES:
            if row.of_machine:
                child.pop(row.name, None)
    child.update(forced)
    features = [name for name in child.get(UV_PREVIEW, "").split(",") if name]
    if UV_FEATURE not in features:
        child[UV_PREVIEW] = ",".join((*features, UV_FEATURE))
    return child


def _start(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    sys.stdout.flush()
    if os.name != "nt":
        os.execvpe(command[0], list(command), dict(environ))  # noqa: S606 - the user's own command
    # Windows has no exec that keeps the console and the exit code.
    import subprocess

    sys.exit(subprocess.run(list(command), env=dict(environ), check=False).returncode)
