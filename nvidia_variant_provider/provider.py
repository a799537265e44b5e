"""The provider: overrides, detection and rules put together, once for every caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider import overrides
from nvidia_variant_provider.errors import InvalidValueError, OverrideError
from nvidia_variant_provider.model import Gpu, Machine, Note, Status
from nvidia_variant_provider.rules import Decision, decide
from nvidia_variant_provider.value_types import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.detect.cascade import Detection
    from nvidia_variant_provider.detect.host import Host
    from nvidia_variant_provider.overrides import Overrides

# A machine file is a few kilobytes; a hostile one may be endless.
_MAX_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of the machine, how it became known, and the features that follow."""

    detection: Detection
    decision: Decision
    rules: int


def answer(environ: Mapping[str, str]) -> Answer:
    """Return the features of this machine, or of the one the environment names.

    Raises ``OverrideError`` if a variable is malformed; never for the machine's condition.
    """
    from nvidia_variant_provider.detect.host import RealHost

    settings = overrides.read_overrides(environ)
    host = RealHost(environ, settings.root)
    return decide_for(find_machine(host, settings), settings)


def find_machine(host: Host, settings: Overrides, *, confirm: bool = False) -> Detection:
    """Return the machine: pinned or detected, with the forced facts in place.

    ``confirm`` starts CUDA in any case: see ``detect``.
    """
    from nvidia_variant_provider.detect.cascade import Detection, detect

    if settings.pins:
        detection = Detection(_pinned(host, settings), ())
    else:
        detection = detect(host, settings.timeout, confirm=confirm)
    return replace(detection, machine=with_forced_facts(detection.machine, settings))


def decide_for(detection: Detection, settings: Overrides) -> Answer:
    """Narrow the machine to the chosen GPUs and apply the rule set."""
    machine = detection.machine
    if settings.gpu:
        machine = _narrowed(machine, settings.gpu)
    decision = decide(machine, settings.rules)
    return Answer(replace(detection, machine=machine), decision, settings.rules)


def _narrowed(machine: Machine, choice: str) -> Machine:
    from nvidia_variant_provider.rules.gpus import narrow

    try:
        return narrow(machine, choice)
    except InvalidValueError as error:
        raise OverrideError(overrides.GPU, choice, str(error)) from error


def with_forced_facts(machine: Machine, settings: Overrides) -> Machine:
    """Replace the facts that are forced; without a driver of its own the machine is pinned."""
    notes = (*machine.notes, *settings.notes)
    if settings.cuda is not None:
        pinned = machine.cuda is None
        machine = replace(
            machine,
            status=Status.PINNED if pinned else machine.status,
            reason="the CUDA driver version is forced" if pinned else machine.reason,
            cuda=settings.cuda,
            cuda_source="override",
            cuda_derived=False,
            cuda_forced=True,
        )
        notes = (*notes, Note("forced", f"{overrides.FORCE_CUDA}={settings.cuda}"))
    if settings.capability is not None:
        gpu = Gpu("forced", capability=settings.capability, source="override")
        machine = replace(machine, gpus=(gpu,))
        notes = (*notes, Note("forced", f"{overrides.FORCE_SM_ARCH}={settings.capability}"))
        if machine.cuda is None:
            text = (
                f"no driver is known, so the GPU alone says nothing: set {overrides.FORCE_CUDA} too"
            )
            notes = (*notes, Note("forced-in-vain", text))
    return replace(machine, notes=notes)


def _pinned(host: Host, settings: Overrides) -> Machine:
    """Return the machine the user named, for which nothing is probed."""
    if settings.machine_file:
        return _read_machine(settings.machine_file)
    if settings.target:
        return _named_machine(settings.target)
    return Machine(host.platform, Status.PINNED, "driver and GPU are forced")


def _named_machine(text: str) -> Machine:
    try:
        from nvidia_variant_provider.targets.target import FORM, parse_target
    except ImportError as error:
        expected = (
            f"nothing here: this copy of the provider has no product names; set "
            f"{overrides.FORCE_CUDA} and {overrides.FORCE_SM_ARCH}"
        )
        raise OverrideError(overrides.TARGET, text, expected) from error
    try:
        return parse_target(text).machine()
    except InvalidValueError as error:
        expected = f"{FORM}: {error}"
        raise OverrideError(overrides.TARGET, text, expected) from error


def _read_machine(path: str) -> Machine:
    import json

    from nvidia_variant_provider import machine_file
    from nvidia_variant_provider.detect.files import Files, raise_foreign

    try:
        document = json.loads(Files().read_bytes(path, _MAX_FILE))
        machine = machine_file.load(document)
    except OSError as error:
        raise_foreign(error)
        raise OverrideError(
            overrides.MACHINE, path, f"a readable file: {error.strerror}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise_foreign(error)
        raise OverrideError(overrides.MACHINE, path, f"a machine file: {error!s:.200}") from error
    # Why a recorded machine supports nothing is worth more than where it was read.
    reason = f"read from {path}" + (f": {machine.reason}" if machine.reason else "")
    return replace(machine, status=Status.PINNED, reason=reason)
