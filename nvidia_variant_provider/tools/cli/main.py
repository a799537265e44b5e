"""The command ``nvidia-variant-provider``: its parser, dispatch, and errors to exit codes."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tables import READ
from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.cli.parser import Parser, meant

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each name is a module ``cmd_<name>`` in this package with ``add_parser(subparsers)`` and
# ``run(args)``. The order is that of ``--help``.
COMMANDS: Final = (
    "detect",
    "properties",
    "targets",
    "run",
    "serve",
    "cache",
    "torch_backend",
    "explain",
    "coverage",
    "inventory",
    "inspect",
    "verify",
    "survey",
    "tag",
    "untag",
    "lint",
    "convert",
    "index",
    "demo_index",
    "code",
    "conformance",
    "completion",
    "help",
    "version",
)

EXIT_OK: Final = 0
EXIT_MISUSE: Final = 2
EXIT_INTERRUPTED: Final = 130

_EPILOG: Final = """\
Data goes to stdout, diagnostics to stderr; where a program reads, --json prints one document.
Every command has examples: nvidia-variant-provider help COMMAND. 'nvp' is short for
'nvidia-variant-provider'.

exit codes:
  0    finished
  1    finished, negative result (findings, nothing supported; see the help of each command)
  2    usage error, unreadable input or internal error
  130  interrupted
  'detect' returns 3, 4 or 5 for a machine that cannot use GPU builds; 'run' returns the exit code
  of the command that it runs

environment:
  NO_COLOR, FORCE_COLOR, TERM, COLUMNS  colours and widths
  NV_VARIANT_PROVIDER_DEBUG=1           also print the traceback of an error

'nvidia-variant-provider completion SHELL' prints a script that completes commands, options, files
and targets with TAB.
"""


def build_parser(names: Sequence[str] = COMMANDS) -> Parser:
    """Return the parser of all commands, or of some."""
    parser = Parser(
        prog=output.PROGRAM,
        description="Find out which CUDA build an installer picks for a machine, and why; build, "
        "check and publish wheel variants.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__} (tables of {READ})"
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        module = importlib.import_module(f"nvidia_variant_provider.tools.cli.cmd_{name}")
        command = module.add_parser(subparsers)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; 2 for misuse and unreadable input.

    The code is the command's verdict, whether or not somebody reads the output to its end.
    """
    output.prepare_streams()
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            output.flush()
    except BrokenPipeError:
        # Help, which argparse prints itself.
        return EXIT_OK
    except OSError as error:
        output.fail("", f"standard output: {error.strerror}")
        return EXIT_MISUSE
    except KeyboardInterrupt:
        output.interrupted()
        return EXIT_INTERRUPTED
    finally:
        output.discard_unwritable()


def _run(words: Sequence[str]) -> int:
    if not words:
        build_parser().print_help()
        return EXIT_OK
    if not words[0].startswith("-") and module_of(words[0]) is None:
        output.fail("", unknown_command(words[0]))
        return EXIT_MISUSE
    args = build_parser(_named(words)).parse_args(words)
    try:
        return int(args.run(args))
    except BrokenPipeError:
        raise
    except Exception as error:
        from nvidia_variant_provider.tools.cli import faults

        if faults.is_interrupt(error):
            raise KeyboardInterrupt from error
        if faults.wants_traceback():
            import traceback

            traceback.print_exc()
        output.fail(args.command, faults.words_for(error))
        if hint := getattr(error, "hint", ""):
            output.hint(hint)
        return EXIT_MISUSE


def module_of(command: str) -> str | None:
    """Return the name of a command's module: ``torch_backend`` for ``torch-backend``."""
    return next((name for name in COMMANDS if name.replace("_", "-") == command), None)


def unknown_command(word: str) -> str:
    """Say that there is no such command, and which one was perhaps meant."""
    names = [name.replace("_", "-") for name in COMMANDS]
    near = meant(word, names)
    return f"unknown command {word[:60]!r}{near or '; there are ' + ', '.join(names)}"


def _named(words: Sequence[str]) -> Sequence[str]:
    """Return the command that is called, or all where that is not plain: each costs its imports."""
    called = module_of(words[0])
    return COMMANDS if called is None else (called,)
