"""Parsed files: the one reader of TOML, and JSON or TOML values taken as far as they go.

Strict readers, which name what is wrong, are in ``json_fields``; ``mapping`` and ``texts`` here are
for whoever looks past a wrong value, because another check or the file's own tool reports it.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# The parser's work grows with the square of a key's parts: one of 100 KB takes half a minute.
_MOST_PARTS: Final = 200
# Parts of a dotted key, bare or quoted. Texts of dotted words match as well, which does not matter.
_DOTTED: Final = re.compile(
    r"""(?:(?<![\w-])[\w-]+[ \t]*\.[ \t]*|"[^"\n]*"[ \t]*\.[ \t]*|'[^'\n]*'[ \t]*\.[ \t]*)+"""
)


def parse_toml(data: bytes) -> dict[str, Any]:
    """Return the tables of a file; raises ``ValueError`` for what is no TOML in UTF-8.

    A key of more than two hundred parts is none, either. The parser is imported here: most commands
    never see such a file.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    text = data.decode("utf-8")
    if any(run[0].count(".") >= _MOST_PARTS for run in _DOTTED.finditer(text)):
        raise ValueError(f"a key of more than {_MOST_PARTS} parts")
    tables: dict[str, Any] = tomllib.loads(text)
    return tables


def mapping(value: object) -> Mapping[str, object]:
    """Return an object or table as it is, and everything else as an empty one."""
    return value if isinstance(value, dict) else {}


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of an array; empty for everything else."""
    elements = value if isinstance(value, list) else ()
    return tuple(element for element in elements if isinstance(element, str))
