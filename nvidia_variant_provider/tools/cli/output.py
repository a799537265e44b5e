"""Everything a command prints: tables and words for people, JSON and CSV for programs, errors.

Data goes to stdout, diagnostics to stderr. Colours follow ``NO_COLOR``, ``FORCE_COLOR`` and
``TERM``, which rich reads; widths follow the terminal or ``COLUMNS``. Text from elsewhere (names
of files, of wheel members, of GPUs) may hold anything: no control character of it is printed.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from enum import Enum
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pydantic import BaseModel
    from rich.console import Console

PROGRAM: Final = "nvidia-variant-provider"

_WIDEST: Final = 120
# A file or a pipe has no width: nothing is folded there, so that grep finds whole names.
_ENDLESS: Final = 1 << 20
# In a pipe a column is padded up to this; a longer cell stands as it is.
_ALIGNED: Final = 32
_ON_ERROR: Final = "nvidia-variant-provider"
_ASCII: Final = {"│": "|", "├": "|", "└": "`", "─": "-", "…": "..."}


def prepare_streams() -> None:
    """Let both streams take any text, whatever the encoding of the terminal, pipe or file."""
    codecs.register_error(_ON_ERROR, _spell)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Started with the stream closed, as a shell's >&- does.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as stdout
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ON_ERROR)


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Spell what an encoding lacks: the lines of a tree in ASCII, all else as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_ASCII.get(letter) or _escaped(letter) for letter in missing), error.end


def flush() -> None:
    """Write out what was printed; a reader that has left is no reason to stop."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)


def write(text: str) -> None:
    """Print text as it is. Once the reader (head, grep -q) has left, the rest goes nowhere.

    The command goes on, as its exit code is its verdict, whoever reads.
    """
    try:
        with _named():
            sys.stdout.write(text)
    except BrokenPipeError:
        _discard(sys.stdout)


@contextlib.contextmanager
def _named() -> Iterator[None]:
    """Let an error of writing say that it is of standard output, as the disk may be full."""
    try:
        yield
    except OSError as error:
        error.filename = "standard output"
        raise


