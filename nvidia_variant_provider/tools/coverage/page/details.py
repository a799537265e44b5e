"""What the page shows of a kind of machine when its cell is chosen; equal details stand once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.coverage.reasons import Reasons
from nvidia_variant_provider.tools.coverage.report import driver_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.tools.coverage.kinds import Kind
    from nvidia_variant_provider.tools.coverage.matrix import Coverage, Row

# A release of a thousand variants must not make a page of a hundred megabytes.
_LABELS_SHOWN: Final = 12
_REASONS_SHOWN: Final = 10


class Details:
    """The details of a matrix, collected while cells are written; cells name them by number."""

    def __init__(self, coverage: Coverage, explain: str = "") -> None:
        self.values: list[dict[str, object]] = []
        self._explain = explain or "nvidia-variant-provider explain SOURCE"
        self.reasons = Reasons(coverage)
        self._refused: dict[object, list[tuple[str, str]]] = {}

    def add(self, row: Row) -> int:
        """Keep the details of a row and return their number."""
        machines, target = row.group.machines, _target(row.kind)
        example = f", such as {row.group.example}" if row.group.example else ""
        self.values.append({
            "title": f"{row.kind.device}, {driver_words(row.kind)}",
            "facts": f"{_facts(row.kind)} · {machines:,} machine{'s' * (machines != 1)}{example}",
            "choice": f"{'Hole: ' if row.is_hole else 'Gets '}{row.choice}",
            "hole": row.is_hole,
            "reason": self.reasons.choice(row),
            "order": _cut(row.order, _LABELS_SHOWN),
            "refused": self._of(row),
            "command": f"{self._explain} --target {target}" if target else "",
            "row": _csv_row(row, self.reasons.choice(row)),
        })  # fmt: skip
        return len(self.values) - 1

    def _of(self, row: Row) -> list[tuple[str, str]]:
        kind = row.kind
        key = (kind.cuda, kind.capabilities, kind.system, kind.architecture, kind.reason)
        if key not in self._refused:
            self._refused[key] = list(self._grouped(row))
        return self._refused[key]

    def _grouped(self, row: Row) -> Iterator[tuple[str, str]]:
        told: dict[str, list[str]] = {}
        for label, reason in self.reasons.refusals(row).items():
            told.setdefault(reason, []).append(label)
        for index, (reason, labels) in enumerate(told.items()):
            if index == _REASONS_SHOWN:
                yield "...", f"{len(told) - index} more reasons: see --csv"
                return
            yield ", ".join(_cut(labels, _LABELS_SHOWN)), reason


def _target(kind: Kind) -> str:
    """Return a target that stands for a kind: ``sm_90@580``; empty where none can."""
    known = kind.known_capabilities
    if not known or kind.cuda is None or len(known) != len(kind.capabilities):
        return ""
    driver = str(kind.driver) if kind.driver is not None else f"cuda{kind.cuda}"
    return "+".join(f"sm_{capability.number}" for capability in known) + f"@{driver}"


CSV_COLUMNS: Final = (
    "device", "capabilities", "architecture", "system", "driver", "machines", "gets", "hole",
    "reason",
)  # fmt: skip


def _csv_row(row: Row, reason: str) -> tuple[str | int, ...]:
    kind = row.kind
    capabilities = " ".join(str(known or "unknown") for known in kind.capabilities)
    return (
        kind.device, capabilities, kind.architecture, kind.system, driver_words(kind),
        row.group.machines, str(row.choice), "hole" if row.is_hole else "", reason,
    )  # fmt: skip


def _facts(kind: Kind) -> str:
    capabilities = ", ".join(str(capability or "unknown") for capability in kind.capabilities)
    parts = (
        f"capability {capabilities}" if capabilities else "",
        f"{kind.system} {kind.architecture}",
        f"CUDA driver version {kind.cuda}" if kind.cuda else kind.reason,
        f"assumed: {', '.join(kind.assumed)}" if kind.assumed else "",
    )
    return " · ".join(part for part in parts if part)


def _cut(labels: Sequence[str], most: int) -> list[str]:
    more = [f"... and {len(labels) - most} more"] if len(labels) > most else []
    return [*labels[:most], *more]
