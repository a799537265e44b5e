"""A folder of per-CUDA indexes that a command names itself: ``--index-url https://…/whl/cu128``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.cuda_indexes import TORCH_INDEX, folder_address
from nvidia_variant_provider.tools.installers.command_line import parse
from nvidia_variant_provider.tools.installers.commands import words_of
from nvidia_variant_provider.tools.installers.index_options import VALUED
from nvidia_variant_provider.tools.installers.interpreter import default_index
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# uv takes a name before the address: ``pytorch=https://…``.
_FOLDER: Final = re.compile(r"(?:[A-Za-z0-9._-]+=)?(https?://.+)/(cpu|cu\d{2,3}|rocm[\d.]+|xpu)/*")
_BACKEND: Final = "--torch-backend"
_AUTO: Final = "auto"
# pip puts all its indexes together; an extra one is no choice.
_CHOICES_OF_PIP: Final = frozenset({"-i", "--index-url", "--pypi-url"})


@dataclass(frozen=True, slots=True)
class NamedFolder:
    """The folder ``label`` of the index ``base``; ``command`` is what does without it."""

    base: str
    label: str
    command: tuple[str, ...]

    @property
    def address(self) -> str:
        """The address of the folder."""
        return folder_address(self.label, self.base)


def named_folder(
    command: Sequence[str], configured: str, environ: Mapping[str, str]
) -> NamedFolder | None:
    """Return the folder that decides about torch; ``None`` where none is named.

    ``configured`` is the installer's index, as of its settings or its options.
    """
    tool = words_of(command)[0]
    for words, value, rest in _options(command):
        option = words[0].partition("=")[0]
        match = _FOLDER.fullmatch(value)
        if option == _BACKEND and value != _AUTO and tool == "uv":
            return NamedFolder(TORCH_INDEX, value, rest)
        if match and (tool == "uv" or (tool == "pip" and option in _CHOICES_OF_PIP)):
            return NamedFolder(match[1], match[2], rest)
    match = _FOLDER.fullmatch(configured)
    standard = default_index(environ) if match else ""
    if match is None or tool not in {"pip", "uv"} or not standard:
        return None
    # An option beats every setting.
    option = "--default-index" if tool == "uv" else "--index-url"
    return NamedFolder(match[1], match[2], (*command, option, standard))


def is_folder(address: str) -> bool:
    """Tell whether an address is that of one folder of per-CUDA indexes."""
    return bool(_FOLDER.fullmatch(address))


def _options(command: Sequence[str]) -> list[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """Return each option that names an index: its words, its value, and the command without."""
    options = []
    line = parse(command)
    for at, word in enumerate(line.own, line.begin):
        name, equals, value = word.partition("=")
        if name in VALUED or name == _BACKEND:
            end = at + (1 if equals else 2)
            words = tuple(command[at:end])
            rest = (*command[:at], *command[end:])
            options.append((words, value if equals else "".join(words[1:]), rest))
    return options
