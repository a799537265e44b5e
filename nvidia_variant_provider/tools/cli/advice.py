"""The words for each status: what it means, what to do about it, the code of its page section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from nvidia_variant_provider.detect.remedies import CAUSES, advise
from nvidia_variant_provider.detect.surroundings import ANYWHERE
from nvidia_variant_provider.model import Status
from nvidia_variant_provider.overrides import FORCE_SM_ARCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.detect.cascade import Detection
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.provider import Answer


class Words(NamedTuple):
    """A status in words; ``exit_code`` is what the command ``detect`` ends with."""

    code: str
    meaning: str
    advice: str
    exit_code: int


WORKS: Final = 0
NOTHING: Final = 3
FAULTY: Final = 4
# The machine works, and installers get nothing for it.
UNSUPPORTED: Final = 5

_OF_FOLDERS: Final = frozenset({"library-folder", "libcuda-hides-another"})

STATUSES: Final = {
    Status.OK: Words("NVP-OK", "what was asked answers; the reason says what was", "", WORKS),
    Status.PINNED: Words("NVP-PINNED", "the environment says what the target is", "", WORKS),
    Status.NONE: Words(
        "NVP-NONE",
        "no NVIDIA GPU here",
        "to install for another machine: nvidia-variant-provider run --target NAME@DRIVER -- "
        "uv pip install ...   (nvidia-variant-provider targets lists the names)",
        NOTHING,
    ),
    Status.DRIVER_NO_GPU: Words(
        "NVP-DRIVER-NO-GPU",
        "a driver without a GPU it can use",
        "give this process a GPU; for another machine: nvidia-variant-provider run --target "
        "NAME@DRIVER -- uv pip install ...",
        FAULTY,
    ),
    Status.GPU_NO_DRIVER: Words(
        "NVP-GPU-NO-DRIVER",
        "an NVIDIA GPU without a driver",
        "see the reason above: which driver holds the GPU, and which is missing",
        FAULTY,
    ),
    Status.BLOCKED: Words(
        "NVP-BLOCKED",
        "driver and GPUs are there, and this process may not use them",
        "see the reason, and the same command outside of the container or sandbox",
        FAULTY,
    ),
    Status.BROKEN: Words(
        "NVP-BROKEN",
        "driver and GPU are there and do not work together",
        "see the reason above; detect --verbose shows what each library said",
        FAULTY,
    ),
    Status.TIMEOUT: Words(
        "NVP-TIMEOUT",
        "the driver did not answer in time",
        "set NV_VARIANT_PROVIDER_TIMEOUT=60 if the driver is only slow",
        FAULTY,
    ),
}


def words_for(machine: Machine) -> Words:
    """Return the words for a machine's status."""
    return STATUSES[machine.status]


def exit_code_for(answer: Answer) -> int:
    """Return what ``detect`` ends with: it works and something fits, or which of the two not."""
    code = words_for(answer.detection.machine).exit_code
    return UNSUPPORTED if code == WORKS and not answer.decision.features else code


def advice_for(detection: Detection) -> list[str]:
    """Return what to do: about each known cause, or else what the status alone advises."""
    machine = detection.machine
    causes = [note for note in machine.notes if note.code in CAUSES]
    # What a program has to be told to find a library comes after what makes the library work.
    causes.sort(key=lambda note: note.code in _OF_FOLDERS)
    around = detection.surroundings or ANYWHERE
    lines = list(dict.fromkeys(advise(note, machine, around) for note in causes))
    general = words_for(machine).advice
    return [*(lines or filter(None, [general])), *_by_name(machine)]


def _by_name(machine: Machine) -> Iterator[str]:
    """Advise to state the capability that a GPU's name tells, where the driver tells none.

    Detection itself does not go by names: the table of them is large, and one name may stand for
    several chips.
    """
    if machine.capabilities or not machine.gpus:
        return
    from nvidia_variant_provider.tables.names import gpus_named

    told = {
        product.capability: gpu.name
        for gpu in machine.gpus
        for product in gpus_named(gpu.name or "")
    }
    if len(told) == 1:
        ((capability, name),) = told.items()
        yield (
            f"export {FORCE_SM_ARCH}={capability}: the driver tells no compute capability, and "
            f"that is the one of {name}"
        )


def explaining(code: str) -> str:
    """Return the command that explains a code; it needs no network and no checkout."""
    return f"nvidia-variant-provider code {code}"
