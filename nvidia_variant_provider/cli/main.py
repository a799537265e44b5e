"""The command ``nvidia-variant-provider``: its parser, dispatch, and errors to exit codes."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import __version__
from nvidia_variant_provider.cli import output
from nvidia_variant_provider.errors import ProviderError

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
    "inspect",
    "verify",
    "survey",
    "tag",
    "untag",
    "lint",
    "convert",
    "index",
    "conformance",
)

EXIT_OK: Final = 0
EXIT_FINDINGS: Final = 1
EXIT_MISUSE: Final = 2


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="nvidia-variant-provider",
        description="What variant-aware installers learn about the NVIDIA GPUs of a machine.",
        epilog="Every command has examples: nvidia-variant-provider COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"nvidia_variant_provider.cli.cmd_{name}")
        module.add_parser(subparsers).set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; 2 for misuse and unreadable input."""
    args = build_parser().parse_args(argv)
    try:
        code = args.run(args)
        sys.stdout.flush()
    except ProviderError as error:
        output.fail(str(error))
        return EXIT_MISUSE
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in output.TOOLS_PACKAGES:
            raise
        output.fail(
            f"this command needs the package {error.name!r}: "
            "pip install 'nvidia-variant-provider[tools]'"
        )
        return EXIT_MISUSE
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Python flushes stdout once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        return 130
    return int(code)
