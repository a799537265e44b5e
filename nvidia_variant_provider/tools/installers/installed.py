"""What is installed where a command installs, and whether the command leaves it as it is.

An installed version that is allowed stays, whatever an index shows, unless the command says
otherwise. Source: pip's documentation of ``install``, uv's of ``pip install``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.installers.command_line import value_of
from nvidia_variant_provider.tools.installers.commands import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvidia_variant_provider.tools.installers.asked_for import Asked
    from nvidia_variant_provider.tools.installers.interpreter import TargetPython

_TARGET: Final = ("--target", "-t")
# With these a command installs elsewhere than the interpreter's own packages lie.
_ELSEWHERE: Final = frozenset({"--prefix", "--root", "--user"})
_ANEW: Final = frozenset(
    {"--force-reinstall", "-I", "--ignore-installed", "--reinstall", "--exact"}
)
_UPGRADE: Final = frozenset({"-U", "--upgrade"})
_BY_NAME: Final = ("--reinstall-package", "--upgrade-package", "-P")


def folder_of(command: Sequence[str], python: TargetPython | None) -> str:
    """Return the folder that a command installs packages into; "" where it is not known."""
    words = words_of(command)
    if "install" not in words or _ELSEWHERE.intersection(map(_option, words)):
        return ""
    return value_of(words, _TARGET) or (python.site if python else "")


def installed_version(folder: str, project: str) -> str:
    """Return the version of a project in a folder of packages, ``2.14.1+cu126``; "" without it."""
    try:
        names = os.listdir(folder) if folder else []
    except OSError:
        return ""
    pattern = re.compile(
        rf"{re.escape(project.replace('-', '_'))}-([^-]+)\.dist-info", re.IGNORECASE
    )
    return next((match[1] for name in names if (match := pattern.fullmatch(name))), "")


def is_kept(project: str, command: Sequence[str], asked: Asked) -> bool:
    """Tell whether a command leaves an installed project as it is, if that is what is asked for."""
    words = words_of(command)
    options = set(map(_option, words))
    is_replaced = _ANEW.intersection(options) or value_of(words, _BY_NAME) == project
    is_elsewhere = "install" not in words or value_of(words, _TARGET)
    return not (is_replaced or is_elsewhere or _is_upgraded(project, words, options, asked))


def _is_upgraded(project: str, words: list[str], options: set[str], asked: Asked) -> bool:
    if not _UPGRADE.intersection(options):
        return False
    # pip upgrades what is named, unless told to be eager; uv everything.
    is_named = project in {*asked.named, *asked.listed}
    return words[0] != "pip" or is_named or value_of(words, ("--upgrade-strategy",)) == "eager"


def _option(word: str) -> str:
    return word.partition("=")[0]
