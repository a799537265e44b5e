"""``survey summary``: what a file of results says in total, and wheel by wheel."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.survey.summary import latest_results, summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvidia_variant_provider.tools.survey.json_model import SurveySummary

_WHEEL_COLUMNS: Final = ("wheel", "in every container", "in some container", "driver", "findings")


def show_summary(results: str, *, wheels: bool, as_json: bool) -> int:
    """Print the summary of a file, and with ``wheels`` a line for every wheel; return 0."""
    summary = summarise(results)
    if as_json:
        output.emit_document(summary)
        return 0
    if wheels:
        output.emit_table(_WHEEL_COLUMNS, map(wheel_row, latest_results(results)))
    _show(summary)
    return 0


def wheel_row(result: dict[str, Any]) -> tuple[str, ...]:
    """One wheel: what it has code for, or why that is not known."""
    name = os.path.basename(result["path"])
    if result.get("failure"):
        return (name, result["failure"]["code"], "", "", result["failure"]["error"])
    inspection, verification = result.get("inspection"), result.get("verification")
    part = inspection or verification or {"findings": []}
    codes = Counter(finding["code"] for finding in part["findings"])
    findings = ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))
    if verification:
        values = _targets(stated["value"] for stated in verification["stated"])
        return (name, "", values, verification["lower_bound"] or "", findings)
    if not inspection:
        return (name, "", "", "", findings)
    coverage = inspection["coverage"]
    archs = [_targets(coverage[answer]) for answer in ("full", "union")]
    if inspection.get("device_code") == "elsewhere":
        archs[1] = "made at run time or elsewhere"
    return (name, *archs, inspection["bounds"]["compatible"] or "-", findings)


def _targets(archs: Iterable[str]) -> str:
    """Write architectures shortly: ``80 90a, PTX 90``."""
    targets: dict[str, list[str]] = {"real": [], "virtual": []}
    for arch in archs:
        target, _, kind = arch.partition("_")
        targets[kind].append(target)
    words = [" ".join(targets["real"])] if targets["real"] else []
    words += ["PTX " + " ".join(targets["virtual"])] if targets["virtual"] else []
    return ", ".join(words) or "-"


def _show(summary: SurveySummary) -> None:
    output.emit_text(_headline(summary))
    if summary.archs:
        rows = [
            (row.arch, str(row.full), str(row.dominant), str(row.union)) for row in summary.archs
        ]
        title = "wheels with code for an architecture"
        columns = ("architecture", "in every container", "in most", "in some")
        output.emit_table(columns, rows, title=title)
    if summary.bounds:
        bounds = [(bound.compatible, str(bound.wheels)) for bound in summary.bounds]
        output.emit_table(("CUDA driver version", "wheels"), bounds)
    if summary.findings:
        findings = [
            (
                f"{finding.code} {finding.severity}".strip(),
                str(finding.wheels),
                str(finding.count),
                finding.title,
            )
            for finding in summary.findings
        ]
        output.emit_table(("finding", "wheels", "count", "title"), findings)
    if summary.failures:
        failures = [
            (failure.code, str(failure.wheels), output.one_line(failure.examples[0]))
            for failure in summary.failures
        ]
        output.emit_table(("no result", "wheels", "such as"), failures)


def _headline(summary: SurveySummary) -> Iterator[str]:
    yield (
        f"{summary.command}: {output.count(summary.wheels, 'wheel')}, {summary.bytes / 1e9:.1f} GB:"
        f" {summary.done} done, {summary.skipped} skipped, {summary.failed} failed"
    )
    if summary.command == "inspect":
        verb = "uses" if summary.code_elsewhere == 1 else "use"
        uses = f"; {summary.code_elsewhere} of them {verb} CUDA all the same"
        shown = uses if summary.code_elsewhere else ""
        yield f"without device code: {summary.without_device_code}{shown}"
