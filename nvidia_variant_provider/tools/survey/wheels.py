"""Which wheels a survey is about: those below folders, and those that lists name."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SUFFIX: Final = ".whl"
_STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file as it was found: while size and time stay, its result stays true.

    ``path`` is absolute. ``problem`` says why it could not even be looked up; size and time are
    ``None`` then.
    """

    path: str
    size: int | None
    mtime_ns: int | None
    problem: str = ""

    @property
    def name(self) -> str:
        """The path as results spell it: in UTF-8, other bytes escaped."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")

    @classmethod
    def of(cls, path: str) -> Wheel:
        """Look a path up; what is not there is a wheel with a problem."""
        path = os.path.abspath(path)
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:
            return cls(path, None, None, getattr(error, "strerror", None) or str(error))
        # A pipe or a device would never end.
        if not stat.S_ISREG(status.st_mode):
            return cls(path, None, None, "not a file")
        return cls(path, status.st_size, status.st_mtime_ns)


def find_wheels(paths: Iterable[str], lists: Iterable[str]) -> list[Wheel]:
    """Return every wheel once, the largest first, so that no worker ends with a big one alone.

    ``paths`` are wheels or folders, ``lists`` are files with a path a line, ``-`` is standard
    input. Raises ``InvalidValueError`` for a path that is not there; in a list it is a result.
    """
    wheels: dict[str, Wheel] = {}
    for path in paths:
        if not os.path.exists(path):
            raise InvalidValueError(f"{path}: {missing(str(path))}")
        wheels.update((wheel.path, wheel) for wheel in _below(path))
    for name in lists:
        for path in _lines(name):
            wheels.update((wheel.path, wheel) for wheel in _below(path))
    return sorted(wheels.values(), key=lambda wheel: (-(wheel.size or 0), wheel.path))


def _below(path: str) -> Iterator[Wheel]:
    if not os.path.isdir(path):
        yield Wheel.of(path)
        return
    errors: list[OSError] = []
    # Links to folders are not followed: they could lead in circles.
    for root, folders, names in os.walk(path, onerror=errors.append):
        folders.sort()
        for name in names:
            if name.endswith(_SUFFIX):
                yield Wheel.of(os.path.join(root, name))
    for error in errors:
        place = os.path.abspath(error.filename or path)
        yield Wheel(place, None, None, error.strerror or str(error))


def _lines(name: str) -> list[str]:
    try:
        if name == _STDIN:
            data = sys.stdin.buffer.read()
        else:
            with open(name, "rb") as file:
                data = file.read()
    except OSError as error:
        raise InvalidValueError(f"{name}: {error.strerror}") from error
    if b"\0" in data:
        raise InvalidValueError(f"{name}: holds NUL bytes; expected a list with one path a line")
    return [os.fsdecode(line) for line in data.splitlines() if line.strip()]
