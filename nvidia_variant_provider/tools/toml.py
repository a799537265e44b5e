"""The one reader of TOML: the standard library's, or its backport where Python is older."""

from __future__ import annotations

import sys
from typing import Any


def parse_toml(data: bytes) -> dict[str, Any]:
    """Return the tables of a file; raises ``ValueError`` for what is no TOML in UTF-8.

    The parser is imported here: most commands never see such a file.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    tables: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    return tables
