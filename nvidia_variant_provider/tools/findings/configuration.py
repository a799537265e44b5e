"""``[tool.nvidia-variant-provider]`` of the nearest pyproject.toml: what a project asks for.

    [tool.nvidia-variant-provider]
    select = ["NV2", "NV4"]
    ignore = ["NV219"]
    threshold = 80
    per-file-ignores = { "*-null.whl" = ["NV332"] }

The command line wins over the file, key by key.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.parsed import parse_toml
from nvidia_variant_provider.value_types import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE: Final = "pyproject.toml"
TABLE: Final = "nvidia-variant-provider"
_KEYS: Final = ("select", "ignore", "per-file-ignores", "threshold")
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a project asks for; ``path`` is the file, empty where there is none.

    ``threshold`` is a share: 0.75 for 75 per cent.
    """

    path: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file: tuple[tuple[str, tuple[str, ...]], ...] = ()
    threshold: float | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """Every beginning of a code that is named."""
        return (*self.select, *self.ignore, *(code for _, codes in self.per_file for code in codes))


def read_configuration(folder: str) -> Configuration:
    """Return the table of the nearest pyproject.toml that has it, in a folder or above.

    Raises ``InvalidValueError`` naming file and key where the table cannot be meant.
    """
    folder = os.path.abspath(folder)
    while True:
        path = os.path.join(folder, FILE)
        table = _table(path) if os.path.isfile(path) else None
        if table is not None:
            return _parsed(path, table)
        parent = os.path.dirname(folder)
        if parent == folder:
            return Configuration()
        folder = parent


def _table(path: str) -> object:
    try:
        with open(path, "rb") as file:
            data = file.read()
        # Most projects have no such table, and the parser costs more than the search.
        return parse_toml(data).get("tool", {}).get(TABLE) if TABLE.encode() in data else None
    except (ValueError, AttributeError):
        # Broken, or no table "tool": lint says so, if it is asked to look at the file.
        return None
    except OSError as error:
        raise InvalidValueError(f"{path}: {error.strerror}") from error


def _parsed(path: str, table: object) -> Configuration:
    where = f"{path}: [tool.{TABLE}]"
    if not isinstance(table, dict):
        raise InvalidValueError(f"{where}: expected a table")
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise InvalidValueError(
            f"{where}: unknown key {unknown[0]!r:.60}; there are {', '.join(_KEYS)}"
        )
    patterns = table.get("per-file-ignores", {})
    if not isinstance(patterns, dict):
        raise InvalidValueError(f"{where} per-file-ignores: expected a table of patterns")
    return Configuration(
        path,
        _codes(table.get("select", ()), f"{where} select"),
        _codes(table.get("ignore", ()), f"{where} ignore"),
        tuple(
            (pattern, _codes(codes, f"{where} per-file-ignores {pattern!r:.60}"))
            for pattern, codes in patterns.items()
        ),
        _threshold(table.get("threshold"), f"{where} threshold"),
    )


def _codes(value: Iterable[Any] | object, where: str) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(element, str) for element in value
    ):
        raise InvalidValueError(f'{where}: expected a list of codes, such as ["NV2"]')
    return tuple(parse_code(code) for code in value)


def parse_code(text: str) -> str:
    """Return the beginning of a code as the codes are written: ``nv2`` is ``NV2``."""
    text = text.strip()
    return text.upper() if text[:2].upper() == "NV" else text


def _threshold(value: object, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _WHOLE:
        raise InvalidValueError(f"{where}: expected a percentage above 0 and up to 100")
    return value / _WHOLE
