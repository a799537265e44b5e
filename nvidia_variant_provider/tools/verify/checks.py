"""The checks of one wheel: each compares one thing it states with its code."""

from __future__ import annotations

import re
from functools import wraps
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.model import CudaVersion, SmArch
from nvidia_variant_provider.rules.catalogue import LOWER_BOUND, SM_ARCH
from nvidia_variant_provider.tools.findings.model import Problem, Severity, Uv
from nvidia_variant_provider.tools.findings.registry import Registry
from nvidia_variant_provider.tools.tagging.claims import Standing, has_nothing, is_main
from nvidia_variant_provider.tools.tagging.inference import infer_bound, main_toolkit
from nvidia_variant_provider.tools.tagging.statement import NAMESPACE
from nvidia_variant_provider.tools.verify.wheel import known_gpus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nvidia_variant_provider.model import ComputeCapability
    from nvidia_variant_provider.tools.binaries.report import Profile
    from nvidia_variant_provider.tools.verify.code import GroupCode
    from nvidia_variant_provider.tools.verify.wheel import ExaminedWheel

    Problems = Iterator[tuple[str, str]]

WHEEL: Final[Registry[ExaminedWheel]] = Registry()
# "cuda13.0", "cuda12", "cu126", "cu12".
_LABEL: Final = re.compile(r"cu(?:da)?_?(\d{2})(?:[._]?(\d{1,2}))?")


def check(
    code: str, severity: Severity, title: str
) -> Callable[[Callable[[ExaminedWheel], Problems]], Callable[[ExaminedWheel], Iterator[Problem]]]:
    """Register a check of a wheel; it yields what each problem is about, and a sentence."""

    def register(
        find: Callable[[ExaminedWheel], Problems],
    ) -> Callable[[ExaminedWheel], Iterator[Problem]]:
        @WHEEL.check(code, severity, Uv.NONE, title)
        @wraps(find)
        def in_wheel(wheel: ExaminedWheel) -> Iterator[Problem]:
            return (Problem(wheel.path, key, message) for key, message in find(wheel))

        return in_wheel

    return register


def _value(arch: SmArch) -> str:
    return f"{NAMESPACE} :: {SM_ARCH} :: {arch}"


def _real(wheel: ExaminedWheel) -> list[SmArch]:
    return [arch for arch in wheel.stated if not arch.virtual] if wheel.code.total else []


def _serving(wheel: ExaminedWheel, arch: SmArch) -> list[GroupCode]:
    """Return the groups that serve a value's GPUs as they should."""
    return [code for code in wheel.groups if code.is_enough(code.serving(arch))]


@check("NV301", Severity.ERROR, "a claimed architecture that no code serves")
def check_unserved(wheel: ExaminedWheel) -> Problems:
    """Find values on whose GPUs no container has a cubin to run."""
    for arch in _real(wheel):
        if not wheel.code.served(arch.capability):
            text = f"no cubin runs on {arch.capability}"
            copies = ", ".join(_copies_with(wheel, arch.capability))
            yield _value(arch), text + (f"; only the copied {copies} has code" if copies else "")


@check("NV302", Severity.ERROR, "a claimed architecture that only a few containers serve")
def check_partial(wheel: ExaminedWheel) -> Problems:
    """Find values on whose GPUs fewer containers than the threshold run, whatever is loaded."""
    for arch in _real(wheel):
        best = wheel.best(arch)
        if best.serving(arch) and not _serving(wheel, arch):
            yield _value(arch), f"{best.share(best.serving(arch))} run on {arch.capability}"


@check("NV303", Severity.NOTE, "a claimed architecture served by code for another")
def check_borrowed(wheel: ExaminedWheel) -> Problems:
    """Find values whose GPUs are served, mostly by code for older ones."""
    for arch in _real(wheel):
        serving = _serving(wheel, arch)
        if serving and not any(code.is_enough(code.exact(arch)) for code in serving):
            share = serving[0].share(serving[0].exact(arch))
            yield _value(arch), f"{share} have code for just {arch.capability}"


@check("NV304", Severity.ERROR, "a value that promises more GPUs than the code runs on")
def check_promise(wheel: ExaminedWheel) -> Problems:
    """Find plain values for such code: ``100a`` runs on 10.0 alone, ``100_real`` means 10.3 too."""
    for arch in _real(wheel):
        for gpu in known_gpus(arch):
            short = (code for code in _serving(wheel, arch) if not code.is_enough(code.served(gpu)))
            if code := next(short, None):
                yield _value(arch), f"promises {gpu}: {code.share(code.served(gpu))} run there"


@check("NV305", Severity.ERROR, "claimed PTX that few containers have")
def check_ptx(wheel: ExaminedWheel) -> Problems:
    """Find PTX of which a GPU newer than all cubins would find next to nothing to compile."""
    for arch in wheel.stated:
        if arch.virtual and wheel.code.total and not _serving(wheel, arch):
            best = wheel.best(arch)
            yield _value(arch), f"{best.share(best.serving(arch))} have PTX for it"


