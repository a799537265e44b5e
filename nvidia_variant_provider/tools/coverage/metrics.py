"""A matrix as metrics in Prometheus's text format, for a textfile collector or a push gateway.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.coverage.findings import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvidia_variant_provider.tools.coverage.findings import FleetFinding
    from nvidia_variant_provider.tools.coverage.matrix import Coverage

_PREFIX: Final = "nvidia_variant_coverage"


def prometheus(coverage: Coverage, findings: Iterable[FleetFinding]) -> Iterator[str]:
    """Yield the lines: machines by choice, holes, skipped entries, problems."""
    release = {"package": coverage.release.name, "version": coverage.release.version}
    yield from _head("machines", "Machines by the build that an installer takes.")
    for choice, count in coverage.shares.items():
        labels = {**release, "variant": choice.label, "ending": choice.ending.value}
        yield _sample("machines", labels, count)
    yield from _head("holes", "Machines with a GPU that get no build for it.")
    yield _sample("holes", release, coverage.holes)
    yield from _head("skipped_entries", "Entries of the inventory that could not be read.")
    yield _sample("skipped_entries", release, coverage.skipped)
    yield from _head("problems", "Problems of the matrix, by kind.")
    counts = dict.fromkeys(RULES, 0)
    for finding in findings:
        counts[finding.rule] += 1
    for rule, count in counts.items():
        yield _sample("problems", {**release, "problem": rule.code}, count)


def _head(name: str, words: str) -> Iterator[str]:
    yield f"# HELP {_PREFIX}_{name} {words}"
    yield f"# TYPE {_PREFIX}_{name} gauge"


def _sample(name: str, labels: dict[str, str], value: int) -> str:
    pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{_PREFIX}_{name}{{{pairs}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
