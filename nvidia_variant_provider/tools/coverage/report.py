"""A matrix as rows to write down: the long CSV, the short table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.coverage.reasons import Reasons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.coverage.kinds import Kind
    from nvidia_variant_provider.tools.coverage.matrix import Coverage

CSV_COLUMNS: Final = (
    "device", "capabilities", "architecture", "system", "driver_branch", "cuda_driver_version",
    "machines", "example", "variant", "rank", "reason",
)  # fmt: skip
TABLE_COLUMNS: Final = (
    "device", "capability", "CPU", "driver", "CUDA", "machines", "gets",
)  # fmt: skip
# What stands behind the choice of machines with a GPU that get no build for it.
HOLE: Final = "  HOLE"


def csv_rows(coverage: Coverage) -> Iterator[tuple[str, ...]]:
    """Yield one line per kind of machine and variant, made for a pivot table.

    ``rank`` is 1 for the variant that is chosen and empty for one that is refused.
    """
    reasons = Reasons(coverage)
    for row in coverage.rows:
        kind = row.kind
        head = (
            kind.device,
            " ".join(str(capability or "unknown") for capability in kind.capabilities),
            kind.architecture,
            kind.system,
            str(kind.driver or ""),
            str(kind.cuda or ""),
            str(row.group.machines),
            row.group.example,
        )
        if row.through_view:
            yield (*head, row.through_view.label, "", f"through a view: {row.through_view}")
        for rank, label in enumerate(row.order, start=1):
            yield (*head, label, str(rank), reasons.choice(row) if rank == 1 else "")
        for label, reason in reasons.refusals(row).items():
            yield (*head, label, "", reason)
        if not row.order:
            yield (*head, "", "1", f"{row.choice}: {reasons.choice(row)}")


def table_rows(coverage: Coverage) -> Iterator[tuple[str, ...]]:
    """Yield one line per kind of machine for the terminal, the most frequent first."""
    for row in sorted(coverage.rows, key=lambda row: -row.group.machines):
        kind = row.kind
        yield (
            kind.device,
            " ".join(str(capability or "?") for capability in kind.capabilities) or "-",
            kind.architecture,
            driver_words(kind) + (" (assumed)" if "driver" in kind.assumed else ""),
            str(kind.cuda or "-"),
            str(row.group.machines),
            f"{row.choice}{HOLE if row.is_hole else ''}",
            *((str(row.through_view),) if row.through_view else ()),
        )


def driver_words(kind: Kind) -> str:
    """Name the driver of a kind: ``R580``; ``CUDA 12.2`` where only that is known."""
    if kind.driver is not None:
        return f"R{kind.driver}"
    return f"CUDA {kind.cuda}" if kind.cuda else "none"