@check("NV306", Severity.WARNING, "code for a full target that is not claimed")
def check_unclaimed(wheel: ExaminedWheel) -> Problems:
    """Find architectures that most containers have cubins for and the wheel does not state."""
    yield from _unclaimed(wheel, virtual=False)


@check("NV307", Severity.NOTE, "PTX that is not claimed")
def check_unclaimed_ptx(wheel: ExaminedWheel) -> Problems:
    """Find PTX that newer GPUs could run; leaving it out keeps the lower bound low."""
    yield from _unclaimed(wheel, virtual=True)


def _unclaimed(wheel: ExaminedWheel, *, virtual: bool) -> Problems:
    if not wheel.stated:
        return
    seen = {(arch.capability, arch.virtual) for arch in wheel.stated}
    for code in wheel.groups:
        for claim in code.claims:
            is_meant = claim.standing is Standing.CLAIMED and claim.virtual is virtual
            if not is_meant or (claim.capability, claim.virtual) in seen:
                continue
            seen.add((claim.capability, claim.virtual))
            for value in claim.values:
                share = code.share(claim.present)
                yield _value(value), f"not stated, and {share} have code for {claim.capability}"


@check("NV310", Severity.NOTE, "a copied library with code for more architectures")
def check_copies(wheel: ExaminedWheel) -> Problems:
    """Find copies that would make a list of all code in the wheel too long."""
    own = _capabilities(wheel.code.profiles)
    for library in wheel.contents.libraries:
        wider = sorted(_capabilities(library.profiles) - own) if library.vendored and own else []
        if wider:
            shown = ", ".join(str(gpu) for gpu in wider)
            yield library.path, f"has code for {shown}, the wheel's own libraries have none"


@check("NV311", Severity.WARNING, "libraries for several CUDA majors")
def check_alternatives(wheel: ExaminedWheel) -> Problems:
    """Find alternatives, of which one is loaded: the tags cannot say which."""
    if len(wheel.needs.alternatives) > 1:
        shown = ", ".join(str(version) for version in wheel.needs.alternatives)
        yield (
            "",
            f"libraries need CUDA {shown}: each is judged by itself, the least is enough",
        )


@check("NV312", Severity.NOTE, "an architecture that libraries for some CUDAs do not serve")
def check_groups(wheel: ExaminedWheel) -> Problems:
    """Find values that hold only if the machine loads the libraries of certain CUDAs."""
    for arch in wheel.stated:
        serving = _serving(wheel, arch)
        lacking = [code.group.name for code in wheel.groups if code not in serving]
        if serving and lacking:
            yield _value(arch), f"not served by the libraries for {', '.join(lacking)}"


@check("NV320", Severity.ERROR, "a lower bound below what the code needs")
def check_low_bound(wheel: ExaminedWheel) -> Problems:
    """Find bounds that let drivers through that are too old for the code."""
    needed, evidence = _needed(wheel)
    if wheel.lower_bound is not None and needed is not None and wheel.lower_bound < needed:
        yield _bound(wheel.lower_bound), f"the code needs {needed} ({evidence})"


@check("NV321", Severity.WARNING, "a lower bound above what the code needs")
def check_high_bound(wheel: ExaminedWheel) -> Problems:
    """Find bounds that keep out drivers that could run the code."""
    needed, evidence = _needed(wheel)
    if wheel.lower_bound is not None and needed is not None and wheel.lower_bound > needed:
        yield _bound(wheel.lower_bound), f"{needed} is enough for the code ({evidence})"


@check("NV322", Severity.WARNING, "no lower bound, though the code needs one")
def check_no_bound(wheel: ExaminedWheel) -> Problems:
    """Find wheels that every driver, however old, would be given."""
    needed, evidence = _needed(wheel)
    if wheel.features and wheel.lower_bound is None and needed is not None:
        yield "", f"states no {LOWER_BOUND}, the code needs {needed} ({evidence})"


@check("NV330", Severity.ERROR, "architectures claimed without device code")
def check_no_code(wheel: ExaminedWheel) -> Problems:
    """Find wheels that state architectures and have no code of their own."""
    if wheel.stated and not wheel.code.total and not _bare(wheel):
        strong = next((clue.text for clue in wheel.evidence if clue.is_strong), "")
        why = f": {strong}; state a bound alone" if strong else ""
        values = f"{len(wheel.stated)} value{'s' * (len(wheel.stated) > 1)}"
        text = f"{values}, and no device code of its own{why}"
        yield f"{NAMESPACE} :: {SM_ARCH}", text


@check("NV331", Severity.NOTE, "device code that cannot be counted")
def check_bare(wheel: ExaminedWheel) -> Problems:
    """Find single cubins, which a library chooses by name, so that no share can be told."""
    if wheel.stated and not wheel.code.total and _bare(wheel):
        missing = [arch for arch in wheel.stated if arch.capability not in _bare(wheel)]
        shown = ", ".join(str(gpu) for gpu in sorted(_bare(wheel)))
        lacking = ", ".join(str(arch) for arch in missing)
        yield (
            f"{NAMESPACE} :: {SM_ARCH}",
            f"single cubins for {shown}" + (f"; none for {lacking}" if lacking else ""),
        )


