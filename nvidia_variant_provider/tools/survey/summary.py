"""What a results file says in total: architectures, findings, failures."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.binaries.elsewhere import Place
from nvidia_variant_provider.tools.survey.json_model import (
    ArchCount,
    BoundCount,
    FailureCount,
    FindingCount,
    SurveySummary,
)
from nvidia_variant_provider.tools.survey.results import read_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EXAMPLES: Final = 3


def latest_results(path: str) -> Iterator[dict[str, Any]]:
    """Yield the result that counts of every wheel: its last one.

    The file is read twice, so that only the names of the wheels are held.
    """
    last = {result["path"]: number for number, result in enumerate(read_results(path))}
    for number, result in enumerate(read_results(path)):
        if last[result["path"]] == number:
            yield result


def summarise(path: str) -> SurveySummary:
    """Sum up a results file; raises ``InvalidValueError`` if it is none, or empty."""
    totals = _Totals()
    for result in latest_results(path):
        totals.add(result)
    if not sum(totals.outcomes.values()):
        raise InvalidValueError(f"{path}: holds no result")
    return totals.summary()


class _Totals:
    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._command = ""
        self._bytes = 0
        self._without_code = self._elsewhere = 0
        self._archs: dict[str, Counter[str]] = {"full": Counter(), "dominant": Counter()}
        self._archs["union"] = Counter()
        self._bounds: Counter[str] = Counter()
        self._findings: Counter[tuple[str, str, str]] = Counter()
        self._wheels: Counter[tuple[str, str, str]] = Counter()
        self._failures: dict[str, list[str]] = {}
        self._failed: Counter[str] = Counter()

    def add(self, result: dict[str, Any]) -> None:
        """Count one wheel."""
        self._command = result["command"]
        self.outcomes[result["outcome"]] += 1
        self._bytes += result["size"] or 0
        if result.get("failure"):
            self._add_failure(result["failure"]["code"], result["path"])
        part = result.get("inspection") or result.get("verification")
        if part:
            findings = [
                (finding["code"], finding.get("severity", ""), _title(finding))
                for finding in part["findings"]
            ]
            self._findings.update(findings)
            self._wheels.update(set(findings))
        if result.get("inspection"):
            self._add_code(result["inspection"])

    def _add_failure(self, code: str, path: str) -> None:
        self._failed[code] += 1
        examples = self._failures.setdefault(code, [])
        if len(examples) < _EXAMPLES:
            examples.append(path)

    def _add_code(self, inspection: dict[str, Any]) -> None:
        coverage = inspection["coverage"]
        for answer, counts in self._archs.items():
            counts.update(set(coverage[answer]))
        place = inspection.get("device_code", _place(inspection))
        self._without_code += place != Place.EMBEDDED.value
        self._elsewhere += place == Place.ELSEWHERE.value
        self._bounds[inspection["bounds"]["compatible"] or "none"] += 1

    def summary(self) -> SurveySummary:
        """Return what was counted, in a fixed order."""
        return SurveySummary(
            command="verify" if self._command == "verify" else "inspect",
            wheels=sum(self.outcomes.values()),
            bytes=self._bytes,
            done=self.outcomes["done"],
            skipped=self.outcomes["skipped"],
            failed=self.outcomes["failed"],
            without_device_code=self._without_code,
            code_elsewhere=self._elsewhere,
            archs=[
                ArchCount(arch=arch, **{name: counts[arch] for name, counts in self._archs.items()})
                for arch in _sorted(self._archs["union"])
            ],
            bounds=[
                BoundCount(compatible=bound, wheels=count)
                for bound, count in sorted(self._bounds.items(), key=_bound_order)
            ],
            findings=[
                FindingCount(
                    code=key[0],
                    severity=key[1],
                    title=key[2],
                    count=count,
                    wheels=self._wheels[key],
                )
                for key, count in sorted(self._findings.items())
            ],
            failures=[
                FailureCount(code=code, wheels=count, examples=self._failures[code])
                for code, count in sorted(self._failed.items())
            ],
        )


def _place(inspection: dict[str, Any]) -> str:
    """Return where the code is, of a result of a release that did not say it."""
    bare = any(library["bare_images"] for library in inspection["libraries"])
    return Place.EMBEDDED.value if inspection["coverage"]["containers"] or bare else ""


def _title(finding: dict[str, Any]) -> str:
    title: str = finding.get("title", "")
    return title


def _sorted(archs: Iterable[str]) -> list[str]:
    """Order targets as numbers, cubins before PTX."""

    def order(text: str) -> tuple[bool, int, str]:
        target, _, kind = text.partition("_")
        return kind == "virtual", int(target.rstrip("af")), target

    return sorted(archs, key=order)


def _bound_order(item: tuple[str, int]) -> tuple[int, ...]:
    """Order versions as numbers; "none" comes last."""
    return tuple(map(int, item[0].split("."))) if item[0] != "none" else (1 << 30,)
