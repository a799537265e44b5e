"""What detection does for a person beyond what an installer needs: causes, and which it is.

Loaded by ``detect`` alone. It may ask more and take longer, and changes no fact of the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.clues import read_clues
from nvidia_variant_provider.detect.control import API as CONTROL
from nvidia_variant_provider.detect.control import NODE, parse_control
from nvidia_variant_provider.detect.health import API as HEALTH
from nvidia_variant_provider.detect.health import parse_health
from nvidia_variant_provider.detect.libraries import unlinked_library
from nvidia_variant_provider.detect.outcome import Hit
from nvidia_variant_provider.detect.reconcile import answering_gpus, reconcile
from nvidia_variant_provider.detect.refine import Case, refined
from nvidia_variant_provider.detect.remedies import CAUSES
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.value_types import replace

if TYPE_CHECKING:
    from typing import Protocol

    from nvidia_variant_provider.detect.control import ControlNode
    from nvidia_variant_provider.detect.health import Health
    from nvidia_variant_provider.detect.host import Host
    from nvidia_variant_provider.detect.observations import Observations
    from nvidia_variant_provider.detect.surroundings import Surroundings
    from nvidia_variant_provider.model import Machine

    class Cascade(Protocol):
        """What is asked of the detection that goes on; see ``cascade.Cascade``."""

        host: Host
        dangling: str

        def left(self) -> float:
            """Return the seconds that may still be spent."""
            ...

        def look_around(self) -> Surroundings:
            """Look where this process runs."""
            ...

        def step(
            self, probe: str, source: str, *, found: bool, detail: str, cost: float = ...
        ) -> None:
            """Add a step to the trail."""
            ...


# Notes that name no cause, and behind which there may be one.
_TELLING: Final = CAUSES | {"gpu-not-answering", "libcuda-rejected", "libcuda-stub"}


def reconcile_for_a_person(cascade: Cascade, seen: Observations) -> Machine:
    """Return the machine with its causes told apart, as far as files and more questions say."""
    answers = (*seen.nvml, *seen.cuda)
    if seen.kernel is not None and seen.kernel.driver_present and not answering_gpus(seen):
        loads = any(answer.loaded for answer in answers)
        unlinked = "" if loads else unlinked_library(cascade.host)
        seen = replace(seen, control=_open_control(cascade, seen), unlinked=unlinked)
    machine = reconcile(seen)
    sound = machine.status is Status.OK and not _TELLING & {note.code for note in machine.notes}
    return machine if sound or seen.kernel is None else _refined(cascade, seen, machine)


def _refined(cascade: Cascade, seen: Observations, machine: Machine) -> Machine:
    around = seen.surroundings or cascade.look_around()
    contained = bool(around.container)
    pci = seen.kernel.pci if seen.kernel is not None else ()
    clues = read_clues(
        cascade.host.files,
        str(machine.driver_release or ""),
        tuple(gpu.address for gpu in pci),
        contained=contained,
    )
    health = _ask_health(cascade, seen) if _is_sick(machine, seen) else None
    case = Case(machine, seen, clues, health, contained, cascade.dangling, around.slurm_job)
    return refined(case)


def _is_sick(machine: Machine, seen: Observations) -> bool:
    """Tell whether NVML may say more of GPUs that do not compute."""
    nvml = seen.best_nvml
    return machine.status is not Status.OK or (nvml is not None and bool(nvml.failed))


def _ask_health(cascade: Cascade, seen: Observations) -> Health | None:
    """Ask the NVML that started why its GPUs do not compute."""
    nvml = seen.best_nvml
    if nvml is None or nvml.init != 0 or not nvml.complete or not cascade.left():
        return None
    reply = cascade.host.ask_library(HEALTH, nvml.path, cascade.left())
    health = parse_health(reply)
    detail = str(reply.end) if health is None else "answers"
    cascade.step(HEALTH, nvml.path, found=bool(health), detail=detail, cost=reply.seconds)
    return health


def _open_control(cascade: Cascade, seen: Observations) -> ControlNode | None:
    """Find out why the driver's control node does not open, if its module is loaded."""
    host, kernel = cascade.host, seen.kernel
    loaded = kernel is not None and isinstance(kernel.release, Hit)
    if not loaded or seen.timed_out or seen.no_child or not host.files.exists(NODE):
        return None
    reply = host.ask_library(CONTROL, NODE, cascade.left())
    control = parse_control(reply, host.files)
    detail = str(reply.end) if control is None else control.error or "opens"
    cascade.step("control", NODE, found=detail == "opens", detail=detail, cost=reply.seconds)
    return control
