"""The parser of commands: whole options only, and an error that names what was perhaps meant."""

from __future__ import annotations

import argparse
import itertools
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from _typeshed import SupportsWrite

MISUSE: Final = 2
# More choices than that are no help in a line.
_FEW: Final = 20


class Help(argparse.HelpFormatter):
    """Wraps descriptions to the terminal, and keeps the lines of examples and of lists."""

    # argparse has no public way; its own raw formatter overrides the same method.
    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        from nvidia_variant_provider.tools.cli.wrapping import reflow

        return reflow(text, width)


class Parser(argparse.ArgumentParser):
    """A parser whose commands explain themselves: their own usage, and near names.

    An option is never abbreviated: ``--out`` would change its meaning with the next option that
    starts so.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - argparse's own
        settings.setdefault("allow_abbrev", False)
        settings.setdefault("formatter_class", Help)
        super().__init__(*args, **settings)
        self._words: tuple[str, ...] = ()

    # argparse would collect what a command does not know and blame it on the whole program.
    def parse_known_args(  # type: ignore[override] # the overloads differ by release
        self,
        args: Sequence[str] | None = None,
        namespace: Any = None,  # noqa: ANN401 - as there
    ) -> tuple[Any, list[str]]:
        """Parse; end with the usage of this command where a word is unknown."""
        self._words = tuple(sys.argv[1:] if args is None else args)
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown_option() or f"unexpected argument {unknown[0][:60]!r}")
        return parsed, unknown

    def _unknown_option(self) -> str:
        """Name the first option that this command does not have; empty if it has them all."""
        options = self._option_string_actions

        def is_own(word: str) -> bool:
            # What follows the name of a command is the command's.
            return word != "--" and (self._subparsers is None or word.startswith("-"))

        for word in itertools.takewhile(is_own, self._words):
            name = word.partition("=")[0]
            if name.startswith("--") and name not in options:
                return f"unknown option {name[:60]!r}{meant(name, options)}"
        return ""

    # Private, and the one place where the value and the choices are at hand as values.
    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401 - as there
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            shown = f"; there are {', '.join(choices)}" if len(choices) <= _FEW else ""
            near = meant(str(value), choices)
            text = f"unknown value {str(value)[:60]!r}{near or shown}"
            raise argparse.ArgumentError(action, text)

    # argparse forgets what cannot be written, such as help on a full disk.
    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        from nvidia_variant_provider.tools.cli import output

        if file is sys.stdout:
            output.write(message)
        else:
            super()._print_message(message, file)

    def error(self, message: str) -> NoReturn:
        """Print the usage of this command and the message, and end with code 2.

        A misspelt option is named before what is missing: the words of a command line that it
        swallowed may be just that.
        """
        from nvidia_variant_provider.tools.cli import output

        message = self._unknown_option() or message
        self.print_usage(output.stderr())
        command = self.prog.removeprefix(output.PROGRAM).strip()
        output.fail(command, message)
        self.exit(MISUSE)


def meant(word: str, names: Iterable[str]) -> str:
    """Return ``; did you mean --json?`` for the nearest name; empty if none is near."""
    import difflib

    near = difflib.get_close_matches(word, list(names), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
