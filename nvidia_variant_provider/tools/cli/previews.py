"""``--dry-run`` and ``--diff``: what a command would write, while it writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    """One text file: its bytes now and afterwards, ``None`` where there is no such file."""

    path: Path
    before: bytes | None
    after: bytes | None

    @property
    def verb(self) -> str:
        """What happens to the file, after "would"."""
        if self.before is None:
            return "create"
        return "remove" if self.after is None else "change"


def add_preview(parser: argparse._ActionsContainer) -> None:
    """Add ``--dry-run`` and ``--diff``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--dry-run", action="store_true", help="name what would be written, and write nothing"
    )
    group.add_argument(
        "--diff", action="store_true", help="show the changes as a diff, and write nothing"
    )


def is_preview(args: argparse.Namespace) -> bool:
    """Tell whether nothing is to be written."""
    return bool(args.dry_run or args.diff)


def show(changes: Iterable[Change], *, as_diff: bool) -> None:
    """Print a line for each file, or the differences."""
    for change in changes:
        if as_diff:
            output.emit_lines(diff(change))
        else:
            output.emit_text([f"would {change.verb}: {change.path}"])


def diff(change: Change) -> Iterator[str]:
    """Yield the lines of a unified diff, without line ends, in the form that ``patch`` reads."""
    import difflib

    name = str(change.path)
    old, new = (
        (data or b"").decode("utf-8", "replace").splitlines()
        for data in (change.before, change.after)
    )
    before = "/dev/null" if change.before is None else name
    after = "/dev/null" if change.after is None else name
    yield from difflib.unified_diff(old, new, before, after, lineterm="")
