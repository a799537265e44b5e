"""What every script that generates files does in the end: write them, or say what has drifted."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


def run(
    about: str | None,
    render: Callable[[], Mapping[Path, str]],
    owned: Iterable[Path] = (),
) -> int:
    """Write the files that ``render`` returns, or with ``--check`` only compare them.

    Of the ``owned`` files those that are no longer generated are removed. Returns 1 when
    ``--check`` finds a difference, else 0.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on drift")
    check: bool = parser.parse_args().check
    wanted = render()
    stale = [path for path, text in wanted.items() if not _holds(path, text)]
    stale += sorted(set(owned) - set(wanted))
    for path in stale:
        sys.stderr.write(f"{'differs' if check else 'written'}: {path.name}\n")
        if not check:
            _bring_up_to_date(path, wanted.get(path))
    return int(check and bool(stale))


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def _bring_up_to_date(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
