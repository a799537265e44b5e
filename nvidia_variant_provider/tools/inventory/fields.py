"""Fields and cells that others wrote, with the place in every complaint."""

from __future__ import annotations

import csv
import reprlib
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from nvidia_variant_provider.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Mapping

# A value may be nested or long without end; what an error shows of it may not.
_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


class Place(NamedTuple):
    """Where an entry stands: its file and the element or line in it."""

    source: str
    where: str

    def fail(self, key: str, seen: object, expected: str) -> NoReturn:
        """Raise ``FleetError`` for a key of the entry."""
        raise FleetError(self.source, self.where, key, _SHORT.repr(seen), expected)

    def mapping(self, value: object, key: str) -> Mapping[str, object]:
        """Return a JSON object; a missing one is empty."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail(key, value, "a JSON object")
        return value

    def sequence(self, value: object, key: str) -> list[object]:
        """Return a JSON array; a missing one is empty."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.fail(key, value, "a JSON array")
        return value

    def text(self, row: Mapping[str, object], key: str) -> str:
        """Return a text; a missing one is empty."""
        value = row.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fail(key, value, "a text")
        return value.strip()

    def number(self, row: Mapping[str, object], key: str, most: int) -> int | None:
        """Return a whole number that JSON or a text gives; ``None`` if there is none."""
        value = row.get(key)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self.fail(key, value, f"a whole number up to {most}")
        return self.whole_number(value.strip(), key, most)

    def whole_number(self, text: str, key: str, most: int) -> int:
        """Return a whole number in its bounds."""
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))):
            self.fail(key, text, f"a whole number up to {most}")
        if int(text) > most:
            self.fail(key, text, f"a whole number up to {most}")
        return int(text)

    def cells(self, line: str, delimiter: str = ",") -> list[str]:
        """Return the cells of a line of comma-separated values."""
        try:
            rows = csv.reader([line], skipinitialspace=delimiter == ",", delimiter=delimiter)
            return [cell.strip() for cell in next(rows)]
        except (csv.Error, StopIteration) as error:
            raise FleetError(*self, "", _SHORT.repr(line), "comma-separated values") from error