def stderr() -> TextIO:
    """Return standard error, with all that was printed before in front of it."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    return sys.stderr


def discard_unwritable() -> None:
    """Forget what a stream does not take any more: Python would try once more at exit, and tell."""
    _discard(sys.stdout)
    _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def emit_json(document: Mapping[str, object]) -> None:
    """Print one JSON document, indented, in ASCII, with a final newline."""
    import json

    write(json.dumps(document, indent=2) + "\n")


def emit_document(document: BaseModel) -> None:
    """Print a document of a tool; every command does it here."""
    emit_json(document.model_dump(mode="json"))


def emit_lines(lines: Iterable[str]) -> None:
    """Print lines as they are: what is pasted, or what a program reads."""
    for line in lines:
        write(one_line(line) + "\n")


def emit_text(lines: Iterable[str]) -> None:
    """Print sentences; on a terminal they wrap at words."""
    emit_toned((None, line) for line in lines)


class Tone(Enum):
    """What a colour means, as ANSI code; a terminal without colours shows the words alone."""

    BAD = "31"
    WARNING = "33"
    GOOD = "32"
    FAINT = "2"


_DUMB: Final = frozenset({"dumb", "unknown"})
_STYLES: Final = {Tone.BAD: "red", Tone.WARNING: "yellow", Tone.GOOD: "green", Tone.FAINT: "dim"}


def emit_toned(lines: Iterable[tuple[Tone | None, str]]) -> None:
    """Print sentences, each in the colour of its meaning where the terminal has colours.

    On a terminal they wrap at words.
    """
    for tone, line in lines:
        write(_toned(_wrapped(one_line(line), sys.stdout), tone, sys.stdout) + "\n")


def _toned(text: str, tone: Tone | None, stream: TextIO) -> str:
    return f"\x1b[{tone.value}m{text}\x1b[0m" if tone and has_colours(stream) else text


def has_cursor(stream: TextIO) -> bool:
    """Tell whether a line of a stream can be written over: a terminal that is not dumb."""
    return stream.isatty() and os.environ.get("TERM") not in _DUMB


def has_colours(stream: TextIO) -> bool:
    """Tell whether a stream shows colours, by the conventions that rich follows, too."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") in _DUMB:
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def console(*, stderr: bool = False) -> Console:
    """Return the console for what only rich can print; a table has ``emit_table``."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            # rich would end the program with 1.
            _discard(sys.stdout)

    stream = sys.stderr if stderr else sys.stdout
    # Both, as rich takes a dumb terminal for 80 columns where it does not know the height.
    size = _terminal_size() if _is_bounded(stream) else (_ENDLESS, 25)
    return Quiet(stderr=stderr, highlight=False, width=size[0], height=size[1])


def has_rich() -> bool:
    """Tell whether rich is there: some commands need no extra, and print plain rows without it."""
    try:
        import rich  # noqa: F401 - not "find_spec": what is there may still not import
    except ModuleNotFoundError:
        return False
    return True


def _is_bounded(stream: TextIO) -> bool:
    return stream.isatty() or bool(os.environ.get("COLUMNS"))


def emit_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str | None = None,
    tone: Callable[[Sequence[str]], Tone | None] = lambda _row: None,
) -> None:
    """Print a table; cells are plain text, never markup. Without columns it has no heading.

    On a terminal it is as wide as that, and long cells wrap at words. In a pipe a row is one line,
    and what is long belongs into the last column, which nothing is padded to. ``tone`` gives the
    colour of a row.
    """
    shown = [tuple(one_line(cell) for cell in row) for row in rows]
    if not _is_bounded(sys.stdout) or not has_rich():
        emit_lines([title] if title else ())
        _emit_rows((columns, *shown) if columns else shown, tone)
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    caption = None if title is None else Text(one_line(title), "table.title")
    table = Table(
        title=caption,
        box=SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_header=bool(columns),
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in shown:
        meaning = tone(row)
        table.add_row(*map(Text, row), style=_STYLES[meaning] if meaning else None)
    with _named():
        console().print(table)


def _emit_rows(rows: Sequence[Sequence[str]], tone: Callable[[Sequence[str]], Tone | None]) -> None:
    """Print rows as aligned columns; a cell wider than most does not push the others away."""
    inner = [*zip(*rows, strict=True)][:-1]
    widths = [min(max(map(len, column)), _ALIGNED) for column in inner]
    emit_toned(
        (
            tone(row),
            "  ".join(
                (*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1])
            ).rstrip(),
        )
        for row in rows
    )


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 wheel``, ``2 wheels``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def text_width() -> int:
    """Return how wide running text may be: the terminal, 80 without one, 120 at most."""
    return min(_WIDEST, _terminal_size().columns)


def _terminal_size() -> os.terminal_size:
    # Most commands write no text that has to be wrapped.
    import shutil

    return shutil.get_terminal_size()


def one_line(text: str) -> str:
    r"""Return text from elsewhere fit for a terminal: one line, nothing that moves the cursor.

    What is not printable is escaped as Python does, a file name's newline as ``\n``, a byte that
    is no UTF-8 as ``\udcff``.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def warn(message: str) -> None:
    """Print a warning on stderr."""
    _say("warning: ", message, Tone.WARNING)


def note(message: str) -> None:
    """Print a remark on stderr."""
    _say("note: ", message)


def hint(message: str) -> None:
    """Print on stderr what would help, such as a command to paste."""
    _say("hint: ", message)


def fail(command: str, message: str) -> None:
    """Print an error of a command on stderr; the caller chooses the exit code."""
    _say(f"{PROGRAM} {command}".rstrip() + ": error: ", message, Tone.BAD)


def interrupted() -> None:
    """Say in one line that Ctrl-C ended the command."""
    _say("interrupted", "")


def _say(head: str, message: str, tone: Tone | None = None) -> None:
    # In a log both streams arrive in one file: what was printed before comes before.
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        text = _wrapped(one_line(head + without_credentials(message)), sys.stderr)
        sys.stderr.write(_toned(text[: len(head)], tone, sys.stderr) + text[len(head) :] + "\n")


def without_credentials(text: str) -> str:
    """Return a text in which no address shows a user name or a password."""
    if "@" not in text or "//" not in text:
        return text
    from nvidia_variant_provider.tools.releases.logins import redacted

    return redacted(text)


def _wrapped(line: str, stream: TextIO) -> str:
    """Wrap a line at words on a terminal; nothing that can be copied is cut in two."""
    if not stream.isatty():
        return line
    from nvidia_variant_provider.tools.cli.wrapping import wrap

    return wrap(line, _terminal_size().columns)
