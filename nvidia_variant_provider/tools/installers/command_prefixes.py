"""The programs that may stand before an installer: ``env A=1``, ``timeout 60``, ``conda run``.

Source: the manual of each.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Prefix:
    """A program that starts the command behind it.

    ``valued`` are its options with a value in a word of its own, ``operands`` the number of words
    before the command, and ``word`` the subcommand that starts one. ``drops`` are the options, ""
    for none, with which it starts the command without our variables, unless ``keeps`` is given.
    """

    valued: str = ""
    operands: int = 0
    word: str = ""
    drops: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()


_CONDA: Final = Prefix(
    "-n --name -p --prefix --cwd -r --root-prefix -e --environment --manifest-path -a", word="run"
)
PREFIXES: Final[Mapping[str, Prefix]] = {
    "env": Prefix("-u --unset -C --chdir", drops=("-i", "-", "--ignore-environment")),
    "sudo": Prefix(
        "-u --user -g --group -h --host -p --prompt -C -D --chdir -R -r --role -t --type -T -U",
        drops=("",),
        keeps=("-E", "--preserve-env"),
    ),
    "timeout": Prefix("-k --kill-after -s --signal", operands=1),
    "nice": Prefix("-n --adjustment"),
    "ionice": Prefix("-c --class -n --classdata"),
    "time": Prefix("-f --format -o --output"),
    "stdbuf": Prefix("-i --input -o --output -e --error"),
    "taskset": Prefix(operands=1),
    "numactl": Prefix("-N -m -C -i -p"),
    "flock": Prefix("-w --timeout --wait -E --conflict-exit-code", operands=1),
    **dict.fromkeys(("nohup", "setsid", "command", "exec"), Prefix()),
    **dict.fromkeys(("conda", "mamba", "micromamba", "pixi"), _CONDA),
}
"""Programs that are looked behind."""
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)


def behind_prefixes(command: Sequence[str]) -> tuple[int, tuple[tuple[str, ...], ...]]:
    """Return where the command begins that the programs before it start, and these."""
    at = 0
    prefixes: list[tuple[str, ...]] = []
    while len(prefixes) < MOST and at < len(command):
        row = PREFIXES.get(name_of(command[at]))
        end = _end_of_prefix(row, command, at + 1) if row else at
        if end == at:
            break
        prefixes.append(tuple(command[at:end]))
        at = end
    return at, tuple(prefixes)


def _end_of_prefix(row: Prefix, command: Sequence[str], begin: int) -> int:
    """Return where a prefix ends; one that does not start a command has no words."""
    at = begin
    operands = row.operands
    is_awaited = bool(row.word)
    while at < len(command):
        word = command[at]
        if word.startswith("-"):
            at += 2 if word in row.valued.split() else 1
        elif is_awaited and word == row.word:
            is_awaited = False
            at += 1
        elif is_awaited:
            return begin - 1
        elif _ASSIGNMENT.fullmatch(word):
            at += 1
        elif operands:
            operands -= 1
            at += 1
        else:
            break
    return begin - 1 if is_awaited else at


def name_of(word: str) -> str:
    """Return the name of a program by the word that calls it."""
    return os.path.basename(word).removesuffix(".exe").lower()
