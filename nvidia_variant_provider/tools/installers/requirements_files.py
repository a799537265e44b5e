"""Requirements files of a command: what they name beats every setting from outside."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.installers.configured import BOOLEAN, VALUED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_FILES: Final = frozenset({"-r", "--requirement", "-c", "--constraint"})
_DEPTH: Final = 8
_TRUE: Final = frozenset({"1", "true", "yes", "on", "y", "t"})


def requires_hashes(words: Sequence[str], environ: Mapping[str, str], cwd: str) -> bool:
    """Tell whether a command checks hashes: by option, by variable, or in a requirements file."""
    names = ("PIP_REQUIRE_HASHES", "UV_REQUIRE_HASHES")
    if "--require-hashes" in words or any(environ.get(name, "").lower() in _TRUE for name in names):
        return True
    return any("--hash" in _text_of(os.path.join(cwd, path)) for path in _files_of(words))


def check_requirements(words: Sequence[str], cwd: str) -> None:
    """Raise ``InvalidValueError`` for a requirements file that names indexes: it beats the view."""
    for path in _files_of(words):
        _check_file(path, cwd, 0)


def _files_of(words: Sequence[str]) -> Iterator[str]:
    for index, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in _FILES:
            yield value if equals else "".join(words[index + 1 : index + 2])
        elif word[:2] in _FILES and not word.startswith("--"):
            yield word[2:]


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _check_file(path: str, folder: str, depth: int) -> None:
    full = os.path.join(folder, path)
    if depth > _DEPTH or not path or "://" in path or not os.path.isfile(full):
        return
    with open(full, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            text = re.sub(r"(^|\s)#.*", "", line).strip()
            option = re.split(r"[\s=]", text, maxsplit=1)[0]
            if option in VALUED or option in BOOLEAN:
                raise InvalidValueError(
                    f"{path}, line {number}: {option} beats every index that is set outside of the"
                    f" file, so this command would not see the view; delete the line, or name the"
                    " index on the command line"
                )
            if option in _FILES:
                inner = re.split(r"[\s=]+", text, maxsplit=1)[1:]
                _check_file("".join(inner).strip(), os.path.dirname(full), depth + 1)
