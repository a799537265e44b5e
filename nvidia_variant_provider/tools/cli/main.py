"""The command ``nvidia-variant-provider``: its parser, dispatch, and errors to exit codes."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.cli import faults, output

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each name is a module ``cmd_<name>`` in this package with ``add_parser(subparsers)`` and
# ``run(args)``. The order is that of ``--help``.
COMMANDS: Final = (
    "detect",
    "properties",
    "targets",
    "run",
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
    "code",
    "conformance",
    "completion",
)

EXIT_OK: Final = 0
EXIT_MISUSE: Final = 2
EXIT_INTERRUPTED: Final = 130

_EPILOG: Final = """\
Data goes to stdout, diagnostics to stderr; where a program reads, --json prints one document.
Every command has examples: nvidia-variant-provider COMMAND --help

exit codes:
  0    done
  1    done, and the answer is no: findings, nothing supported (each command says what)
  2    not done: misuse, input that cannot be read, or a fault of ours
  130  interrupted
  detect ends with 3 and 4 for machines without a working GPU; run ends as its command does

environment:
  NO_COLOR, FORCE_COLOR, TERM, COLUMNS  colours and widths
  NV_VARIANT_PROVIDER_DEBUG=1           print the traceback of an error, too

TAB completes commands, options, files and targets once the shell has read the output of
nvidia-variant-provider completion SHELL; see its --help.
"""


def build_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of all commands, or of some."""
    parser = argparse.ArgumentParser(
        prog=output.PROGRAM,
        description="What variant-aware installers learn about the NVIDIA GPUs of a machine.",
        epilog=_EPILOG,
        formatter_class=Help,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        module = importlib.import_module(f"nvidia_variant_provider.tools.cli.cmd_{name}")
        command = module.add_parser(subparsers)
        command.set_defaults(run=module.run)
        command.formatter_class = Help
    return parser


class Help(argparse.HelpFormatter):
    """Wraps descriptions to the terminal and leaves a text of several lines as it is written."""

    # argparse has no public way; its own raw formatter overrides the same method.
    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; 2 for misuse and unreadable input."""
    output.prepare_streams()
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        return EXIT_OK
    except OSError as error:
        output.fail("", f"standard output: {error.strerror}")
        return EXIT_MISUSE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        output.discard_unwritable()


def _run(argv: Sequence[str] | None) -> int:
    words = sys.argv[1:] if argv is None else argv
    args = build_parser(_named(words)).parse_args(words)
    try:
        return int(args.run(args))
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - a person gets one line, whatever it is
        if faults.wants_traceback():
            traceback.print_exc()
        output.fail(args.command, faults.words_for(error))
        return EXIT_MISUSE


def _named(words: Sequence[str]) -> Sequence[str]:
    """Return the command that is called, or all where that is not plain: each costs its imports."""
    called = [name for name in COMMANDS if words and words[0] == name.replace("_", "-")]
    return called or COMMANDS
