"""Text at the width of a terminal: lines wrap at words; names and commands stay whole."""

from __future__ import annotations

import itertools
import re
import textwrap
from typing import Final

# What people paste: a command from its first word to the end of its part of the sentence.
_STARTS: Final = (
    r"(?:nvidia-variant-provider [a-z-]+(?=\s|$)|uv (?:pip|venv|run|add|sync|lock) |"
    r"pip (?:install|download) |python3? -m |export [A-Z]|sudo [a-z]|docker (?:run|build) )"
)
_COMMAND: Final = re.compile(
    rf"'{_STARTS}[^']*'|(?:^|(?<=: )|(?<=\bor )){_STARTS}.*?"
    r"(?=\s*$|; |, (?:or|and|else) |\s+\(|\. ['A-Z])"
)
# Stands for a blank inside a command while the text around wraps; no printed text contains it.
_GLUE: Final = "\ue000"
# Words before a column of text, as in "status   broken: ...": what wraps stays in the column.
_COLUMN: Final = re.compile(r"\s*\S.{0,20}?\s{2,}(?=\S)")
_VERBATIM: Final = "examples:"


def wrap(line: str, width: int) -> str:
    """Wrap a line at words, with what follows indented; a long word or command overflows."""
    if len(line) <= width:
        return line
    column = _COLUMN.match(line)
    hang = column.end() if column else len(line) - len(line.lstrip()) + 2
    glued = _COMMAND.sub(lambda match: match[0].replace(" ", _GLUE), line)
    filled = textwrap.fill(
        glued,
        width,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace(_GLUE, " ")


def reflow(text: str, width: int) -> str:
    """Wrap a text of several paragraphs, if it is too wide; its examples stay as they are."""
    lines = text.splitlines()
    if max(map(len, lines), default=0) <= width:
        return text
    blocks = (
        (is_empty, list(group))
        for is_empty, group in itertools.groupby(lines, lambda line: not line.strip())
    )
    return "\n".join(
        line
        for is_empty, block in blocks
        for line in (block if is_empty or block[0] == _VERBATIM else _paragraph(block, width))
    )


def _paragraph(block: list[str], width: int) -> list[str]:
    """Join the lines that are one sentence after another, and wrap each row of a list alone."""
    joined: list[str] = []
    for line in block:
        bare = line.lstrip()
        indent = len(line) - len(bare)
        before = joined[-1] if joined else None
        goes_on = (
            before is not None
            and indent == len(before) - len(before.lstrip())
            and not (_COLUMN.match(bare) or _COLUMN.match(before.lstrip()) or before.endswith(":"))
        )
        if goes_on:
            joined[-1] = f"{before} {bare}"
        else:
            joined.append(line)
    return [wrap(line, width) for line in joined]
