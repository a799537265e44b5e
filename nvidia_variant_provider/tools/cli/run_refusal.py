"""Why ``run`` does not start a command: it cannot see the view, or would write its address."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.installers.command_line import (
    drops_variables,
    layers,
    working_folder,
)
from nvidia_variant_provider.tools.installers.commands import (
    is_harmless,
    needs_plugin,
    stops,
)
from nvidia_variant_provider.tools.installers.interpreter import has_package
from nvidia_variant_provider.tools.installers.requirements_files import check_requirements

if TYPE_CHECKING:
    from collections.abc import Sequence

STAYS: Final = (
    "use an address that stays: 'nvidia-variant-provider serve', or a view as files by "
    "'nvidia-variant-provider index DIR --view NAME@DRIVER' (docs/how-to/lock.md)"
)
_MIRROR: Final = "poetry-plugin-pypi-mirror"
_POETRY: Final = f"""\
poetry self add {_MIRROR}, or in pyproject.toml, with the address of a view that stays:
[[tool.poetry.source]]
name = "view"
url = "https://HOST/views/NAME@DRIVER/simple/"
priority = "primary"
"""
_PIPS: Final = frozenset({"pip", "pip-compile", "pip-sync"})
_KEEPS: Final = {
    "sudo": "add -E, which keeps them: nvidia-variant-provider run -- sudo -E …",
    "env": "leave -i out: nvidia-variant-provider run -- env NAME=VALUE …",
}


def refusal(command: Sequence[str], cwd: str) -> tuple[str, Sequence[str]]:
    """Say why a command cannot run through a view, and what to do; "" if it can.

    Raises ``InvalidValueError`` for a requirements file that names indexes.
    """
    if is_harmless(command):
        return "", ()
    for line in layers(command):
        if line.tool == "pip" and "--isolated" in line.own:
            return "--isolated makes pip ignore the view; leave it out", ()
        if line.tool in _PIPS or (line.tool, *line.subcommand[:1]) == ("uv", "pip"):
            check_requirements(line.words, working_folder(line, os.environ, cwd))
    if name := drops_variables(command):
        why = f"{name} starts the command without the variables that point it to the view"
        return why, (_KEEPS[name],)
    if why := stops(command, cwd):
        return why, (STAYS,)
    if needs_plugin(command) and not has_package(command, os.environ, _MIRROR):
        why = f"Poetry takes an index from outside only with its plugin {_MIRROR}"
        return why, _POETRY.splitlines()
    return "", ()
