"""Scripts that state what they need (PEP 723), for ``uv run``: they may name indexes, too."""

from __future__ import annotations

import os
import re
from typing import Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.uv_files import without_detours
from nvidia_variant_provider.tools.parsed import mapping, parse_toml

_BLOCK: Final = re.compile(
    rb"^# /// script[ \t\r]*\n((?:#(?:| [^\n]*)\n)+?)# ///[ \t\r]*$", re.MULTILINE
)
_MOST_BYTES: Final = 1 << 20


def check_script(path: str, folder: str) -> None:
    """Raise ``InvalidValueError`` for a script that names an index: uv asks it before the view.

    What is no such script is left to uv.
    """
    full = os.path.join(folder, path)
    if not path or not os.path.isfile(full):
        return
    with open(full, "rb") as file:
        block = _BLOCK.search(file.read(_MOST_BYTES))
    if block is None:
        return
    try:
        tables = parse_toml(re.sub(rb"(?m)^# ?", b"", block[1]))
    except ValueError:
        return
    _, names = without_detours(mapping(mapping(tables.get("tool")).get("uv")))
    if names:
        raise InvalidValueError(
            f"{full}: [tool.uv] of the script sets {', '.join(names)}, which beats every index that"
            " is set outside of the script, so this command would not see the view; delete it, and "
            "name an index that is needed on the command line"
        )
