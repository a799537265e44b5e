"""Requirements and constraints files: their lines, those of the files they include too.

What such a file names beats every setting from outside, indexes too.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.command_line import plain_words
from nvidia_variant_provider.tools.installers.index_options import BOOLEAN, VALUED
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# The plurals are uv's names of the same.
_REQUIREMENTS: Final = frozenset({"-r", "--requirement", "--requirements", "--with-requirements"})
_CONSTRAINTS: Final = frozenset(
    {"-c", "--constraint", "--constraints", "--override", "--overrides"}
)
_FILES: Final = _REQUIREMENTS | _CONSTRAINTS
# Commands whose arguments are such files: ``uv pip sync``, ``pip-compile``.
_TAKE_FILES: Final = frozenset({"sync", "compile", "pip-compile", "pip-sync"})
_DEPTH: Final = 8
_MOST_FILES: Final = 100
_MOST_BYTES: Final = 1 << 20
_TRUE: Final = frozenset({"1", "true", "yes", "on", "y", "t"})


@dataclass(frozen=True, slots=True)
class FileLine:
    """A line of a file without its comment, with its place for messages.

    ``is_constraint`` says that the file constrains what is required elsewhere.
    """

    path: str
    number: int
    text: str
    is_constraint: bool = False

    @property
    def option(self) -> str:
        """The first word: ``--hash``, ``-r``, or a requirement."""
        return re.split(r"[\s=]", self.text, maxsplit=1)[0]


def requires_hashes(words: Sequence[str], environ: Mapping[str, str], cwd: str) -> bool:
    """Tell whether a command checks hashes: by option, by variable, or in a requirements file."""
    names = ("PIP_REQUIRE_HASHES", "UV_REQUIRE_HASHES")
    if "--require-hashes" in words or any(environ.get(name, "").lower() in _TRUE for name in names):
        return True
    return any("--hash" in line.text for line in lines_of(files_of(words), cwd))


def check_requirements(words: Sequence[str], cwd: str) -> None:
    """Raise ``InvalidValueError`` for a requirements file that names indexes: it beats the view."""
    check_lines(files_of(words), cwd)


def check_lines(files: Iterable[tuple[str, bool]], cwd: str) -> None:
    """Raise ``InvalidValueError`` for the first line of files that names an index."""
    for line in lines_of(files, cwd):
        option = line.option
        if option in VALUED or option in BOOLEAN:
            raise InvalidValueError(
                f"{line.path}, line {line.number}: {option} beats every index that is set outside"
                " of the file, so this command would not see the view; delete the line, and name"
                " an index that is needed on the command line"
            )


def files_of(words: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the files that a command names, and whether each one constrains only."""
    for index, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in _FILES:
            following = "".join(words[index + 1 : index + 2])
            yield (value if equals else following), option in _CONSTRAINTS
        elif word[:2] in _FILES and not word.startswith("--"):
            yield word[2:], word[:2] in _CONSTRAINTS
    named = [at for at, word in enumerate(words[:3], 1) if word in _TAKE_FILES]
    for word in plain_words(words[named[0] :] if named else ()):
        yield word, False


def lines_of(paths: Iterable[tuple[str, bool]], folder: str) -> Iterator[FileLine]:
    """Yield the lines of files and of those that they include, each file once.

    Files that are not there, addresses, TOML and scripts are left to the installer. Of a file the
    first megabyte is read, and a hundred files in all.
    """
    seen: set[str] = set()
    for path, is_constraint in paths:
        yield from _lines(path, folder, seen, is_constraint, 0)


def _lines(
    path: str,
    folder: str,
    seen: set[str],
    is_constraint: bool,  # noqa: FBT001 - handed down
    depth: int,
) -> Iterator[FileLine]:
    full = os.path.join(folder, path)
    is_other = not path or "://" in path or path.endswith((".toml", ".py", ".cfg"))
    if depth > _DEPTH or is_other or full in seen or not os.path.isfile(full):
        return
    if len(seen) >= _MOST_FILES:
        return
    seen.add(full)
    with open(full, encoding="utf-8", errors="replace") as file:
        text = file.read(_MOST_BYTES)
    for number, joined in _joined(text):
        line = FileLine(path, number, joined, is_constraint)
        yield line
        if line.option in _FILES:
            inner = "".join(re.split(r"[\s=]+", line.text, maxsplit=1)[1:]).strip()
            constrains = is_constraint or line.option in _CONSTRAINTS
            yield from _lines(inner, os.path.dirname(full), seen, constrains, depth + 1)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers as pip reads them: one that ends in a backslash goes on."""
    begun, since = "", 0
    for number, line in enumerate((*text.splitlines(), ""), 1):
        since = since if begun else number
        begun += re.sub(r"(^|\s)#.*", "", line)
        if begun.endswith("\\"):
            begun = f"{begun[:-1]} "
            continue
        if begun.strip():
            yield since, begun.strip()
        begun = ""
