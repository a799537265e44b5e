"""Everything a command prints: tables and words for people, JSON for programs, errors.

Data goes to stdout, diagnostics to stderr. Colours follow ``NO_COLOR`` and the terminal, widths
follow the terminal or ``COLUMNS``: both are left to rich.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

TOOLS_PACKAGES: Final = frozenset({"distributed", "packaging", "pydantic", "rich", "variantlib"})


def console(*, stderr: bool = False) -> Console:
    """Return the console that tables and styled text are printed on."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def emit_json(document: Mapping[str, object]) -> None:
    """Print one JSON document, indented, with a final newline."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def emit_lines(lines: Iterable[str]) -> None:
    """Print plain lines."""
    for line in lines:
        sys.stdout.write(line + "\n")


def emit_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None
) -> None:
    """Print a table; cells are plain text, never markup."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


def one_line(text: str) -> str:
    """Return text from elsewhere fit for a terminal: one line, nothing that moves the cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def warn(message: str) -> None:
    """Print a warning on stderr."""
    sys.stderr.write(f"warning: {message}\n")


def note(message: str) -> None:
    """Print a remark on stderr."""
    sys.stderr.write(f"note: {message}\n")


def fail(message: str) -> None:
    """Print an error on stderr; the caller chooses the exit code."""
    sys.stderr.write(f"error: {message}\n")
