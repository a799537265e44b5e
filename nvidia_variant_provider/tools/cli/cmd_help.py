"""``help``: the help of the program, or of one of its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError

if TYPE_CHECKING:
    import argparse

_EPILOG: Final = """\
examples:
  nvidia-variant-provider help
  nvidia-variant-provider help explain

exit codes:
  0  shown
  2  no such command
"""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "help",
        help="show help for a command",
        description="Show the help of a command, or the list of commands.",
        epilog=_EPILOG,
    )
    parser.add_argument("topic", nargs="?", metavar="COMMAND", help="a command, such as explain")
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the help."""
    from nvidia_variant_provider.tools.cli import main

    if args.topic is None:
        main.build_parser().print_help()
        return 0
    module = main.module_of(args.topic)
    if module is None:
        raise InvalidValueError(main.unknown_command(args.topic))
    main.build_parser((module,)).parse_args([args.topic, "--help"])
    return 0
