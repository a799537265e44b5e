"""The matrix as one HTML page that needs nothing else: no network, no server, no second file."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.coverage.matrix import Ending
from nvidia_variant_provider.tools.coverage.page.details import CSV_COLUMNS, Details
from nvidia_variant_provider.tools.coverage.page.heatmap import HeatMap
from nvidia_variant_provider.tools.coverage.what_if import over_branches
from nvidia_variant_provider.tools.installers.table import by_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.coverage.findings import FleetFinding
    from nvidia_variant_provider.tools.coverage.matrix import Coverage

# With one branch there is nothing to compare.
_BARS_TELL: Final = 2
# Nothing may be fetched, whatever a label or a device is called.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render_page(
    coverage: Coverage,
    findings: Sequence[FleetFinding],
    mirror: Sequence[str],
    *,
    command: str = "",
    explain: str = "",
) -> str:
    """Return the page as a text of HTML.

    ``command`` is the one that made the page, ``explain`` the one that explains a choice, without
    its target; both can be copied from the page.
    """
    details = Details(coverage, explain)
    heatmap = HeatMap(coverage, details)
    name = escape(f"{coverage.release.name} {coverage.release.version}".strip())
    return "\n".join((
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Coverage of {name}</title>",
        f"<style>{_asset('page.css')}</style></head><body><main>",
        f"<h1>{name}: who gets which variant</h1>",
        f'<p class="soft">{escape(_subtitle(coverage))}</p>',
        *_tiles(coverage),
        "<h2>Variants</h2>",
        *_legend(coverage, heatmap),
        "<h2>Devices and drivers</h2>",
        *_filter(len(heatmap.lines)),
        *heatmap.render(),
        *_signs(coverage),
        *_over_branches(coverage, heatmap),
        "<h2>Problems</h2>",
        *_findings(findings),
        "<h2>Mirror</h2>",
        *_mirror(mirror),
        *_made_by(command),
        '</main><dialog aria-label="Details"><button class="close" autofocus>Close</button>',
        '<div class="body"></div></dialog>',
        f'<script type="application/json" id="details">{_embedded(details.values)}</script>',
        f"<script>{_asset('page.js')}</script></body></html>",
    )) + "\n"  # fmt: skip


def _subtitle(coverage: Coverage) -> str:
    return (
        f"{coverage.machines:,} machines of {len(coverage.rows):,} kinds, "
        f"as {by_rules(coverage.rules).title} answers. Choose a cell for its reason."
    )


def _tiles(coverage: Coverage) -> Iterator[str]:
    gpus = sum(row.group.machines for row in coverage.rows if row.kind.has_gpu)
    taken = len({row.choice.label for row in coverage.rows} - {""})
    bad = ' class="bad"' if coverage.holes else ""
    yield '<dl class="tiles">'
    yield f"<div><dt>machines</dt><dd>{coverage.machines:,}</dd></div>"
    yield f"<div><dt>with a GPU</dt><dd>{gpus:,}</dd></div>"
    yield f"<div{bad}><dt>GPU, but no GPU build</dt><dd>{coverage.holes:,}</dd></div>"
    stated = len(coverage.release.strict.variants)
    yield f"<div><dt>variants taken</dt><dd>{taken} of {stated}</dd></div></dl>"


def _legend(coverage: Coverage, heatmap: HeatMap) -> Iterator[str]:
    yield '<ul class="legend">'
    for choice, count in coverage.shares.items():
        look = heatmap.look(choice, hole=False)
        share = f"{100 * count / coverage.machines:.1f} %"
        yield f"<li {look}><b>{escape(str(choice))}</b> {count:,} ({share})</li>"
    if coverage.holes:
        yield '<li class="hole"><b>⚠ hole</b> a GPU, and no build for it</li>'
    yield "</ul>"


def _filter(lines: int) -> Iterator[str]:
    yield '<div class="filter" hidden><label for="find">Show devices with</label>'
    yield '<input id="find" type="search" autocomplete="off" spellcheck="false" '
    yield 'placeholder="device, driver, variant or hole">'
    yield f'<output for="find" class="soft">{lines} of {lines} devices</output>'
    columns = escape(",".join(CSV_COLUMNS))
    yield f'<button type="button" id="csv" data-columns="{columns}">Download CSV</button></div>'


def _signs(coverage: Coverage) -> Iterator[str]:
    """Explain the signs of the map."""
    yield '<p class="soft">A cell names the variant that is chosen, and how many machines there '
    yield "are. +1: other machines of the cell choose another variant."
    if coverage.holes:
        yield " ⚠ hole: a GPU, and no build for it."
    yield "</p>"


def _made_by(command: str) -> Iterator[str]:
    if command:
        yield "<h2>Made by</h2>"
        yield f'<p class="command"><code>{escape(command)}</code> '
        yield '<button type="button" class="copy" hidden>Copy command</button></p>'


def _over_branches(coverage: Coverage, heatmap: HeatMap) -> Iterator[str]:
    """Plot the machines by variant, were a driver branch the oldest of the fleet."""
    shares = over_branches(coverage)
    if len(shares) < _BARS_TELL:
        return
    yield "<h2>If the oldest driver were …</h2>"
    yield '<p class="soft">Machines by variant, were every older driver replaced by this branch '
    yield "where it serves the GPU.</p>"
    yield '<table class="bars"><caption hidden>Machines by variant over driver branches</caption>'
    yield '<thead><tr><th scope="col">driver</th><th scope="col">machines by variant</th>'
    yield '<th scope="col">holes</th></tr></thead><tbody>'
    for share in shares:
        ranked = sorted(share.machines.items(), key=lambda item: (-item[1], str(item[0])))
        parts = "".join(
            f"<span {heatmap.look(choice, hole=False, width=100 * count / coverage.machines)} "
            f'title="{escape(str(choice))}: {count:,}">{escape(str(choice))} {count:,}</span>'
            for choice, count in ranked
        )
        yield f'<tr><th scope="row">R{share.branch}</th><td><div class="bar">{parts}</div></td>'
        yield f"<td>{share.holes:,}</td></tr>"
    yield "</tbody></table>"


def _findings(findings: Sequence[FleetFinding]) -> Iterator[str]:
    if not findings:
        yield "<p>None was found.</p>"
        return
    yield '<ul class="findings">'
    for finding in findings:
        plural = "" if finding.machines == 1 else "s"
        count = f' <span class="soft">{finding.machines:,} machine{plural}</span>'
        alarm = " alarm" if finding.rule.code in {"hole", "no-build"} else ""
        yield (
            f'<li><span class="tag{alarm}">{finding.rule.code}</span>{escape(finding.text)}'
            f"{count if finding.machines else ''}</li>"
        )
    yield "</ul>"


def _mirror(mirror: Sequence[str]) -> Iterator[str]:
    yield "<p>The smallest set that leaves every choice as it is:</p><ul>"
    for label in mirror:
        words = f"<code>{escape(label)}</code>" if label else escape(Ending.ORDINARY.value)
        yield f"<li>{words}</li>"
    yield "</ul>"


def _embedded(value: object) -> str:
    # A script element ends at the first "</script", also inside a text.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
