"""The heat map: a table of devices and driver branches, coloured by the variant that is chosen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, TypeAlias

from nvidia_variant_provider.tools.coverage.matrix import Ending
from nvidia_variant_provider.tools.coverage.report import driver_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.coverage.kinds import Kind
    from nvidia_variant_provider.tools.coverage.matrix import Choice, Coverage, Row
    from nvidia_variant_provider.tools.coverage.page.details import Details

Line: TypeAlias = tuple[str, str, str, str]
"""What makes a line of the map: device, capabilities, architecture, system."""

# Red belongs to the holes, so the hues of the variants keep away from it.
_FIRST_HUE: Final = 75
_LAST_HUE: Final = 325


class HeatMap:
    """The cells of a matrix, arranged; several kinds may share a cell."""

    def __init__(self, coverage: Coverage, details: Details) -> None:
        self._details = details
        self.lines: dict[Line, dict[str, list[Row]]] = {}
        columns: dict[str, Kind] = {}
        for row in coverage.rows:
            column = driver_words(row.kind)
            columns.setdefault(column, row.kind)
            self.lines.setdefault(_line(row.kind), {}).setdefault(column, []).append(row)
        self._columns = dict(sorted(columns.items(), key=lambda item: _column_key(item[1])))
        labels = sorted(
            {
                row.choice.label
                for row in coverage.rows
                if row.choice.ending in {Ending.GPU, Ending.OTHER}
            }
        )
        step = (_LAST_HUE - _FIRST_HUE) / max(len(labels) - 1, 1)
        self._hues = {label: round(_FIRST_HUE + index * step) for index, label in enumerate(labels)}

    def look(self, choice: Choice, *, hole: bool, width: float | None = None) -> str:
        """Return the attributes that colour an element by a choice, and make it a bar's part."""
        wide = "" if width is None else f"width:{width:.2f}%"
        if hole:
            return 'class="hole"'
        if choice.label in self._hues:
            return f'class="v" style="--h:{self._hues[choice.label]};{wide}"'
        return f'class="plain" style="{wide}"' if wide else 'class="plain"'

    def render(self) -> Iterator[str]:
        """Yield the table in its scrolling frame."""
        yield '<div class="map" tabindex="0" role="region" aria-label="Heat map, scrolls">'
        yield "<table><caption hidden>The variant chosen, by device and driver</caption>"
        yield '<thead><tr><th scope="col">device</th>'
        for column, kind in self._columns.items():
            cuda = f"CUDA {kind.cuda}" if kind.cuda and kind.driver is not None else ""
            small = cuda or ("no branch" if kind.cuda else "driver")
            yield f'<th scope="col">{escape(column)}<small>{escape(small)}</small></th>'
        yield "</tr></thead><tbody>"
        for line, cells in self.lines.items():
            findable = escape(_findable(line, cells))
            yield f'<tr data-find="{findable}"><th scope="row">{_line_words(line)}</th>'
            for column in self._columns:
                yield self._cell(cells.get(column, []))
            yield "</tr>"
        yield "</tbody></table></div>"

    def _cell(self, rows: list[Row]) -> str:
        if not rows:
            return "<td></td>"
        # The worst, and then the most frequent, speaks for a cell.
        rows = sorted(rows, key=lambda row: (not row.is_hole, -row.group.machines))
        first, machines = rows[0], sum(row.group.machines for row in rows)
        numbers = " ".join(str(self._details.add(row)) for row in rows)
        mark = "⚠ " if first.is_hole else ""
        choices = {row.choice for row in rows}
        more = f" +{len(choices) - 1}" if len(choices) > 1 else ""
        count = f"<small>{machines:,}</small>"
        title = escape(f"{first.choice}: {self._details.reasons.choice(first)}")
        return (
            f'<td><button type="button" {self.look(first.choice, hole=first.is_hole)} '
            f'data-details="{numbers}" title="{title}">'
            f"<span>{mark}{_breakable(str(first.choice))}{more}</span>{count}</button></td>"
        )


def _findable(line: Line, cells: dict[str, list[Row]]) -> str:
    """Return what a search finds a line by: device, drivers, variants, and whether it has holes."""
    rows = [row for group in cells.values() for row in group]
    choices = dict.fromkeys(str(row.choice) for row in rows)
    hole = "hole" if any(row.is_hole for row in rows) else ""
    return " ".join((*line, *cells, *choices, hole)).lower().strip()


def _line(kind: Kind) -> Line:
    capabilities = " ".join(str(capability or "unknown") for capability in kind.capabilities)
    return kind.device, capabilities, kind.architecture, kind.system


def _line_words(line: Line) -> str:
    device, capabilities, architecture, system = line
    parts = [capabilities, architecture, "" if system == "linux" else system]
    small = " · ".join(escape(part) for part in parts if part)
    return f"{escape(device)}<small>{small}</small>"


def _breakable(label: str) -> str:
    """Let a long label break where its parts meet."""
    return escape(label).replace("_", "_<wbr>")


def _column_key(kind: Kind) -> tuple[int, int, tuple[int, int]]:
    """Sort newest branch first: a phone shows the first columns. Known CUDA only comes after."""
    cuda = (-kind.cuda.major, -kind.cuda.minor) if kind.cuda else (0, 0)
    if kind.driver is not None:
        return 0, -kind.driver, cuda
    return (1, 0, cuda) if kind.cuda else (2, 0, cuda)
