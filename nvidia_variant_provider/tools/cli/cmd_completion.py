"""``completion``: what a shell needs to complete commands, options, files and targets."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPILOG: Final = """\
The script is made from the options of this release: make it again after an upgrade.

examples:
  nvidia-variant-provider completion bash > \\
    ~/.local/share/bash-completion/completions/nvidia-variant-provider
  nvidia-variant-provider completion zsh > ~/.zfunc/_nvidia-variant-provider
  nvidia-variant-provider completion fish > ~/.config/fish/completions/nvidia-variant-provider.fish

bash reads the file at the next TAB if the package bash-completion is there, else source it from
~/.bashrc. zsh needs two lines in ~/.zshrc: fpath+=~/.zfunc and: autoload -U compinit && compinit.
For PowerShell add this line to $PROFILE (the script is untested in PowerShell itself):
  nvidia-variant-provider completion powershell | Out-String | Invoke-Expression

exit codes:
  0  printed
  2  usage error
"""
_POWERSHELL: Final = "powershell"
_SHELLS: Final = ("bash", "zsh", "fish", "tcsh", _POWERSHELL)

# What an argument takes is told by its metavar, here as in --help.
_FILES: Final = frozenset({"CASES", "FILE", "PATH", "SOURCE", "WHEEL"})
_FOLDERS: Final = frozenset({"DIR", "OUT"})
_TARGET: Final = "NAME[@DRIVER]"
_CODE: Final = "CODE"
# Of 'targets': a target is looked up with "show NAME".
_WORD: Final = "WORD"


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "completion",
        help="print a script for TAB completion in a shell",
        description="Print a script that makes a shell complete commands, options, their choices, "
        "files, the names of targets and codes.",
        epilog=_EPILOG,
    )
    parser.add_argument("shell", choices=_SHELLS, metavar="SHELL", help=", ".join(_SHELLS))
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    from nvidia_variant_provider.tools.cli.main import build_parser

    output.write(script(build_parser(), args.shell) + "\n")
    return 0


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the completion script of a parser and all its commands for a shell."""
    import shtab

    known = _known(parser)
    if shell == _POWERSHELL:
        from nvidia_variant_provider.tools.cli.powershell import completion_script

        return completion_script(_commands(parser), known)
    for action in _actions(parser):
        if action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined] # where shtab looks
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined] # where shtab looks
        elif id(action) in known:
            action.choices = known[id(action)]
    text = str(shtab.complete(parser, shell))
    # shtab 1.13 lets zsh complete only the first of an argument that may be repeated.
    return text.replace('"(*)::', '"*:').replace('"(*):', '"*:') if shell == "zsh" else text


def _known(parser: argparse.ArgumentParser) -> dict[int, list[str]]:
    """Return the words that arguments take, by the identity of the argument."""
    from nvidia_variant_provider.targets.devices import products
    from nvidia_variant_provider.tools.findings import code_pages as codes

    names = [device.name for device in products()]
    words = {_TARGET: names, _CODE: list(codes.sections()), _WORD: ["show", *names]}
    return {
        id(action): words[action.metavar]
        if action.metavar in words
        else [str(choice) for choice in action.choices or ()]
        for action in _actions(parser)
        if isinstance(action.metavar, str | None)
        and (action.metavar in words or _has_choices(action))
    }


def _has_choices(action: argparse.Action) -> bool:
    is_commands = isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - as shtab reads them
    return action.choices is not None and not is_commands


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the commands by name."""
    return next(
        dict(action.choices)
        for action in parser._actions  # noqa: SLF001 - as shtab reads them
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - as shtab reads them
    )


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its commands; argparse names them privately only."""
    for action in parser._actions:  # noqa: SLF001 - as shtab reads them
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as shtab reads them
            for command in action.choices.values():
                yield from _actions(command)
