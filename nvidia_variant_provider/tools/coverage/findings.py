"""What is wrong with a matrix: holes, shadows, ties, and builds that serve some GPUs only.

Pure, and of any matrix: of a fleet, or of the catalogue when a release is checked on its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.rules.catalogue import SM_ARCH
from nvidia_variant_provider.rules.device_code import judge_arch
from nvidia_variant_provider.tools.coverage.matrix import Ending, preferences
from nvidia_variant_provider.tools.coverage.reasons import Reasons
from nvidia_variant_provider.tools.coverage.release import labels_on
from nvidia_variant_provider.tools.explain.words import parse_arch
from nvidia_variant_provider.tools.findings.model import Finding, Problem, Rule, Severity
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nvidia_variant_provider.model import ComputeCapability, SmArch
    from nvidia_variant_provider.tools.coverage.kinds import Kind
    from nvidia_variant_provider.tools.coverage.matrix import Coverage, Row
    from nvidia_variant_provider.tools.metadata.ordering import Properties


NO_BUILD: Final = Rule("no-build", Severity.WARNING, "a device that no build holds code for")
HOLE: Final = Rule("hole", Severity.ERROR, "machines with a GPU that get no build for it")
SHADOW: Final = Rule(
    "shadow", Severity.WARNING, "a build with PTX only wins over one with native code"
)
TIE: Final = Rule("tie", Severity.WARNING, "only the label decides between two variants")
SOME_GPUS: Final = Rule(
    "some-gpus", Severity.WARNING, "a build that runs on some GPUs of its machine only"
)
UNUSED: Final = Rule("unused", Severity.NOTE, "variants that no machine takes")

RULES: Final = (NO_BUILD, HOLE, SHADOW, TIE, SOME_GPUS, UNUSED)
"""Every rule, in the order of a report; docs/coverage.md has a section for each."""


class CodeKind(Enum):
    """The device code of a build on one GPU; ordered by the words, not by worth."""

    NATIVE = "native"
    PTX = "ptx"
    NONE = "none"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class FleetFinding:
    """What is wrong with a matrix: labels and kinds it concerns, how many machines, a sentence."""

    rule: Rule
    labels: tuple[str, ...]
    kinds: tuple[Kind, ...]
    machines: int
    text: str

    def in_release(self, source: str) -> Finding:
        """Return it as a finding in a release, in the form that every tool shares."""
        return Finding(self.rule, Problem(source, ", ".join(self.labels), self.text))


def find(coverage: Coverage) -> tuple[FleetFinding, ...]:
    """Return the findings of a matrix: by problem, then by how many machines they concern."""
    findings = [
        *_no_builds(coverage),
        *_holes(coverage),
        *_shadows(coverage),
        *_ties(coverage),
        *_some_gpus(coverage),
        *_unused(coverage),
    ]
    return tuple(sorted(findings, key=lambda row: (RULES.index(row.rule), -row.machines, row.text)))


def code_for(properties: Properties, kind: Kind, capability: ComputeCapability) -> CodeKind:
    """Return what a build really holds for one GPU of a kind, whatever a rule set says."""
    values = properties.get(NVIDIA_NAMESPACE, {}).get(SM_ARCH)
    if values is None:
        return CodeKind.UNSTATED
    runs = [arch for arch in _archs(values) if judge_arch(arch, capability, kind.cuda).supported]
    if not runs:
        return CodeKind.NONE
    return CodeKind.PTX if all(arch.virtual for arch in runs) else CodeKind.NATIVE


def _no_builds(coverage: Coverage) -> Iterator[FleetFinding]:
    """Find the capabilities that no build of the release holds code for, whatever the driver."""
    generations: dict[tuple[ComputeCapability, str, str], list[Row]] = {}
    for row in coverage.rows:
        for capability in row.kind.known_capabilities:
            where = (capability, row.kind.system, row.kind.architecture)
            generations.setdefault(where, []).append(row)
    for (capability, system, architecture), rows in generations.items():
        if _has_build(coverage, rows, capability):
            continue
        text = f"no build holds code for capability {capability} on {system} {architecture}"
        yield _finding(NO_BUILD, (), rows, f"{text}: {_machines(rows)}")


def _has_build(coverage: Coverage, rows: list[Row], capability: ComputeCapability) -> bool:
    labels = labels_on(coverage.release, rows[0].kind.system, rows[0].kind.architecture)
    variants = coverage.release.strict.variants
    return any(
        code_for(variants[label], row.kind, capability) is not CodeKind.NONE
        for label in labels
        if NVIDIA_NAMESPACE in variants[label]
        for row in rows
    )


def _holes(coverage: Coverage) -> Iterator[FleetFinding]:
    """Find machines with a GPU that end at a build for none, grouped by the cause."""
    reasons = Reasons(coverage)
    groups: dict[object, list[Row]] = {}
    for row in coverage.rows:
        if row.is_hole:
            kind, nearest = row.kind, reasons.nearest(row.kind)
            where = (kind.capabilities, kind.system, kind.architecture, kind.reason, kind.unknown)
            groups.setdefault((row.choice, nearest, *where), []).append(row)
    for rows in groups.values():
        first = rows[0]
        text = f"{_machines(rows)}: {first.choice} is installed; {reasons.choice(first)}"
        yield _finding(HOLE, (first.choice.label,), rows, text)


def _machines(rows: Sequence[Row]) -> str:
    """Name the machines of some rows: ``B200 (x86_64, driver branch 570 to 575)``."""
    few = 4
    names = list(dict.fromkeys(row.kind.device for row in rows))
    more = f" and {len(names) - few} more" if len(names) > few else ""
    branches = sorted({row.kind.driver for row in rows if row.kind.driver is not None})
    drivers = f", driver branch {branches[0]}" if branches else ""
    drivers += f" to {branches[-1]}" if len(branches) > 1 else ""
    return f"{', '.join(names[:few])}{more} ({rows[0].kind.architecture}{drivers})"


def _shadows(coverage: Coverage) -> Iterator[FleetFinding]:
    """Find builds that win with PTX only although a build further down holds native code."""
    variants = coverage.release.strict.variants
    pairs: dict[tuple[str, str], list[Row]] = {}
    for row in coverage.rows:
        for label in _native_below(row, variants):
            pairs.setdefault((row.order[0], label), []).append(row)
            break
    for (winner, shadowed), rows in pairs.items():
        text = f"{_machines(rows)}: {winner} wins with PTX only, {shadowed} holds native code"
        yield _finding(SHADOW, (winner, shadowed), rows, text)


def _native_below(row: Row, variants: Mapping[str, Properties]) -> Iterator[str]:
    known = row.kind.known_capabilities
    if row.choice.ending is not Ending.GPU or not known:
        return
    winner = {code_for(variants[row.order[0]], row.kind, capability) for capability in known}
    if CodeKind.PTX not in winner:
        return
    for label in row.order[1:]:
        if all(
            code_for(variants[label], row.kind, capability) is CodeKind.NATIVE
            for capability in known
        ):
            yield label


def _ties(coverage: Coverage) -> Iterator[FleetFinding]:
    """Find choices that nothing but the alphabet made."""
    variants = coverage.release.strict.variants
    pairs: dict[tuple[str, str], list[Row]] = {}
    decided: dict[object, bool] = {}
    for row in coverage.rows:
        if len(row.order) > 1:
            first, second = row.order[:2]
            key = (row.kind.cuda, row.kind.capabilities, first, second)
            if key not in decided:
                prefer = preferences(coverage.release, row.kind, coverage.rules)
                decided[key] = prefer.deciding(variants[first], variants[second]) is not None
            if not decided[key]:
                pairs.setdefault((first, second), []).append(row)
    for (first, second), rows in pairs.items():
        text = f"{first} wins over {second} by its label alone"
        yield _finding(TIE, (first, second), rows, text)


def _some_gpus(coverage: Coverage) -> Iterator[FleetFinding]:
    """Find machines with several GPUs whose build runs on some of them only."""
    variants = coverage.release.strict.variants
    for row in coverage.rows:
        if row.choice.ending is not Ending.GPU:
            continue
        stated = variants[row.choice.label]
        left_out = [
            str(capability)
            for capability in row.kind.known_capabilities
            if code_for(stated, row.kind, capability) is CodeKind.NONE
        ]
        if left_out:
            text = f"{row.kind.device}: {row.choice} does not run on capability "
            listed = ", ".join(left_out)
            yield _finding(SOME_GPUS, (row.choice.label,), [row], text + listed)


def _unused(coverage: Coverage) -> Iterator[FleetFinding]:
    """Find variants that no machine takes."""
    taken = {row.choice.label for row in coverage.rows}
    unused = tuple(label for label in coverage.release.strict.variants if label not in taken)
    if unused:
        few = 8
        more = f" and {len(unused) - few} more" if len(unused) > few else ""
        listed = ", ".join(unused[:few]) + more
        yield FleetFinding(UNUSED, unused, (), 0, f"no machine takes {listed}")


def _finding(rule: Rule, labels: tuple[str, ...], rows: list[Row], text: str) -> FleetFinding:
    machines = sum(row.group.machines for row in rows)
    kinds = tuple(row.kind for row in rows)
    return FleetFinding(rule, tuple(filter(None, labels)), kinds, machines, text)


def _archs(values: Iterable[str]) -> Iterator[SmArch]:
    for value in values:
        if arch := parse_arch(value):
            yield arch
