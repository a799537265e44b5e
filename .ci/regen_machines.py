"""Rewrite ``docs/machines.md`` from the recorded machines; ``--check`` fails if it has drifted."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import generated  # noqa: E402

from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, UPPER_BOUND  # noqa: E402
from tests.recorded import load_states  # noqa: E402 - the one reader of these files

if TYPE_CHECKING:
    from nvidia_variant_provider.rules.verdict import Feature
    from tests.recorded import State

TARGET: Final = ROOT / "docs" / "machines.md"
HEAD: Final = """\
# What we do on which machine

Each row is a state that people have met and reported; its record in `tests/data/machines/` names
the threads. Tests check detection against every row, and some of them run on real files with
compiled libraries (`tests/native/test_machines_for_real.py`). [status.md](status.md) explains the
statuses and notes, [records.md](records.md) the records.

`derived` marks a CUDA driver version that was concluded from the driver branch, because no library
told it. The last column has the decisive value of each feature in the order in which an installer
gets them: the highest lower bound, the lowest upper bound, the best SM architecture.
"""
TAIL: Final = """
## Not expressed as records

- **child-in-d-state** as a child that the kernel keeps: a record can only say that nothing came
  back in time. That the parent does not wait again is held by `tests/native/test_faults.py`.
- **container-huge-nofile**: a record has no limit on descriptors, so it holds the time that is
  left once the child has lowered it.
- **laptop-dgpu-asleep**: that the GPU may sleep again afterwards is not visible in a record.
- **win-arm-x64-process**, **wsl1**, **macos** and all of Windows are replayed only; no such machine
  was at hand. The record of win-driverstore-only cannot say which of several folders is the
  newest, since files have no dates in a record: they are tried in the order of their names.
"""


def render(states: list[State]) -> str:
    """Return the page."""
    parts = [HEAD]
    for group, members in groupby(states, lambda state: str(state.record["about"]["group"])):
        parts += [f"\n## {group[2].upper()}{group[3:]}\n\n", _table(list(members))]
    return "".join((*parts, TAIL))


def _table(states: list[State]) -> str:
    rows = [
        "| state | what it is | status | driver | CUDA | capabilities | notes | first values |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*rows, *map(_row, states)]) + "\n"


def _row(state: State) -> str:
    answer = state.answer()
    machine = answer.detection.machine
    cuda = f"{machine.cuda}{' derived' if machine.cuda_derived else ''}" if machine.cuda else "-"
    cells = (
        f"`{state.name}`",
        str(state.record["about"]["title"]),
        machine.status.value,
        str(machine.driver_release or "-"),
        cuda,
        ", ".join(map(str, machine.capabilities)) or "-",
        ", ".join(dict.fromkeys(note.code for note in machine.notes)) or "-",
        ", ".join(map(_decisive, answer.decision.features)) or "nothing",
    )
    return "| " + " | ".join(cells) + " |"


def _decisive(feature: Feature) -> str:
    if feature.name == UPPER_BOUND:
        return f"< {feature.values[-1]}"
    return f"{'>= ' if feature.name == LOWER_BOUND else ''}{feature.values[0]}"


def main() -> int:
    """Write the page, or compare it."""
    return generated.run(__doc__, lambda: {TARGET: render(load_states())})


if __name__ == "__main__":
    sys.exit(main())
