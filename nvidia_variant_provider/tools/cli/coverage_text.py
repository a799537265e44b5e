"""The text of ``coverage``: tables for a terminal, and rows for a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.cli import checking, output

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.tools.coverage import Coverage, FleetFinding
    from nvidia_variant_provider.tools.coverage.what_if import Answer

# A terminal shows this many kinds; the other outputs have them all.
_SHOWN: Final = 40


def show(coverage: Coverage, findings: Sequence[FleetFinding], mirror: Sequence[str]) -> None:
    """Show the matrix, the shares of the variants, the problems and what a mirror must carry."""
    from itertools import islice

    from nvidia_variant_provider.tools.coverage import report
    from nvidia_variant_provider.tools.coverage.matrix import Ending

    release = coverage.release
    answers_as = f"as {coverage.installer}" if coverage.installer else f"rules {coverage.rules}"
    title = (
        f"{release.name} {release.version}: {output.count(coverage.machines, 'machine')}, "
        f"{answers_as}"
    )
    shown = islice(report.table_rows(coverage), _SHOWN)
    view = ("through a view",) if coverage.installer else ()
    output.emit_table(
        (*report.TABLE_COLUMNS, *view),
        shown,
        title=title,
        tone=lambda row: output.Tone.BAD if report.HOLE in row[-1 - len(view)] else None,
    )
    if len(coverage.rows) > _SHOWN:
        more = len(coverage.rows) - _SHOWN
        output.emit_text([f"... and {more} more kinds of machines: --csv, --json, --html", ""])
    total = coverage.machines
    without_gpu = {str(row.choice) for row in coverage.rows if row.choice.ending is not Ending.GPU}
    shares = [
        (str(choice), str(count), f"{100 * count / total:.1f} %")
        for choice, count in coverage.shares.items()
    ]
    output.emit_table(
        ("gets", "machines", "share"),
        shares,
        tone=lambda row: output.Tone.WARNING if row[0] in without_gpu else None,
    )
    rows = [(finding.rule.code, str(finding.machines), finding.text) for finding in findings]
    if rows:
        severities = {finding.rule.code: finding.rule.severity.value for finding in findings}
        output.emit_table(
            ("problem", "machines", "what"),
            rows,
            tone=lambda row: checking.TONES.get(severities.get(row[0], "")),
        )
    labels = ", ".join(label or "the wheel without a label" for label in mirror)
    output.emit_text([f"a mirror must carry: {labels or 'nothing'}"])


def show_answer(told: Answer, coverage: Coverage) -> None:
    """Show what would change with another driver, or with a variant more."""
    lines = [f"what if {told.question}: holes {coverage.holes:,} -> {told.holes:,}"]
    output.emit_text(["", *lines, f"  assumed: {told.assumed}"])
    if not told.changes:
        output.emit_text(["  no machine would choose otherwise"])
        return
    rows = (
        (str(change.machines), str(change.before), str(change.after), ", ".join(change.devices))
        for change in told.changes
    )
    output.emit_table(("machines", "now", "then", "devices"), rows)


def emit_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a header and rows as CSV."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_harmless(output.one_line(str(cell))) for cell in row] for row in rows)
    output.write(text.getvalue())


# A spreadsheet takes a cell that begins with one of these for a formula, and may run it.
_FORMULA: Final = ("=", "+", "@", "-")


def _harmless(cell: str) -> str:
    """Return a cell that a spreadsheet shows as text; a lone hyphen is none of its formulas."""
    return f"'{cell}" if cell.startswith(_FORMULA) and len(cell) > 1 else cell
