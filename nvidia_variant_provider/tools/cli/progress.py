"""A bar on stderr for commands that take long; nothing at all where stderr is no terminal."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from nvidia_variant_provider.tools.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tell(Protocol):
    """Takes what more is done, and the name of what is being worked at."""

    def __call__(self, more: int, name: str = "", /) -> None:
        """Show it."""


@contextmanager
def bar(title: str, total: int, *, is_bytes: bool = False) -> Iterator[Tell]:
    """Show what of ``total`` is done, and the name of what is in work; yields what is told so.

    The bar is gone at the end, so that what is printed afterwards stands alone.
    """
    if not sys.stderr.isatty():
        yield lambda _more, _name="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    counted = DownloadColumn() if is_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), counted, Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)

        def tell(more: int, name: str = "", /) -> None:
            shown = f"{title} {output.one_line(os.path.basename(name))}" if name else None
            progress.update(task, advance=more, description=shown)

        yield tell
