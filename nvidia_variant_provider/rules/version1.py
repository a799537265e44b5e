"""Rule set 1, the default: the values a machine can really run, in the order they are preferred."""

from __future__ import annotations

from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Note, SmArch
from nvidia_variant_provider.rules.bounds import (
    effective_cuda,
    judge_lower,
    judge_upper,
    meets_lower,
    meets_upper,
)
from nvidia_variant_provider.rules.catalogue import (
    LOWER_BOUND,
    SM_ARCH,
    UPPER_BOUND,
    bound_values,
    bounds,
    sm_archs,
)
from nvidia_variant_provider.rules.device_code import judge_arch, runnable
from nvidia_variant_provider.rules.gpus import without_display_gpus
from nvidia_variant_provider.rules.verdict import Decision, Feature, Verdict

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine


def decide(machine: Machine) -> Decision:
    """Return the features of a machine; with GPUs of several capabilities ``sm_arch`` leads."""
    machine, left_out = without_display_gpus(machine)
    cuda, note = effective_cuda(machine)
    if cuda is None:
        return Decision((), (note,) if note else ())
    # Newest first: the upper bounds that are met lead, the lower ones follow.
    lower = dropwhile(lambda row: not meets_lower(row[1], cuda), bounds())
    upper = takewhile(lambda row: meets_upper(row[1], cuda), bounds())
    both = (
        Feature(LOWER_BOUND, tuple(text for text, _ in lower), multi_value=False),
        Feature(UPPER_BOUND, tuple(text for text, _ in upper), multi_value=False),
    )
    archs = Feature(SM_ARCH, _mixed_archs(machine), multi_value=True)
    features = (archs, *both) if len(machine.capabilities) > 1 else (*both, archs)
    notes = tuple(
        remark for remark in (note, left_out, _note_on_archs(machine)) if remark is not None
    )
    return Decision(tuple(feature for feature in features if feature.values), notes)


def judge(machine: Machine, feature: str, value: str) -> Verdict:
    """Decide one property of the namespace, with the reason."""
    machine, _ = without_display_gpus(machine)
    cuda, note = effective_cuda(machine)
    if cuda is None:
        return Verdict(False, note.text if note else machine.reason)
    if feature == SM_ARCH:
        return _judge_sm_arch(machine, value)
    if feature not in {LOWER_BOUND, UPPER_BOUND}:
        return Verdict(False, f"the namespace nvidia has no feature {feature}")
    if value not in bound_values():
        return Verdict(False, f"{value} is not a value of {feature}")
    verdict = (judge_lower if feature == LOWER_BOUND else judge_upper)(value, cuda)
    return (
        verdict if note is None else Verdict(verdict.supported, f"{verdict.reason} ({note.text})")
    )


def _mixed_archs(machine: Machine) -> tuple[str, ...]:
    """Return what the weakest GPU can run, then what only the next stronger one can, and so on."""
    archs: dict[SmArch, None] = {}
    for capability in machine.capabilities:
        archs.update(dict.fromkeys(runnable(capability, machine.cuda)))
    return tuple(str(arch) for arch in archs)


def _judge_sm_arch(machine: Machine, value: str) -> Verdict:
    if not machine.capabilities:
        return Verdict(False, f"no GPU whose compute capability is known: {machine.reason}")
    try:
        arch = SmArch.parse(value)
    except InvalidValueError as error:
        return Verdict(False, str(error))
    if arch not in sm_archs():
        return Verdict(False, f"{value} is not a value of {SM_ARCH}")
    verdicts = {
        capability: judge_arch(arch, capability, machine.cuda)
        for capability in machine.capabilities
    }
    strongest = verdicts[machine.capabilities[-1]]
    chosen = next((verdict for verdict in verdicts.values() if verdict.supported), strongest)
    left_out = [str(answer) for answer, verdict in verdicts.items() if not verdict.supported]
    if not chosen.supported or not left_out:
        return chosen
    return Verdict(True, f"{chosen.reason}; not on the GPUs of {', '.join(left_out)}")


def _note_on_archs(machine: Machine) -> Note | None:
    if not machine.gpus:
        return Note("no-usable-gpu", f"only the bounds are reported: {machine.reason}")
    if not machine.capabilities:
        return Note("capability-unknown", "only the bounds are reported: no capability is known")
    if len(machine.capabilities) > 1:
        shown = ", ".join(str(capability) for capability in machine.capabilities)
        text = (
            f"GPUs of several capabilities ({shown}): builds that fit the weakest lead, and may "
            "leave out the others; choose with NV_VARIANT_PROVIDER_GPU=highest, lowest or an index"
        )
        return Note("mixed-gpus", text)
    return None
