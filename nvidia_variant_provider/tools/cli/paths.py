"""Wheels by file and by folder, as ``tag``, ``untag``, ``inspect``, ``verify`` take them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.files import missing, some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def wheels_of(
    paths: Iterable[str],
    wanted: Callable[[str], bool] = lambda _name: True,
    *,
    all_exist: bool = True,
) -> list[str]:
    """Return the wheels that are named, and those of the folders that are named, each once.

    ``wanted`` chooses by the file's name among the wheels of a folder. Raises
    ``InvalidValueError`` for a folder without such a wheel and, unless whoever asks sees to it
    file by file (``all_exist=False``), for a path that does not exist, saying what is there.
    """
    wheels: dict[str, None] = {}
    for path in paths:
        if os.path.isdir(path):
            wheels.update(dict.fromkeys(_in_folder(path, wanted)))
        elif os.path.exists(path) or not all_exist:
            wheels[path] = None
        else:
            raise InvalidValueError(f"{path}: {missing(path)}")
    return list(wheels)


def wheels_in(folder: str) -> list[str]:
    """Return the wheels in a folder, by name; empty for every other path."""
    if not os.path.isdir(folder):
        return []
    names = sorted(name for name in os.listdir(folder) if name.endswith(".whl"))
    return [os.path.join(folder, name) for name in names]


def has_label(name: str) -> bool:
    """Tell whether a file name is that of a variant; a name that is no wheel's says so later."""
    from nvidia_variant_provider.tools.wheels.name import WheelName

    try:
        return bool(WheelName.parse(name).label)
    except InvalidValueError:
        return True


def _in_folder(folder: str, wanted: Callable[[str], bool]) -> list[str]:
    wheels = wheels_in(folder)
    chosen = [path for path in wheels if wanted(os.path.basename(path))]
    if not chosen:
        there = f"; there is {some([os.path.basename(path) for path in wheels])}" if wheels else ""
        raise InvalidValueError(f"{folder}: no such wheel in this folder{there}")
    return chosen
