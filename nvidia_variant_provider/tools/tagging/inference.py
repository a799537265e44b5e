"""From a wheel's device code, or a build's targets, to what it may state."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import CudaVersion, SmArch
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, OLDEST_CUDA, SM_ARCH
from nvidia_variant_provider.tables.driver_branches import BRANCHES
from nvidia_variant_provider.tools.binaries import elsewhere, ptx, runtime
from nvidia_variant_provider.tools.binaries.report import Kind, Role
from nvidia_variant_provider.tools.tagging.claims import (
    Claim,
    Standing,
    spell,
)
from nvidia_variant_provider.tools.tagging.groups import split
from nvidia_variant_provider.tools.tagging.statement import Bound, Statement, check_features

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from nvidia_variant_provider.model import ComputeCapability
    from nvidia_variant_provider.tools.binaries.report import Contents, Tally


def from_code(
    contents: Contents, threshold: float, bound: CudaVersion | None, *, use_ptx: bool = True
) -> Statement:
    """State what most containers of a wheel's own libraries have code for.

    Without PTX the bound stays the one of the cubins, and newer GPUs get another wheel. Raises
    ``InvalidValueError`` when the wheel holds nothing to infer from.
    """
    judged = _judge_groups(contents, threshold)
    claims = tuple(claim for claim in judged if use_ptx or not claim.virtual)
    archs = [value for claim in claims for value in claim.values]
    if not archs:
        raise InvalidValueError(f"{contents.path}: {_nothing(contents, claims, threshold)}")
    return _build(contents, archs, claims, bound, ())


def from_archs(
    contents: Contents | None, archs: Iterable[SmArch], bound: CudaVersion | None
) -> Statement:
    """State the targets a build was given; the wheel's code tells the bound unless one is given."""
    spelled, notes = [], []
    for arch in archs:
        value, reason = spell(arch)
        spelled.append(value)
        if reason:
            notes.append(f"{arch.target}: {value}: {reason}")
    return _build(contents, spelled, (), bound, tuple(notes))


def _build(
    contents: Contents | None,
    archs: Sequence[SmArch],
    claims: tuple[Claim, ...],
    given: CudaVersion | None,
    notes: tuple[str, ...],
) -> Statement:
    if given is not None:
        bound = Bound(given, ("given",))
    elif contents is not None:
        bound = infer_bound(contents, archs)
    else:
        bound = Bound(None, ("none wanted",))
    features = {SM_ARCH: tuple(str(arch) for arch in dict.fromkeys(archs))}
    if bound.value is not None:
        features[LOWER_BOUND] = (str(bound.value),)
    check_features(features)
    if contents is None:
        return Statement(features, claims, bound, notes=notes)
    alternatives = runtime.runtime_of(contents).alternatives
    priced = _price_of_ptx(contents, archs, bound) if given is None else ()
    remarks = (*notes, *priced, *_remarks(contents, alternatives))
    return Statement(features, claims, bound, main_toolkit(contents), alternatives, remarks)


def _price_of_ptx(contents: Contents, archs: Collection[SmArch], bound: Bound) -> tuple[str, ...]:
    """Say which drivers do not get the wheel because its PTX is stated, and how to avoid it."""
    native = [arch for arch in archs if not arch.virtual]
    without = infer_bound(contents, native).value if native else None
    if without is None or bound.value is None:
        return ()
    lost = [(branch, cuda) for branch, cuda in BRANCHES if without <= cuda < bound.value]
    if not lost:
        return ()
    (first, low), (last, high) = lost[0], lost[-1]
    whose = f"driver branches R{first} to R{last} (CUDA {low} to {high})"
    if first == last:
        whose = f"driver branch R{first} (CUDA {low})"
    raised = f"the stated PTX raises the lower bound from {without} to {bound.value}"
    other = "get another build, the CPU build if there is no other; --no-ptx avoids that"
    return (f"{raised}: machines with {whose} {other}",)


def _judge_groups(contents: Contents, threshold: float) -> tuple[Claim, ...]:
    """Judge the code for each CUDA by itself; of several judgements the most favourable counts."""
    best: dict[tuple[bool, ComputeCapability], Claim] = {}
    for group in split(contents):
        for claim in group.claims(threshold):
            shown = claim
            if group.name:
                reason = "; ".join(part for part in (group.name, claim.reason) if part)
                shown = replace(claim, reason=reason)
            key = (claim.virtual, claim.capability)
            best[key] = min(best.get(key, shown), shown, key=_standing)
    return tuple(best[key] for key in sorted(best))


def _standing(claim: Claim) -> int:
    return list(Standing).index(claim.standing)


def infer_bound(contents: Contents, archs: Collection[SmArch]) -> Bound:
    """Work out the lower bound for code that is stated: cubins alone, or PTX as well.

    Cubins run on every driver of their CUDA major. PTX is compiled by the driver, which has to
    know its ISA version. Of libraries for several CUDAs the least demanding are enough.
    """
    groups = split(contents)
    if len(groups) == 1:
        return _infer_bound(contents, archs)
    bounds = {
        group.name: _infer_bound(group.contents, _ptx_in(group.contents, archs)) for group in groups
    }
    known = [
        (bound.value, name, bound.evidence)
        for name, bound in bounds.items()
        if bound.value is not None
    ]
    if not known:
        return bounds[groups[0].name]
    value, name, evidence = min(known)
    return Bound(value, (f"the libraries for {name}", *evidence))


