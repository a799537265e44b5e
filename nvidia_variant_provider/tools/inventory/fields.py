"""Fields and cells that others wrote, with the place in every complaint."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from nvidia_variant_provider.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Place(NamedTuple):
    """Where a record stands: its file and the element or line in it."""

    source: str
    where: str

    def fail(self, key: str, seen: object, expected: str) -> NoReturn:
        """Raise ``FleetError`` for a key of the record."""
        raise FleetError(self.source, self.where, key, repr(seen), expected)

    def mapping(self, value: object, key: str) -> Mapping[str, object]:
        """Return a JSON object; a missing one is empty."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail(key, value, "a JSON object")
        return value

    def text(self, row: Mapping[str, object], key: str) -> str:
        """Return a text; a missing one is empty."""
        value = row.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fail(key, value, "a text")
        return value.strip()

    def whole_number(self, text: str, key: str, most: int) -> int:
        """Return a whole number in its bounds."""
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))):
            self.fail(key, text, f"a whole number up to {most}")
        if int(text) > most:
            self.fail(key, text, f"a whole number up to {most}")
        return int(text)

    def cells(self, line: str) -> list[str]:
        """Return the cells of a line of comma-separated values."""
        try:
            return [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
        except (csv.Error, StopIteration) as error:
            raise FleetError(*self, "", line, "comma-separated values") from error
