"""What would change: a newer driver on the fleet, or one more variant in the release.

Pure, like the matrix: both questions make other values of a fleet or a release, and compare.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import CudaVersion
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH
from nvidia_variant_provider.tables.driver_branches import (
    BRANCHES,
    cuda_of_branch,
    last_branch_for,
)
from nvidia_variant_provider.tables.products import CAPABILITIES, OLDEST_BUILT_FOR
from nvidia_variant_provider.tools.coverage.catalogue import BRANCHES as SHOWN_BRANCHES
from nvidia_variant_provider.tools.coverage.fleet import Fleet
from nvidia_variant_provider.tools.coverage.matrix import cover
from nvidia_variant_provider.tools.inventory.resolve import parse_branch
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvidia_variant_provider.tools.coverage.kinds import Kind
    from nvidia_variant_provider.tools.coverage.matrix import Choice, Coverage
    from nvidia_variant_provider.tools.releases.release import Release

FORM: Final = "driver=580 or add=cuda12.6"
_LABEL: Final = re.compile(r"cuda(\d{1,2})\.(\d{1,2})", re.ASCII)


class Change(NamedTuple):
    """Machines that would choose otherwise: now, then, how many, the devices."""

    before: Choice
    after: Choice
    machines: int
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question changes: the changes, most machines first, and the holes that are left.

    ``assumed`` says what the answer takes for granted.
    """

    question: str
    assumed: str
    holes: int
    changes: tuple[Change, ...]


def answer(coverage: Coverage, question: str) -> Answer:
    """Answer ``driver=580`` or ``add=cuda12.6``; raises ``InvalidValueError`` for another form."""
    word, equals, value = question.partition("=")
    fleet = Fleet({row.kind: row.group for row in coverage.rows})
    if word == "driver" and equals:
        branch = parse_branch(value)
        if cuda_of_branch(branch) is None or branch < BRANCHES[0][0]:
            raise InvalidValueError(f"--what-if {question}: R{branch} is not a known driver branch")
        assumed = f"R{branch} replaces every older driver that can be used, if it serves the GPU"
        return _compared(
            coverage, question, assumed, coverage.release, fleet, lambda kind: raised(kind, branch)
        )
    if word == "add" and equals:
        release, assumed = with_variant(coverage.release, value)
        return _compared(coverage, question, assumed, release, fleet, lambda kind: kind)
    raise InvalidValueError(f"--what-if {question[:60]}: expected {FORM}")


def raised(kind: Kind, branch: int) -> Kind:
    """Return a kind with a driver branch, if that is newer than its own and serves its GPUs.

    Jetsons and machines without a usable driver stay as they are.
    """
    if kind.cuda is None or not kind.known_capabilities or _is_tegra(kind):
        return kind
    last = min(last_branch_for(capability) or branch for capability in kind.known_capabilities)
    wanted = min(branch, last)
    cuda = cuda_of_branch(wanted)
    if cuda is None or (kind.driver or 0) >= wanted or cuda < kind.cuda:
        return kind
    return replace(kind, driver=wanted, cuda=cuda)


def _is_tegra(kind: Kind) -> bool:
    tegra = {row.capability for row in CAPABILITIES if row.tegra}
    return any(capability in tegra for capability in kind.known_capabilities)


def with_variant(release: Release, label: str) -> tuple[Release, str]:
    """Return a release with one more variant for CUDA, and what is assumed of that."""
    match = _LABEL.fullmatch(label)
    if match is None:
        raise InvalidValueError(f"--what-if add={label[:60]}: expected a label such as cuda12.6")
    variants = release.strict.variants
    if label in variants:
        raise InvalidValueError(f"--what-if add={label}: the release has this variant")
    cuda = CudaVersion(int(match[1]), int(match[2]))
    archs = tuple(f"{number}_real" for number in sorted(_buildable(cuda)))
    if not archs:
        raise InvalidValueError(f"--what-if add={label}: CUDA {cuda} builds for no known GPU")
    stated = {NVIDIA_NAMESPACE: {LOWER_BOUND: (str(cuda),), SM_ARCH: archs}}
    metadata = replace(release.strict, variants={**variants, label: stated})
    wheels = release.wheels
    if wheels is not None:
        # A new build is made for the platforms that have builds now.
        copies = dict.fromkeys(
            replace(wheel, label=label)
            for wheel in wheels
            if NVIDIA_NAMESPACE in variants.get(wheel.label, {})
        )
        wheels = (*wheels, *copies)
    assumed = f"{label} holds device code for every GPU that CUDA {cuda} builds for"
    return replace(release, metadata=metadata, wheels=wheels), assumed


def _buildable(cuda: CudaVersion) -> Iterator[int]:
    for row in CAPABILITIES:
        dropped = any(cuda >= first and row.capability < kept for first, kept in OLDEST_BUILT_FOR)
        if not (row.tegra or dropped) and row.first_toolkit <= cuda:
            yield row.capability.number


def _compared(
    before: Coverage,
    question: str,
    assumed: str,
    release: Release,
    fleet: Fleet,
    changed: Callable[[Kind], Kind],
) -> Answer:
    after = _choices(release, fleet, changed, before.rules)
    groups: dict[tuple[Choice, Choice], tuple[int, dict[str, None]]] = {}
    holes = 0
    for row in before.rows:
        choice, is_hole = after[changed(row.kind)]
        holes += row.group.machines if is_hole else 0
        if choice != row.choice:
            number, devices = groups.setdefault((row.choice, choice), (0, {}))
            devices[row.kind.device] = None
            groups[row.choice, choice] = (number + row.group.machines, devices)
    changes = [Change(*pair, number, tuple(names)) for pair, (number, names) in groups.items()]
    changes.sort(key=lambda change: (-change.machines, str(change.before), str(change.after)))
    return Answer(question, assumed, holes, tuple(changes))


def _choices(
    release: Release, fleet: Fleet, changed: Callable[[Kind], Kind], rules: int
) -> dict[Kind, tuple[Choice, bool]]:
    kinds = {changed(kind): group for kind, group in fleet.groups.items()}
    rows = cover(release, Fleet(kinds), rules).rows
    return {row.kind: (row.choice, row.is_hole) for row in rows}


class Share(NamedTuple):
    """How many machines take each choice if a driver branch is the oldest of the fleet."""

    branch: int
    machines: dict[Choice, int]
    holes: int


def over_branches(coverage: Coverage) -> tuple[Share, ...]:
    """Return the shares of the choices for every branch that a machine could be raised to."""
    fleet = Fleet({row.kind: row.group for row in coverage.rows})
    oldest = min((row.kind.driver for row in coverage.rows if row.kind.driver), default=None)
    if oldest is None:
        return ()
    shares = []
    for branch in (known for known in SHOWN_BRANCHES if known >= oldest):
        change = partial(raised, branch=branch)
        after = _choices(coverage.release, fleet, change, coverage.rules)
        counts: dict[Choice, int] = {}
        holes = 0
        for row in coverage.rows:
            choice, is_hole = after[raised(row.kind, branch)]
            counts[choice] = counts.get(choice, 0) + row.group.machines
            holes += row.group.machines if is_hole else 0
        shares.append(Share(branch, counts, holes))
    return tuple(shares)