@check("NV332", Severity.WARNING, "a null variant with device code")
def check_null(wheel: ExaminedWheel) -> Problems:
    """Find code that needs a GPU in the variant for every machine."""
    if not wheel.properties and (wheel.code.total or _bare(wheel)):
        yield "", f"states nothing, and {wheel.code.total} containers hold kernels"


@check("NV333", Severity.WARNING, "a null variant that needs CUDA all the same")
def check_null_elsewhere(wheel: ExaminedWheel) -> Problems:
    """Find wheels for every machine whose code is made at run time or lies in other packages."""
    if not wheel.properties and not (wheel.code.total or _bare(wheel)):
        needed = (clue.text for clue in wheel.evidence if clue.is_needed)
        if text := next(needed, ""):
            yield "", f"states nothing, though it is no CPU wheel: {text}"


@check("NV340", Severity.ERROR, "a requirement on another CUDA major")
def check_requirements(wheel: ExaminedWheel) -> Problems:
    """Find packages that come along for another CUDA than the code's."""
    majors = sorted({str(version.major) for version in wheel.needs.alternatives})
    for requirement in wheel.contents.required:
        major = requirement.cuda.partition(".")[0]
        if major and major not in majors:
            yield requirement.text, f"is for CUDA {major}, the wheel for {', '.join(majors)}"


@check("NV350", Severity.WARNING, "a label that names another CUDA")
def check_label(wheel: ExaminedWheel) -> Problems:
    """Find labels that mislead whoever picks one by hand: ``cuda12.6`` on code of CUDA 13."""
    match = _LABEL.fullmatch(wheel.name.label)
    toolkit = main_toolkit(wheel.contents)
    versions = {version.major for version in wheel.needs.alternatives}
    if not match or not versions:
        return
    major, minor = int(match[1]), match[2]
    if major not in versions:
        yield wheel.name.label, f"the code is for CUDA {', '.join(map(str, sorted(versions)))}"
    elif minor and toolkit and len(versions) == 1 and toolkit != CudaVersion(major, int(minor)):
        yield wheel.name.label, f"the wheel was built with CUDA {toolkit}"


@check("NV313", Severity.WARNING, "a library without code for an architecture that others serve")
def check_lists(wheel: ExaminedWheel) -> Problems:
    """Find libraries on which a stated architecture fails, beside others that have code for it."""
    yield from _lists(wheel, main=True)


@check("NV314", Severity.NOTE, "a special or small library without code for an architecture")
def check_special_lists(wheel: ExaminedWheel) -> Problems:
    """Find such libraries that are for one GPU generation by design, or hardly count."""
    yield from _lists(wheel, main=False)


def _lists(wheel: ExaminedWheel, *, main: bool) -> Problems:
    lacking: dict[str, set[SmArch]] = {}
    for code in wheel.groups:
        own = code.group.contents.own
        held = [arch for arch in _real(wheel) if code.is_enough(code.serving(arch))]
        for library in own:
            if is_main(library, own, wheel.threshold) is not main:
                continue
            missing = {arch for arch in held if has_nothing(library, arch.capability)}
            if missing:
                lacking.setdefault(library.path, set()).update(missing)
    for path, archs in sorted(lacking.items()):
        yield path, f"has nothing for {', '.join(map(str, sorted(archs)))}, which others serve"


@check("NV360", Severity.ERROR, "a part of the wheel that could not be read")
def check_readable(wheel: ExaminedWheel) -> Problems:
    """Find what was not read, and so not verified."""
    for finding in wheel.contents.unread:
        yield finding.problem.key, f"{finding.rule.code}: {finding.problem.message}"


@check("NV361", Severity.NOTE, "an archive inside the wheel that was not looked into")
def check_packed(wheel: ExaminedWheel) -> Problems:
    """Find archives: device code in them is neither counted nor verified."""
    for finding in wheel.contents.packed:
        yield finding.problem.key, finding.problem.message


def _bound(version: CudaVersion) -> str:
    return f"{NAMESPACE} :: {LOWER_BOUND} :: {version}"


def _needed(wheel: ExaminedWheel) -> tuple[CudaVersion | None, str]:
    # A claim of PTX that the code does not bear out is one fault, not two.
    borne_out = [arch for arch in wheel.stated if not arch.virtual or _serving(wheel, arch)]
    bound = infer_bound(wheel.contents, borne_out)
    return bound.value, "; ".join(bound.evidence)


def _capabilities(profiles: Iterable[Profile]) -> set[ComputeCapability]:
    return {arch.capability for row in profiles for arch in row.archs if not arch.virtual}


def _copies_with(wheel: ExaminedWheel, gpu: ComputeCapability) -> list[str]:
    copies = [library for library in wheel.contents.libraries if library.vendored]
    return [library.path for library in copies if gpu in _capabilities(library.profiles)]


def _bare(wheel: ExaminedWheel) -> set[ComputeCapability]:
    archs = (tally.image.arch for library in wheel.contents.own for tally in library.bare)
    return {arch.capability for arch in archs if arch is not None}
