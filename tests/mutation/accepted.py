"""Reads the survivors that were looked at and accepted, each with its reason."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE: Final = Path(__file__).parent / "accepted.toml"


class Name(NamedTuple):
    """What a mutant is called; two that no reader can tell apart share a name."""

    module: str
    within: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.module}, {self.within}:\n    - {self.before}\n    + {self.after}"


# In the place of the changed line: whatever it becomes.
ANY: Final = "*"


def read(module: str | None = None) -> dict[Name, str]:
    """Return the accepted survivors of a module, or of all, with the reason of each.

    A line of ``lines`` stands for all its mutants: a limit, of which no exact value is promised.
    """
    entries = tomllib.loads(FILE.read_text("utf-8"))["accepted"]
    found: dict[Name, str] = {}
    for entry in entries:
        lines = [(line, ANY) for line in entry.get("lines", [])]
        for before, after in [*entry.get("changes", []), *lines]:
            name = Name(entry["module"], entry["within"], before, after)
            if name in found:
                raise ValueError(f"accepted twice: {name}")
            found[name] = entry["reason"]
    return found if module is None else {it: found[it] for it in found if it.module == module}


def entry_for(name: Name, entries: dict[Name, str]) -> Name | None:
    """Return the entry that accepts a survivor; ``None`` if none does."""
    return next((it for it in (name, name._replace(after=ANY)) if it in entries), None)