def _ptx_in(contents: Contents, archs: Iterable[SmArch]) -> list[SmArch]:
    """Return the PTX that is stated and that a group has."""
    in_code = (tally.image.arch for tally in _kernels(contents))
    ptx_of = {arch.capability for arch in in_code if arch is not None and arch.virtual}
    return [arch for arch in archs if arch.virtual and arch.capability in ptx_of]


def _infer_bound(contents: Contents, archs: Iterable[SmArch]) -> Bound:
    bounds = runtime.runtime_of(contents).bounds
    compatible, evidence = bounds.compatible, list(bounds.evidence)
    virtual = {arch.capability for arch in archs if arch.virtual}
    isas = {
        tally.image.isa
        for tally in _kernels(contents)
        if tally.image.kind is Kind.PTX and tally.image.arch and tally.image.isa
        and tally.image.arch.capability in virtual
    }  # fmt: skip
    versions = [ptx.first_cuda(isa) for isa in isas]
    if None in versions:
        evidence.append("no known driver compiles PTX of this version")
        return Bound(None, tuple(evidence), is_unknown=True)
    known = sorted({version for version in versions if version is not None})
    evidence += [f"PTX is stated, and a driver of CUDA {version} compiles it" for version in known]
    compatible = max(filter(None, (compatible, *known)), default=None)
    if virtual and not versions:
        compatible = bounds.strict
        evidence.append("PTX is stated, but the wheel shows none: the toolkit's version")
    if compatible is not None and compatible < OLDEST_CUDA:
        evidence.append(f"the code needs CUDA {compatible}; properties start at {OLDEST_CUDA}")
        compatible = OLDEST_CUDA
    return Bound(compatible, tuple(evidence))


def main_toolkit(contents: Contents) -> CudaVersion | None:
    """Return the toolkit that a wheel was built with, as far as it can be told.

    A requirement that pins the toolkit's libraries says it best. Else it is the one found in
    libraries with most containers: torch 2.15 is made by 13.2 and has a few cubins of 13.4.
    """
    weights: Counter[CudaVersion] = Counter()
    # Cubins of another major than the runtime's are prebuilt ones that came along.
    majors = {version.major for version in runtime.runtime_of(contents).alternatives}
    for library in contents.own:
        for version in library.made_by:
            if not majors or version.major in majors:
                weights[version] += max(library.kernel_containers, 1)
    stated = [needed.cuda for needed in contents.required if "." in needed.cuda]
    seen = {version.major for version in weights}
    pinned = [version for version in map(CudaVersion.parse, stated) if version.major in seen]
    if pinned:
        return max(pinned)
    return max(weights, key=lambda version: (weights[version], version), default=None)


def _kernels(contents: Contents) -> list[Tally]:
    return [
        tally for library in contents.own for tally in library.images if tally.image.has_kernels
    ]


def _nothing(contents: Contents, claims: Sequence[Claim], threshold: float) -> str:
    if claims:
        best = max(claims, key=lambda claim: claim.served)
        return (
            f"no architecture is served by {threshold:.0%} of the containers, the best"
            f" ({best.capability}) by {best.served} of {best.total};"
            " lower --threshold or use --archs"
        )
    loose = (library for library in contents.own if library.form != "ptx")
    bare = {tally.image.number for library in loose for tally in library.bare}
    if bare:
        shown = ", ".join(str(number) for number in sorted(bare))
        return f"single cubins ({shown}) that the library chooses by name; state them with --archs"
    return _without_code(contents)


def _without_code(contents: Contents) -> str:
    """Say what to state of a wheel without code: a bound alone, unless nothing speaks of CUDA."""
    needed = runtime.runtime_of(contents).bounds.compatible
    evidence = elsewhere.evidence_of(contents)
    nothing = "no embedded device code to infer from"
    alone = f'--property "nvidia :: {LOWER_BOUND} :: {{0}}" --label cuda{{0}}'
    if needed is not None:
        bound = max(needed, OLDEST_CUDA)
        return f"{nothing}, but the wheel needs CUDA; to state that alone: {alone.format(bound)}"
    if evidence:
        return (
            f"{nothing}, but it {'is no' if evidence[0].is_strong else 'may be no'} CPU wheel"
            f" ({evidence[0].text}); to state the oldest CUDA driver version alone,"
            f" for example {OLDEST_CUDA}: {alone.format(OLDEST_CUDA)}"
        )
    return f"{nothing}; use --archs, --property or --null"


def _remarks(contents: Contents, alternatives: Sequence[CudaVersion]) -> tuple[str, ...]:
    """Say what was left out of the inference and why."""
    notes = []
    if len(alternatives) > 1:
        shown = ", ".join(str(version) for version in alternatives)
        notes.append(f"libraries for several CUDA majors ({shown}): each is judged by itself")
    not_own = [library for library in contents.libraries if library.role is not Role.OWN]
    notes += [
        f"{library.path}: {library.role.value}, not counted"
        for library in not_own
        if library.has_device_code
    ]
    others = {
        tally.image.kind.value
        for library in contents.own
        for tally in library.images
        if tally.image.kind in {Kind.LTO, Kind.TILE, Kind.OTHER}
    }
    notes += [
        f"{kind} images are not counted: no driver runs them as they are" for kind in sorted(others)
    ]
    bare = sum(tally.count for library in contents.own for tally in library.bare)
    if bare:
        notes.append(f"{bare} single cubins outside of containers are not counted")
    notes += [
        f"{finding.problem.key}: {finding.rule.code}: {finding.problem.message}"
        for finding in contents.all_findings
    ]
    return tuple(notes)
