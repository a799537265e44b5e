"""NV5xx: which build wins on which machine, computed over the machines that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.rules import DEFAULT_RULES
from nvidia_variant_provider.tools.findings.model import Problem, Severity, Uv
from nvidia_variant_provider.tools.findings.registry import Registry
from nvidia_variant_provider.tools.lint.machine_grid import (
    MAX_LABELS,
    RULE_SETS,
    Choice,
    choices_everywhere,
)
from nvidia_variant_provider.tools.metadata.document import NVIDIA_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nvidia_variant_provider.tools.releases.lenient import LenientView

SELECTION: Final[Registry[LenientView]] = Registry()

_VIRTUAL: Final = "_virtual"


@SELECTION.check("NV501", Severity.WARNING, Uv.NONE, "only the label decides between two builds")
def check_ties(release: LenientView) -> Iterator[Problem]:
    """Report builds with nothing between them: the lesser label wins, the older CUDA as a rule."""
    for (winner, loser), choices in _pairs(release, _tied).items():
        message = (
            f"{winner} and {loser} are tied and the lesser label wins, {winner}: {_on(choices)}"
        )
        yield Problem(_source(release), "variants", message)


@SELECTION.check("NV502", Severity.WARNING, Uv.NONE, "a GPU generation between others has no build")
def check_holes(release: LenientView) -> Iterator[Problem]:
    """Report generations that no build serves although an older and a newer one are served."""
    for family, rows in _served(release).items():
        served = [index for index, choice in enumerate(rows) if choice.labels]
        for choice in rows[served[0] : served[-1]] if served else ():
            if not choice.labels:
                yield _unserved(release, family, [choice])


@SELECTION.check("NV503", Severity.NOTE, Uv.NONE, "older or newer GPU generations have no build")
def check_reach(release: LenientView) -> Iterator[Problem]:
    """Report the generations before the first and after the last that is served."""
    for family, rows in _served(release).items():
        served = [index for index, choice in enumerate(rows) if choice.labels]
        ends = (rows[: served[0]], rows[served[-1] + 1 :]) if served else (rows,)
        for unserved in ends:
            if unserved:
                yield _unserved(release, family, unserved)


@SELECTION.check("NV504", Severity.WARNING, Uv.NONE, "PTX wins over native code")
def check_shadows(release: LenientView) -> Iterator[Problem]:
    """Report builds that win with PTX where a build with a cubin for the GPU is compatible too."""
    for (winner, loser), choices in _pairs(release, _shadowed).items():
        message = (
            f"{winner} wins with PTX only, compiled on first use, over {loser} with native code:"
            f" {_on(choices)}"
        )
        yield Problem(_source(release), f"variants/{winner}", message)


@SELECTION.check("NV505", Severity.NOTE, Uv.NONE, "a build that is never selected")
def check_reachable(release: LenientView) -> Iterator[Problem]:
    """Report builds that are never the best one."""
    choices = [choice for choice in choices_everywhere(release) if choice.rule_set == DEFAULT_RULES]
    best = {choice.labels[0] for choice in choices if choice.labels}
    for label, variant in sorted(release.variants.items()):
        if choices and NVIDIA_NAMESPACE in variant and label not in best:
            yield Problem(_source(release), f"variants/{label}", _why_never(label, choices))


@SELECTION.check("NV506", Severity.NOTE, Uv.NONE, "too many labels to check which build wins")
def check_size(release: LenientView) -> Iterator[Problem]:
    """Report releases that the other checks of NV5xx did not look at."""
    if len(release.variants) > MAX_LABELS:
        message = f"seen {len(release.variants)} labels, looked at are at most {MAX_LABELS}"
        yield Problem(_source(release), "variants", message)


def _why_never(label: str, choices: Iterable[Choice]) -> str:
    """Say which builds win wherever this one is supported: ``never selected: b wins on ...``."""
    winners = sorted({choice.labels[0] for choice in choices if label in choice.labels})
    if not winners:
        return "never selected: no known GPU and driver support it"
    verb = "wins" if len(winners) == 1 else "win"
    return f"never selected: {' and '.join(winners)} {verb} on every known GPU and driver"


def _tied(choice: Choice) -> str:
    return choice.labels[1] if choice.tied else ""


def _shadowed(choice: Choice) -> str:
    if not choice.labels or not choice.archs[choice.labels[0]].endswith(_VIRTUAL):
        return ""
    others = choice.labels[1:]
    return next((label for label in others if choice.archs[label].endswith("_real")), "")


def _pairs(
    release: LenientView, loser_of: Callable[[Choice], str]
) -> dict[tuple[str, str], list[Choice]]:
    """Group the machines by the pair of labels that a question is answered with."""
    pairs: dict[tuple[str, str], list[Choice]] = {}
    for choice in choices_everywhere(release):
        if loser := loser_of(choice):
            pairs.setdefault((choice.labels[0], loser), []).append(choice)
    return pairs


def _on(choices: Iterable[Choice]) -> str:
    """Name one machine, count the others, and say whose rules it takes if not all."""
    choices = list(choices)
    rule_sets = {choice.rule_set for choice in choices}
    whose = "" if len(rule_sets) > 1 else f" by the rules of {RULE_SETS[rule_sets.pop()]}"
    others = len({(choice.family, choice.generation, choice.cuda) for choice in choices}) - 1
    more = f" and {others} more machine{'s' if others > 1 else ''}" if others else ""
    return f"{choices[-1]}{more}{whose}"


def _served(release: LenientView) -> dict[str, list[Choice]]:
    """Return each family's choices with the newest driver of every generation."""
    families: dict[str, list[Choice]] = {}
    for choice in choices_everywhere(release):
        generation = choice.generation
        # Where no platform is told, a build for Arm machines is missed by nobody who has none.
        wanted = generation.product and (choice.family or not generation.on_arm_only)
        if choice.rule_set == DEFAULT_RULES and wanted and choice.cuda == generation.until:
            families.setdefault(choice.family, []).append(choice)
    return families


def _unserved(release: LenientView, family: str, rows: list[Choice]) -> Problem:
    shut_out = [row for row in rows if _has_older_driver(release, row)]
    named = shut_out or rows
    names = [f"{row.generation.capability} ({row.generation.product})" for row in named]
    on = f" on {family}" if family else ""
    cause = "an upper bound shuts out the newest drivers of" if shut_out else "no build for"
    return Problem(_source(release), "variants", f"{cause} {', '.join(names)}{on}")


def _has_older_driver(release: LenientView, choice: Choice) -> bool:
    """Tell whether a GPU that gets nothing with its newest driver gets a build with another."""
    mine = (choice.family, choice.generation, choice.rule_set)
    return any(
        choice.labels
        for choice in choices_everywhere(release)
        if mine == (choice.family, choice.generation, choice.rule_set)
    )


def _source(release: LenientView) -> str:
    return release.reference.source if release.reference else release.title
